"""Recognising a process by its connection."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from typing import Any
from unittest.mock import Mock, patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process import connections
from gateway.worker.process.connections import Connections, Ends
from tests.patience import PATIENCE

CLIENT = """
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)
"""
GRANDPARENT = '"$0" -c "$1" "$2" "$3"; :'  # what follows keeps the shell from exec


class ConnectionsTests(SynchronousTestCase):
    def listen(self, host: str) -> socket.socket:
        listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self.addCleanup(listener.close)
        return listener

    def accept(self, listener: socket.socket) -> Ends:
        listener.settimeout(PATIENCE)
        ours, _ = listener.accept()
        self.addCleanup(ours.close)
        return Ends(ours.getsockname()[:2], ours.getpeername()[:2])

    def child(self, listener: socket.socket) -> int:
        host, port = listener.getsockname()[:2]
        process = subprocess.Popen(
            ["sh", "-c", GRANDPARENT, sys.executable, CLIENT, host, str(port)]
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.pid

    def grandchild_is_recognised(self, host: str) -> None:
        listener = self.listen(host)
        root = self.child(listener)
        ends = self.accept(listener)
        self.assertEqual(Connections(lambda: root).owned([ends]), {ends})
        self.assertIsNone(Connections(lambda: None).owned([ends]))

    def test_recognises_a_grandchild_of_the_root(self) -> None:
        self.grandchild_is_recognised("127.0.0.1")

    def test_nobody_is_a_stranger_because_nothing_can_be_opened(self) -> None:
        listener = self.listen("127.0.0.1")
        root = self.child(listener)
        ends = self.accept(listener)
        ask = Connections(lambda: root).owned
        for name in (f"/proc/{root}/task", f"/proc/{root}/fd", f"{root}/children"):

            def full(path: str, *args: Any, name: str = name, **more: Any) -> int:
                if path == name:
                    raise OSError(errno.EMFILE, "Too many open files")
                return os.open(path, *args, **more)

            with patch.object(connections, "os", Mock(wraps=os, open=full, O_RDONLY=os.O_RDONLY)):
                self.assertRaises(OSError, ask, [ends])
        self.assertEqual(ask([ends]), {ends})

    def test_recognises_it_over_ipv6(self) -> None:
        self.grandchild_is_recognised("::1")

    def test_recognises_it_without_sock_diag(self) -> None:
        with patch.object(connections, "NETLINK_SOCK_DIAG", 99):
            self.grandchild_is_recognised("127.0.0.1")

    def test_another_process_is_a_stranger(self) -> None:
        listener = self.listen("127.0.0.1")
        stranger = socket.create_connection(listener.getsockname())
        self.addCleanup(stranger.close)
        ends = self.accept(listener)
        root = self.child(listener)
        self.accept(listener)
        self.assertEqual(Connections(lambda: root).owned([ends]), set())
        self.assertEqual(Connections(os.getpid).owned([ends]), {ends})

    def test_a_peer_from_elsewhere_is_a_stranger(self) -> None:
        ends = Ends(("192.0.2.1", 3001), ("192.0.2.2", 50000))
        self.assertEqual(Connections(os.getpid).owned([ends]), set())

    def test_a_connection_that_is_gone_is_a_stranger(self) -> None:
        ends = Ends(("127.0.0.1", 1), ("127.0.0.1", 2))
        self.assertEqual(Connections(os.getpid).owned([ends]), set())

    def test_one_reading_of_the_tree_answers_for_all(self) -> None:
        listener = self.listen("127.0.0.1")
        root = self.child(listener)
        worker = self.accept(listener)
        strangers = []
        for _ in range(5):
            stranger = socket.create_connection(listener.getsockname())
            self.addCleanup(stranger.close)
            strangers.append(self.accept(listener))
        for number in (connections.NETLINK_SOCK_DIAG, 99):
            with (
                patch.object(connections, "NETLINK_SOCK_DIAG", number),
                patch.object(connections, "_tree", side_effect=connections._tree) as trees,
            ):
                owned = Connections(lambda: root).owned([*strangers, worker])
            self.assertEqual(owned, {worker})
            outermost = [call for call in trees.call_args_list if call.args == (root,)]
            self.assertEqual(len(outermost), 1)
