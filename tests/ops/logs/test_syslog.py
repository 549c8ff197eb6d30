"""The system's log: read, hanging, restarted, missing."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs.sinks import Syslog


class SyslogTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp()  # trial's own is too long for a socket's path
        self.addCleanup(shutil.rmtree, folder)
        self.path = Path(folder) / "log"
        self.syslog = Syslog("sjgateway", os.fspath(self.path))
        self.addCleanup(self.syslog._close)

    def daemon(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(made.close)
        made.bind(os.fspath(self.path))
        made.setblocking(False)
        return made

    def test_each_line_is_a_message(self) -> None:
        daemon = self.daemon()
        self.syslog.write("[Gateway] 起\n    trace\n".encode())
        head = rf"^<14>\w{{3}} [ \d]\d \d\d:\d\d:\d\d sjgateway\[{os.getpid()}\]: "
        for line in (r"\[Gateway\] 起", "    trace"):
            self.assertRegex(daemon.recv(4096).decode(), f"{head}{line}$")

    def test_one_that_hangs_is_not_waited_for(self) -> None:
        daemon = self.daemon()
        with self.assertRaises(BlockingIOError):
            for _ in range(100_000):
                self.syslog.write(b"line\n")
        while True:
            try:
                daemon.recv(4096)
            except BlockingIOError:
                break
        self.syslog.write(b"again\n")
        self.assertTrue(daemon.recv(4096).endswith(b": again"))

    def test_one_that_was_restarted_is_found_again(self) -> None:
        self.assertRaises(FileNotFoundError, self.syslog.write, b"too soon\n")
        self.daemon().close()
        self.path.unlink()
        daemon = self.daemon()
        self.syslog.write(b"one\n")
        daemon.close()
        self.assertRaises(ConnectionRefusedError, self.syslog.write, b"lost\n")
        self.path.unlink()
        daemon = self.daemon()
        self.syslog.write(b"two\n")
        self.assertTrue(daemon.recv(4096).endswith(b": two"))
