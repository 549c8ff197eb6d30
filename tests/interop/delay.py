"""A proxy that is far away: whatever passes takes its time, in both directions."""

import asyncio
import threading


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
                late.put_nowait((self._loop.time() + self._seconds, data))
        except OSError:
            pass
        late.put_nowait((self._loop.time() + self._seconds, b""))
        await writing

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
