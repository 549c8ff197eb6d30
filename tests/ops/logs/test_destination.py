import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs.destination import destination
from gateway.ops.logs.sinks import Syslog
from gateway.options import Settings

TWISTD = {"logfile": None, "nodaemon": True, "syslog": False, "prefix": "twisted"}


class DestinationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()

    def test_our_own_option_counts_first(self) -> None:
        other = Path(self.mktemp())
        settings = Settings(log_file=self.path)
        destination(settings, TWISTD | {"logfile": str(other)}).write(b"here\n")
        self.assertEqual(self.path.read_bytes(), b"here\n")
        self.assertFalse(other.exists())

    def test_twistd_names_a_file(self) -> None:
        destination(Settings(), TWISTD | {"logfile": str(self.path)}).write(b"here\n")
        self.assertEqual(self.path.read_bytes(), b"here\n")

    def test_a_daemon_logs_to_the_file_twistd_would_use(self) -> None:
        self.path.mkdir()
        here = Path.cwd()
        os.chdir(self.path)
        self.addCleanup(os.chdir, here)
        destination(Settings(), TWISTD | {"nodaemon": False}).write(b"here\n")
        self.assertEqual((self.path / "twistd.log").read_bytes(), b"here\n")

    def test_a_daemon_has_no_stdout(self) -> None:
        options = TWISTD | {"nodaemon": False, "logfile": "-"}
        self.assertRaisesRegex(ValueError, "--logfile", destination, Settings(), options)

    def test_the_foreground_logs_to_stdout(self) -> None:
        with self.path.open("w") as stdout:
            self.patch(sys, "stdout", stdout)
            destination(Settings(), TWISTD).write(b"here\n")
        self.assertEqual(self.path.read_bytes(), b"here\n")

    def test_a_stdout_that_was_closed_at_the_start(self) -> None:
        self.patch(sys, "stdout", None)
        destination(Settings(), TWISTD).write(b"nowhere\n")

    def test_twist_brings_its_stream(self) -> None:
        with self.path.open("w") as stream:
            destination(Settings(), {"logFile": stream}).write(b"here\n")
        self.assertEqual(self.path.read_bytes(), b"here\n")

    def test_the_systems_log(self) -> None:
        file = destination(Settings(), TWISTD | {"syslog": True})
        self.assertIsInstance(file, Syslog)
