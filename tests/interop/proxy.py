"""A TCP proxy that cuts every connection at a moment of one's choice."""

import contextlib
import socket
import threading


class Proxy:
    """Between clients, who connect to `url`, and the gateway at `port`.

    `pause()` cuts everybody and lets nobody in until `go_on()`.  `pause_after(marker)` does
    so once a whole HTTP answer with `marker` in it was passed on, `pause_within(marker)`
    in the middle of what the gateway writes, before the marker.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: set[socket.socket] = set()
        self._paused = False
        self.refused = threading.Event()
        """Set when somebody was not let in since the last pause."""
        self._marker = self._within = b""
        self._start(self._accept)

    def pause(self) -> None:
        self.refused.clear()
        self._paused = True
        self._cut()

    def go_on(self) -> None:
        self._paused = False

    def lead_to(self, port: int) -> None:
        """Cut everybody, and lead them to another gateway when they come back."""
        self._port = port
        self._cut()

    def pause_after(self, marker: bytes) -> None:
        self._marker = marker

    def pause_within(self, marker: bytes) -> None:
        self._within = marker

    def close(self) -> None:
        self._listener.close()
        self.pause()

    def _start(self, target, *args) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._paused:
                    client.close()
                    self.refused.set()
                    continue
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets |= {client, server}
                self._start(self._pass_on, client, server)
                self._start(self._pass_back, server, client)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        self._end(client, server)

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        answers = b""
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self._within and self._within in data:
                    client.sendall(data.partition(self._within)[0])
                    self._within = b""
                    self.pause()
                    break
                client.sendall(data)
                answers += data
                while (whole := _first_answer(answers)) is not None:
                    answers = answers[len(whole) :]
                    if self._marker and self._marker in whole:
                        self._marker = b""
                        self.pause()
        self._end(client, server)

    def _cut(self) -> None:
        self._end(*self._sockets)

    def _end(self, *sockets: socket.socket) -> None:
        for each in sockets:
            self._sockets.discard(each)
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _first_answer(data: bytes) -> bytes | None:
    """The first whole HTTP answer with a length in `data`."""
    head, end, _ = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if end and line.startswith(b"content-length:"):
            size = len(head) + 4 + int(line.partition(b":")[2])
            return data[:size] if len(data) >= size else None
    return None
