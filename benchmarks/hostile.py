"""`python -m benchmarks.hostile [part ...]`: what one bad client costs the gateway and the others.

Each part runs a gateway of its own, does what a client should not do, and prints the gateway's
CPU and memory, and how long another client's `GET /health` takes meanwhile (99 of 100 are faster).
"""

from __future__ import annotations

import http.client
import selectors
import socket
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmarks.client import REQUEST, Client, event, frame, raise_descriptor_limit
from benchmarks.server import running, supervising

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.server import Server

WORKER = """
import threading, time
files = [open(__file__) for _ in range(300)]
threads = [threading.Thread(target=time.sleep, args=(3600,), daemon=True) for _ in range(40)]
for thread in threads:
    thread.start()
print("line " * 100, flush=True)
for _ in range(12000):
    print("x" * 100)
time.sleep(3600)
"""
"""A worker that makes it dear to ask whose connection one is."""

JOINS, HANDSHAKES, PIPELINED, POLLERS = 8000, 10_000, 40, 100
VISITS = 4
"""Seconds for which clients come and go."""


class Bystander:
    """Asks for `/health` all the time, on one connection, and notes how long each answer takes."""

    def __init__(self, port: int) -> None:
        self.waits: list[float] = []
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._over.is_set():
            asked = time.monotonic()
            connection.request("GET", "/health")
            connection.getresponse().read()
            self.waits.append(time.monotonic() - asked)
            time.sleep(0.005)

    @property
    def figures(self) -> str:
        """What 99 of 100 answers took at most, and the longest."""
        waits = [wait * 1e3 for wait in sorted(self.waits)]
        return f"p99 {waits[int(len(waits) * 0.99)]:7.1f} ms, longest {waits[-1]:7.1f} ms"


@contextmanager
def measured(name: str, server: Server) -> Iterator[None]:
    """Print what the block cost `server`, and what a bystander noticed."""
    memory, cpu, start = server.memory(), server.cpu(), time.monotonic()
    with Bystander(server.port) as bystander:
        yield
    used, elapsed, held = server.cpu() - cpu, time.monotonic() - start, server.memory() - memory
    print(
        f"{name:<44} CPU {used:6.2f} s of {elapsed:5.1f} s   /health {bystander.figures}"
        f"   memory {held / 2**20:+7.1f} MB",
        flush=True,
    )


def joins() -> None:
    """Leave and join alternate in one burst on one WebSocket."""
    with worker() as main, supervising(main) as server:
        _quiet(server)  # the worker has started and printed its lines
        client = Client(server.port)
        client.socket.setblocking(True)
        with measured(f"{JOINS} alternating 41 and 40", server):
            client.socket.sendall((frame(b"41") + frame(b"40")) * (JOINS // 2))
            _quiet(server)


def refused() -> None:
    """CONNECTs with a wrong token, nothing read."""
    with worker() as main, tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text("a-long-token-for-viewing\n")
        token.chmod(0o600)
        with supervising(main, f"--view-token-file={token}") as server:
            sid = _handshake(server.port)
            body = b"\x1e".join([b'40{"token":"wrong"}'] * 40_000)
            with measured("40,000 CONNECTs with a wrong token, one POST", server):
                _post(server.port, sid, body)
                _quiet(server)


def visits() -> None:
    """Clients of this machine that come, join and leave at once, while a worker runs."""
    with worker() as main, supervising(main) as server:
        time.sleep(2)  # it has all of its files and threads
        for rate in 300, 1000:
            with measured(f"{rate} joins/s, {VISITS} s", server):
                _visit(server.port, rate)


def handshakes() -> None:
    """Polling handshakes with a long query on connections that close at once."""
    with running() as server:
        query = "&".join(f"k{number}={'v' * 120}" for number in range(55))
        with measured(f"{HANDSHAKES} dangling handshakes", server):
            for _ in range(HANDSHAKES):
                with socket.create_connection(("127.0.0.1", server.port)) as client:
                    client.sendall(
                        f"GET /socket.io/?EIO=4&transport=polling&{query} HTTP/1.1\r\n"
                        "Host: localhost\r\nConnection: close\r\n\r\n".encode()
                    )
                    client.recv(1000)
        with measured("... and a minute later", server):
            time.sleep(60)


def pipelining() -> None:
    """Requests for the log in one go, answers unread."""
    with worker() as main, supervising(main) as server:
        time.sleep(2)
        request = b"GET /logs?lines=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with measured(f"{PIPELINED} unread GET /logs on one connection", server):
            client = socket.create_connection(("127.0.0.1", server.port))
            client.sendall(request * PIPELINED)
            _quiet(server)
        with measured("16 such connections, closed at once", server):
            clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(16)]
            for each in clients:
                each.sendall(request * PIPELINED)
            time.sleep(0.5)
            for each in (client, *clients):
                each.close()
            time.sleep(20)
        with measured("16 such connections that read", server):
            clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(16)]
            readers = [threading.Thread(target=_count, args=(each, PIPELINED)) for each in clients]
            for client, reader in zip(clients, readers, strict=True):
                reader.start()
                client.sendall(request * PIPELINED)
            for client, reader in zip(clients, readers, strict=True):
                reader.join()
                client.close()


def attachments() -> None:
    """Events that announce ten attachments and send nine."""
    with running() as server, measured("10 connections, 9 attachments of 1 MB each", server):
        clients = [Client(server.port) for _ in range(10)]
        for client in clients:
            client.socket.setblocking(True)
            client.socket.sendall(frame(b'4510-["x",{"_placeholder":true,"num":0}]'))
            binary = frame(b"y" * 999_000)
            for _ in range(9):
                try:
                    client.socket.sendall(b"\x82" + binary[1:])
                except OSError:
                    break
        time.sleep(60)


def nesting() -> None:
    """A megabyte of nested lists, of NaN, and of plain text, as one event each."""
    for name, payload in (
        ("1 MB of plain text", b'"' + b"x" * 990_000 + b'"'),
        ("1 MB of nested lists", b"[" + b",".join([b"[[[[[]]]]]"] * 90_000) + b"]"),
        ("1 MB of NaN", b"[" + b",".join([b"NaN"] * 247_000) + b"]"),
    ):
        with running() as server:
            client = Client(server.port)
            client.socket.setblocking(True)
            with measured(name, server):
                client.socket.sendall(frame(b'42["x",' + payload + b"]"))
                _quiet(server)


def pollers() -> None:
    """Polling clients at 2,000 events/s, and the memory after they left."""
    with running() as server:
        before = server.memory()
        over = threading.Event()
        readers = [threading.Thread(target=_read, args=(server.port, over)) for _ in range(POLLERS)]
        publisher = Client(server.port)
        with measured(f"{POLLERS} polling clients at 2000 events/s, 10 s", server):
            for reader in readers:
                reader.start()
            start, sent = time.monotonic(), 0
            while (now := time.monotonic()) < start + 10:
                while sent < (now - start) * 2000:
                    publisher.socket.send(event(f"C{sent % 300}", 250))
                    sent += 1
                publisher.read()
                time.sleep(0.001)
            over.set()
            for reader in readers:
                reader.join()
        time.sleep(50)
        print(
            f"{'... 50 s after they left':<44} memory {(server.memory() - before) / 2**20:+.1f} MB"
        )


PARTS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (joins, refused, visits, handshakes, pipelining, attachments, nesting, pollers)
}


@contextmanager
def worker() -> Iterator[Path]:
    """The main.py of a worker that is dear to look at."""
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "main.py"
        main.write_text(WORKER)
        yield main


def _visit(port: int, rate: int) -> None:
    """Let `rate` clients a second join over WebSockets of their own, and leave when they are in."""
    steps = (b"\r\n\r\n", b""), (b"maxPayload", frame(b"40")), (b'40{"sid"', b"")
    start, come, late, lost = time.monotonic(), 0, 0, 0
    with selectors.DefaultSelector() as selector:
        while come < rate * VISITS or selector.get_map():
            now = time.monotonic() - start
            while come < min(now * rate, rate * VISITS):
                client = socket.create_connection(("127.0.0.1", port))
                client.sendall(REQUEST)
                selector.register(client, selectors.EVENT_READ, [b"", 0])
                come += 1
            for key, _ in selector.select(0.001):
                client, state = cast("socket.socket", key.fileobj), key.data
                data = client.recv(65536)
                state[0] += data
                while state[1] < len(steps) and steps[state[1]][0] in state[0]:
                    client.sendall(steps[state[1]][1])
                    state[1] += 1
                if not data or state[1] == len(steps):
                    lost += state[1] < len(steps)
                    selector.unregister(client)
                    client.close()
            late = max(late, len(selector.get_map()))
    took = time.monotonic() - start
    print(f"    {come / took:.0f} joins/s in fact, {late} at a time at most, {lost} were cut off")


def _handshake(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/socket.io/?EIO=4&transport=polling")
    text = connection.getresponse().read().decode()
    return text.partition('"sid":"')[2].partition('"')[0]


def _post(port: int, sid: str, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", f"/socket.io/?EIO=4&transport=polling&sid={sid}", body)
        connection.getresponse().read()
    except OSError:
        pass  # it may well be cut off


def _read(port: int, over: threading.Event) -> None:
    sid = _handshake(port)
    _post(port, sid, b"40")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not over.is_set():
        connection.request("GET", f"/socket.io/?EIO=4&transport=polling&sid={sid}")
        answer = connection.getresponse()
        if b"2" in answer.read().split(b"\x1e"):
            _post(port, sid, b"3")
        if answer.status != 200:
            return


def _count(client: socket.socket, answers: int) -> None:
    """Read so many answers."""
    begins = b"HTTP/1.1 "
    last = b""
    while answers > 0 and (piece := client.recv(1 << 20)):
        answers -= (last + piece).count(begins)
        last = piece[1 - len(begins) :]


def _quiet(server: Server) -> None:
    """Wait until the gateway has nothing to do any more, a minute at most."""
    deadline = time.monotonic() + 60
    idle = 0
    while idle < 3 and time.monotonic() < deadline:
        cpu = server.cpu()
        time.sleep(0.3)
        idle = idle + 1 if server.cpu() - cpu < 0.1 else 0


def main(names: list[str]) -> int:
    """Run the parts named, or all of them."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(PARTS)}")
        return 1
    raise_descriptor_limit()
    for name in names or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
