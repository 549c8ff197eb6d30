"""Clients that connect: from nothing, to a snapshot, and to what they missed."""

from __future__ import annotations

import select
import socket
import time
from multiprocessing import Process
from typing import TYPE_CHECKING

from benchmarks.client import Client, event, frame
from benchmarks.readers import CODES, SIZE, Readers
from benchmarks.server import running

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchmarks.server import Server

RECOVER = b'{"recover":true}'
"""The auth of a client that may come back; Node.js asks for none."""


def come_back(clients: int, missed: int, relay: AbstractContextManager[Server]) -> list[str]:
    """Clients come back, one after the other, to the events that they missed."""
    with relay as server:
        publisher = Client(server.port)
        readers = [Client(server.port, RECOVER) for _ in range(clients)]
        publisher.socket.send(event("C0", SIZE))
        offset = b""
        for reader in readers:
            while not (heard := reader.read()):
                select.select([reader.socket], [], [], 10)
            offset = heard[0].rpartition(b',"')[2][:-2]
            reader.socket.close()
        for number in range(missed):
            publisher.socket.send(event(f"C{number % CODES}", SIZE))
        time.sleep(1)  # all are known to be gone, and all events are in the log
        cpu, start, count = server.cpu(), time.monotonic(), 0
        for reader in readers:
            pid = reader.reply.rpartition(b'"pid":"')[2].partition(b'"')[0]
            auth = b'{"recover":true,"pid":"%b","offset":"%b"}' % (pid, offset)
            again = Client(server.port, auth)
            count += len(again.read())
            while count % missed and select.select([again.socket], [], [], 5)[0]:
                count += len(again.read())
            again.socket.close()
        used, elapsed = server.cpu() - cpu, time.monotonic() - start
        return [
            f"{server.name}{clients} come back to {missed} events",
            f"{clients / elapsed:,.0f}/s",
            f"{used / clients * 1e6:,.0f} each",
            "",
            f"{server.memory() / 2**20:.0f} MB",
            str(clients * missed - count),
        ]


def connect(count: int, relay: AbstractContextManager[Server]) -> list[str]:
    """Connections one after the other, and what an idle one holds."""
    with relay as server:
        warm = [Client(server.port) for _ in range(count // 10)]
        cpu, memory, start = server.cpu(), server.memory(), time.monotonic()
        clients = [Client(server.port) for _ in range(count)]
        elapsed, used = time.monotonic() - start, server.cpu() - cpu
        time.sleep(0.5)
        held = (server.memory() - memory) / count / 1024
        clients[0].socket.send(frame(b"41"))
        del warm
        return [
            f"{server.name}{count} connections",
            f"{count / elapsed:,.0f}/s",
            f"{used / count * 1e6:,.0f} each",
            "",
            f"{held:.1f} KiB each",
            "",
        ]


def join(count: int, auth: bytes, *, told: bool = False) -> list[str]:
    """Late joiners, as fast as they can; what a bystander notices.

    `told`: events go on, and who has read its snapshot leaves.
    """
    with running() as server:
        publisher, readers = Client(server.port), Readers([Client(server.port)])
        for number in range(CODES):
            publisher.socket.sendall(event(f"C{number}", SIZE))
        while readers.count < CODES:
            readers.read(0.1)
        bystander = socket.create_connection(("127.0.0.1", server.port))
        waits = []
        joiner = Process(target=_visit if told else _join, args=(server.port, count, auth))
        cpu, start = server.cpu(), time.monotonic()
        joiner.start()
        while joiner.is_alive():
            asked = time.monotonic()
            bystander.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            bystander.recv(4096)
            waits.append((time.monotonic() - asked) * 1e3)
            if told:
                publisher.socket.send(event(f"C{len(waits) % CODES}", SIZE))
                readers.read(0)
                publisher.read()  # the gateway pings it
            time.sleep(0.002)
        used, elapsed = server.cpu() - cpu, time.monotonic() - start
        kind = f"a snapshot of {CODES}" if auth else "nothing"
        kind += f", with {len(waits) / elapsed:.0f} events/s" if told else ""
        return [
            f"{count} join and get {kind}",
            f"{count / elapsed:,.0f} joins/s",
            f"{used / count * 1e6:,.0f} each",
            f"max {max(waits):.1f} ms",
            f"{server.memory() / 2**20:.0f} MB",
            "",
        ]


def _join(port: int, count: int, auth: bytes) -> None:
    clients = [Client(port, auth) for _ in range(count)]
    for client in clients:
        client.read()


def _visit(port: int, count: int, auth: bytes) -> None:
    for _ in range(count):
        client, heard = Client(port, auth), 0
        while heard < CODES:
            select.select([client.socket], [], [])
            heard += len(client.read())
        client.socket.close()
