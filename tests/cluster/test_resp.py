"""What is sent over one connection to Redis, on a real socket."""

from __future__ import annotations

import socket
from typing import Any

import hiredis
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from gateway.cluster.resp import LostError, Redis
from tests.patience import PATIENCE

COMMANDS = [("SET", f"key {number}", b"x" * 100_000) for number in range(100)]
SOME = 1_000_000
"""Bytes: less than any socket takes of them at once, and enough that it takes more then."""


class SendTests(TestCase):
    timeout = PATIENCE

    async def connected(self) -> tuple[Redis, socket.socket, list[str]]:
        """A connection, its other end, which reads nothing by itself, and why it was lost."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lost: list[str] = []
            factory = Factory.forProtocol(lambda: Redis(lost.append, reactor.seconds))
            factory.noisy = False
            endpoint = TCP4ClientEndpoint(reactor, *listener.getsockname())
            made: Any = await endpoint.connect(factory)
            peer, _ = listener.accept()
        self.addCleanup(peer.close)
        peer.settimeout(PATIENCE)
        return made, peer, lost

    async def test_what_the_socket_does_not_take_at_once_follows_in_its_order(self) -> None:
        connection, peer, _ = await self.connected()
        for command in COMMANDS:
            connection.send(command, bool)
        got = bytearray()
        while len(got) < SOME:
            got.extend(peer.recv(SOME))
        connection.send(("PING",), bool)  # the socket has room now, but others wait
        wanted = b"".join(map(hiredis.pack_command, [*COMMANDS, ("PING",)]))

        def read() -> bytes:
            while len(got) < len(wanted):
                got.extend(peer.recv(SOME))
            return bytes(got)

        self.assertTrue(await deferToThread(read) == wanted, "other bytes")
        connection.drop("the test is over")

    async def test_a_broken_connection_loses_what_was_sent(self) -> None:
        connection, peer, lost = await self.connected()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        peer.close()  # by a reset
        heard: list[Any] = []
        for command in COMMANDS:
            connection.send(command, heard.append)
        while not lost:
            await deferToThread(bool)
        self.assertEqual(len(heard), len(COMMANDS))
        self.assertTrue(all(isinstance(each, LostError) for each in heard))
