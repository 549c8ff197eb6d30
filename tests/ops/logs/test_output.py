import errno
import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs.sinks import Descriptor, LogOutput, log_file
from gateway.options import Settings


class Disk:
    """A file on a disk that can be full."""

    def __init__(self) -> None:
        self.full = False
        self.written = b""

    def write(self, data: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written += data


class OutputTests(SynchronousTestCase):
    def test_lines_are_written_as_utf8(self) -> None:
        disk = Disk()
        LogOutput(disk).write("台積電\n")
        self.assertEqual(disk.written, "台積電\n".encode())

    def test_what_a_full_disk_lost_is_said_afterwards(self) -> None:
        disk = Disk()
        output = LogOutput(disk)
        disk.full = True
        output.write("one\n")
        output.write("two\n")
        disk.full = False
        output.write("three\n")
        output.write("four\n")
        self.assertEqual(disk.written, b"[Gateway] 2 log lines could not be written\nthree\nfour\n")

    def test_a_closed_pipe_does_no_harm(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        LogOutput(Descriptor(writer)).write("nobody reads\n")

    def test_a_file_that_was_closed_does_no_harm(self) -> None:
        file = Path(self.mktemp()).open("wb")  # noqa: SIM115  # closed on the next line
        file.close()
        LogOutput(file).write("nobody reads\n")


class LogFileTests(SynchronousTestCase):
    def test_only_the_owner_reads_it(self) -> None:
        path = Path(self.mktemp())
        log_file(path, Settings()).write(b"a line\n")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_it_is_rotated_and_old_ones_go(self) -> None:
        path = Path(self.mktemp())
        file = log_file(path, Settings(log_size=10, log_keep=2))
        for number in range(6):
            file.write(b"line %d...\n" % number)
        found = {each.name: each.read_bytes() for each in path.parent.glob(path.name + "*")}
        self.assertEqual(
            found,
            {
                path.name: b"line 5...\n",
                f"{path.name}.1": b"line 4...\n",
                f"{path.name}.2": b"line 3...\n",
            },
        )

    def test_a_folder_that_is_not_there_is_an_error(self) -> None:
        self.assertRaises(OSError, log_file, Path("/nowhere/at/all"), Settings())
