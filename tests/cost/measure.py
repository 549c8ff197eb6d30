"""Sending, and reading off what it cost."""

from __future__ import annotations

import selectors
import socket
import time
from pathlib import Path

from benchmarks.client import frame
from tests.cost.inputs import KEYS, TOKEN, Input, Way, event, head

QUIET = 0.03
"""Seconds without work after which the gateway has done all that there was."""

UPGRADE = head(
    b"GET /socket.io/?EIO=4&transport=websocket",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    b"Sec-WebSocket-Extensions: permessage-deflate",
)
CONNECT = b'40{"token":"%b","events":[]}' % TOKEN


class Gateway:
    """A gateway under measurement: `port`, and the process `pid`."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._folder = Path(f"/proc/{pid}")

    def cpu(self) -> float:
        """Seconds of processor time so far, by the scheduler's own clock."""
        return int((self._folder / "schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> int:
        """Bytes that are resident."""
        return int((self._folder / "statm").read_text().split()[1]) * 4096

    def rest(self) -> None:
        """Wait until it has nothing left to do: it sleeps, and has hardly worked.

        On a busy machine it may not have had its turn yet.
        """
        quiet, before = 0, self.cpu()
        while quiet < 2:
            time.sleep(QUIET)
            state = (self._folder / "stat").read_text().rpartition(")")[2].split()[0]
            now = self.cpu()
            quiet = quiet + 1 if state == "S" and now - before < QUIET / 20 else 0
            before = now


class Cost:
    """What units of one kind cost: seconds and bytes each."""

    def __init__(self, cpu: float, memory: float) -> None:
        self.cpu = cpu
        self.memory = memory


def measure(gateway: Gateway, each: Input, units: list[bytes]) -> Cost:
    """Send `units` over fresh connections that are prepared before."""
    number = len(units) * each.clients
    if each.way is Way.HTTP:
        return _requests(gateway, units)
    if each.way is Way.POLLING:
        return _posts(gateway, units, known=each.known)
    prepare = _connected if each.way is Way.CONNECTION else _websocket
    clients = [prepare(gateway.port, known=each.known) for _ in range(each.clients)]
    gateway.rest()
    cpu, memory = gateway.cpu(), gateway.memory()
    _send(clients, b"".join(units), unread=each.unread)
    gateway.rest()
    cost = Cost((gateway.cpu() - cpu) / number, (gateway.memory() - memory) / number)
    _close(gateway, clients)
    return cost


def fill(gateway: Gateway) -> None:
    """Let somebody say as many quotes as are kept."""
    speaker = _websocket(gateway.port, known=True)
    quotes = [b'42["market_tick",{"code":"%05d"}]' % number for number in range(KEYS)]
    _send([speaker], b"".join(map(frame, quotes)))
    gateway.rest()
    _close(gateway, [speaker])


def _requests(gateway: Gateway, units: list[bytes]) -> Cost:
    client = _connected(gateway.port)
    gateway.rest()
    cpu, memory = gateway.cpu(), gateway.memory()
    for unit in units:
        _ask(client, unit)
    gateway.rest()
    cost = Cost((gateway.cpu() - cpu) / len(units), (gateway.memory() - memory) / len(units))
    _close(gateway, [client])
    return cost


def _posts(gateway: Gateway, units: list[bytes], *, known: bool) -> Cost:
    client = _connected(gateway.port)
    opened = _ask(client, head(b"GET /socket.io/?EIO=4&transport=polling"))
    sid = opened.partition(b'"sid":"')[2].partition(b'"')[0]
    line = b"POST /socket.io/?EIO=4&transport=polling&sid=" + sid
    if known:
        _ask(client, head(line, body=CONNECT))
    gateway.rest()
    cpu, memory = gateway.cpu(), gateway.memory()
    for unit in units:
        _ask(client, head(line, body=unit))
    gateway.rest()
    cost = Cost((gateway.cpu() - cpu) / len(units), (gateway.memory() - memory) / len(units))
    _close(gateway, [client])
    return cost


def _ask(client: socket.socket, request: bytes) -> bytes:
    """Send a request and read its answer; connect again where it was closed."""
    client.sendall(request)
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(client)
    start, _, body = got.partition(b"\r\n\r\n")
    length = start.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    while len(body) < int(length or 0):
        body += _more(client)
    return body


def _more(client: socket.socket) -> bytes:
    data = client.recv(65536)
    if not data:
        raise ConnectionError("the gateway hung up")
    return data


def _connected(port: int, *, known: bool = False) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _websocket(port: int, *, known: bool) -> socket.socket:
    client = _connected(port)
    client.sendall(UPGRADE)
    got = b""
    while b"maxPayload" not in got:
        got += _more(client)
    if known:
        client.sendall(frame(CONNECT))
        while b'40{"sid"' not in got:
            got += _more(client)
    return client


def _send(clients: list[socket.socket], data: bytes, *, unread: bool = False) -> None:
    """Send `data` on each connection; what comes back is read meanwhile, unless `unread`."""
    reading = 0 if unread else selectors.EVENT_READ
    with selectors.DefaultSelector() as selector:
        left = {}
        for client in clients:
            client.setblocking(False)
            left[client] = memoryview(data)
            selector.register(client, reading | selectors.EVENT_WRITE)
        while left:
            for key, mask in selector.select(20):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                try:
                    if mask & selectors.EVENT_READ and not client.recv(262144):
                        raise ConnectionError
                    if mask & selectors.EVENT_WRITE:
                        left[client] = left[client][client.send(left[client]) :]
                except BlockingIOError:
                    continue
                except OSError:  # closed: it has had enough
                    left[client] = memoryview(b"")
                if not left[client]:
                    del left[client]
                    selector.unregister(client)


def _close(gateway: Gateway, clients: list[socket.socket]) -> None:
    for client in clients:
        client.close()
    gateway.rest()


def plain(gateway: Gateway, each: Input) -> Cost:
    """What plain events cost that are as large as a unit of `each`, sent in the same way."""
    posted = each.way is not Way.WEBSOCKET
    count = max(3, min(2000, 2_000_000 // max(each.size, 500))) if not posted else 100
    if posted and each.size > 100_000:
        count = 3
    unit = event(each.size)
    if posted:
        data = b'42["%b"]' % (b"a" * max(1, each.size - 150))
        return _posts(gateway, [data] * count, known=True)
    same = each._replace(known=True, clients=1, way=Way.WEBSOCKET)
    return measure(gateway, same, [unit] * count)
