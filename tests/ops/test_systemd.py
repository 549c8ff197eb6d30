"""What systemd hears on its socket; the clock is the test's."""

import os
import socket
import time
from pathlib import Path
from tempfile import mkdtemp

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.systemd import Notifier


class NotifyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.addCleanup(self.receiver.close)

    def listen(self, address: str) -> dict[str, str]:
        """The environment in which `address` is told."""
        self.receiver.bind(address)
        return {"NOTIFY_SOCKET": address.replace("\0", "@")}

    def in_folder(self) -> dict[str, str]:
        folder = Path(mkdtemp())  # trial's own would be too long a path for a socket
        self.addCleanup(folder.rmdir)
        self.addCleanup((folder / "notify").unlink)
        return self.listen(str(folder / "notify"))

    def heard(self) -> list[str]:
        """What was said since the last look."""
        said = []
        while True:
            try:
                said.append(self.receiver.recv(4096).decode())
            except BlockingIOError:
                return said

    def test_ready_and_stopping_are_said(self) -> None:
        notifier = Notifier(self.in_folder(), self.clock)
        notifier.startService()
        self.assertEqual(self.heard(), ["READY=1"])
        self.clock.advance(3600)
        self.assertEqual(self.heard(), [], "no watchdog was asked for")
        notifier.stopService()
        self.assertEqual(self.heard(), ["STOPPING=1"])

    def test_a_hand_over_is_said_with_its_time(self) -> None:
        notifier = Notifier(self.in_folder(), self.clock)
        before = time.monotonic()
        notifier.reloading()
        (said,) = self.heard()
        word, _, at = said.partition("\nMONOTONIC_USEC=")
        self.assertEqual(word, "RELOADING=1")
        self.assertTrue(before <= int(at) / 1e6 + 1e-6 and int(at) / 1e6 <= time.monotonic())
        notifier.ready()
        self.assertEqual(self.heard(), ["READY=1"])

    def test_an_abstract_socket(self) -> None:
        Notifier(self.listen(f"\0sjgateway-test-{os.getpid()}"), self.clock).startService()
        self.assertEqual(self.heard(), ["READY=1"])

    def test_the_watchdog_hears_from_us_twice_a_period_until_the_end(self) -> None:
        environ = {**self.in_folder(), "WATCHDOG_USEC": "30000000"}
        notifier = Notifier(environ, self.clock)
        notifier.startService()
        self.assertEqual(self.heard(), ["READY=1", "WATCHDOG=1"])
        self.clock.advance(14.9)
        self.assertEqual(self.heard(), [])
        self.clock.advance(0.2)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])
        notifier.stopService()
        self.clock.advance(60)
        self.assertEqual(self.heard(), ["STOPPING=1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_watchdog_of_another_process_is_not_ours(self) -> None:
        usec = {"WATCHDOG_USEC": "1000000"}
        environ = self.in_folder()
        Notifier({**environ, **usec, "WATCHDOG_PID": "1"}, self.clock).startService()
        self.assertEqual(self.heard(), ["READY=1"])
        ours = Notifier({**environ, **usec, "WATCHDOG_PID": str(os.getpid())}, self.clock)
        ours.startService()
        self.assertEqual(self.heard(), ["READY=1", "WATCHDOG=1"])

    def test_nobody_who_listens_is_no_error(self) -> None:
        for environ in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/at/all"}):
            notifier = Notifier({**environ, "WATCHDOG_USEC": "nonsense"}, self.clock)
            notifier.startService()
            notifier.stopService()
            self.assertEqual(self.clock.getDelayedCalls(), [])
