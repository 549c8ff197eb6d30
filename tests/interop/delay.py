"""Proxies that are not as they should be: far away, or unable to pass WebSockets on."""

import asyncio
import queue
import threading
import time
from contextlib import suppress


class DelayingProxy:
    """Listens at `url` and hands on to `port` of this machine after `seconds`, each way."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result()
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        with suppress(asyncio.CancelledError):  # its loop would print it
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def write() -> None:
            data = b"."
            while data:
                due, data = await late.get()
                await asyncio.sleep(due - self._loop.time())
                if data:
                    writer.write(data)
            writer.close()

        writing = asyncio.ensure_future(write())
        try:
            while data := await reader.read(65536):
                if data := self._passes(data, writer):
                    late.put_nowait((self._loop.time() + self._seconds, data))
        except OSError:
            pass
        late.put_nowait((self._loop.time() + self._seconds, b""))
        await writing

    def _passes(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        """What goes on of `data`, which is for `writer`."""
        return data

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class HangingProxy(DelayingProxy):
    """Lets WebSockets open, and passes on nothing that the server says over one.

    `polls`: when each GET of a session came, in seconds of the monotonic clock.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port, 0)
        self.polls: queue.SimpleQueue[float] = queue.SimpleQueue()
        self._hanging: set[asyncio.StreamWriter] = set()

    def _passes(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        if data.startswith(b"GET ") and b"polling" in data and b"sid=" in data:
            self.polls.put(time.monotonic())
        if writer in self._hanging:
            return b""
        if data.startswith(b"HTTP/1.1 101 "):
            self._hanging.add(writer)
            return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        return data
