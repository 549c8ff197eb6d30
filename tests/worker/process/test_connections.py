"""Recognising a process by its connection."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock, patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.system import portable, proc, sock_diag
from gateway.system.ends import Ends
from gateway.system.linux import Linux
from gateway.system.portable import Portable
from gateway.worker.process.connections import Connections
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from gateway.system.system import System

CLIENT = """
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)
"""
GRANDPARENT = '"$0" -c "$1" "$2" "$3"; :'  # what follows keeps the shell from exec


class World(SynchronousTestCase):
    """Connections of this machine; the tests of each system follow below."""

    system: System = Linux()

    def connections(self, root: Any) -> Connections:
        return Connections(root, self.system)

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
        self.assertEqual(self.connections(lambda: root).owned([ends]), {ends})
        self.assertEqual(self.connections(lambda: root).ports(), {ends.theirs[1]})
        self.assertIsNone(self.connections(lambda: None).owned([ends]))

    def test_recognises_a_grandchild_of_the_root(self) -> None:
        self.grandchild_is_recognised("127.0.0.1")

    def test_recognises_it_over_ipv6(self) -> None:
        self.grandchild_is_recognised("::1")

    def test_another_process_is_a_stranger(self) -> None:
        listener = self.listen("127.0.0.1")
        stranger = socket.create_connection(listener.getsockname())
        self.addCleanup(stranger.close)
        ends = self.accept(listener)
        root = self.child(listener)
        self.accept(listener)
        self.assertEqual(self.connections(lambda: root).owned([ends]), set())
        self.assertEqual(self.connections(os.getpid).owned([ends]), {ends})

    def test_a_peer_from_elsewhere_is_a_stranger(self) -> None:
        ends = Ends(("192.0.2.1", 3001), ("192.0.2.2", 50000))
        self.assertEqual(self.connections(os.getpid).owned([ends]), set())

    def test_a_connection_that_is_gone_is_a_stranger(self) -> None:
        ends = Ends(("127.0.0.1", 1), ("127.0.0.1", 2))
        self.assertEqual(self.connections(os.getpid).owned([ends]), set())

    def one_reading_answers_for_all(self, module: Any, name: str) -> None:
        listener = self.listen("127.0.0.1")
        root = self.child(listener)
        worker = self.accept(listener)
        strangers = []
        for _ in range(5):
            stranger = socket.create_connection(listener.getsockname())
            self.addCleanup(stranger.close)
            strangers.append(self.accept(listener))
        with patch.object(module, name, side_effect=getattr(module, name)) as trees:
            owned = self.connections(lambda: root).owned([*strangers, worker])
        self.assertEqual(owned, {worker})
        outermost = [call for call in trees.call_args_list if call.args == (root,)]
        self.assertEqual(len(outermost), 1)


class PortableTests(World):
    """By psutil."""

    system = Portable()

    def test_one_reading_of_the_tree_answers_for_all(self) -> None:
        self.one_reading_answers_for_all(portable, "_tree")


class LinuxTests(World):
    """By sock_diag and /proc."""

    def test_nobody_is_a_stranger_because_nothing_can_be_opened(self) -> None:
        listener = self.listen("127.0.0.1")
        root = self.child(listener)
        ends = self.accept(listener)
        ask = self.connections(lambda: root).owned
        for name in (f"/proc/{root}/task", f"/proc/{root}/fd", f"{root}/children"):

            def full(path: str, *args: Any, name: str = name, **more: Any) -> int:
                if path == name:
                    raise OSError(errno.EMFILE, "Too many open files")
                return os.open(path, *args, **more)

            with patch.object(proc, "os", Mock(wraps=os, open=full, O_RDONLY=os.O_RDONLY)):
                self.assertRaises(OSError, ask, [ends])
        self.assertEqual(ask([ends]), {ends})

    def test_recognises_it_without_sock_diag(self) -> None:
        with patch.object(sock_diag, "NETLINK_SOCK_DIAG", 99):
            self.grandchild_is_recognised("127.0.0.1")

    def test_one_reading_of_the_tree_answers_for_all(self) -> None:
        for number in (sock_diag.NETLINK_SOCK_DIAG, 99):
            with patch.object(sock_diag, "NETLINK_SOCK_DIAG", number):
                self.one_reading_answers_for_all(proc, "tree")


del World
