"""A log file that others rename, delete and truncate."""

import errno
import os
import resource
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs.sinks import Descriptor, LogFile, LogOutput, log_file
from gateway.options import Settings
from tests.descriptors import links


class LogFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "log"

    def test_after_it_was_renamed_lines_go_to_a_new_one(self) -> None:
        file = LogFile(self.path)
        file.write(b"one\n")
        self.path.rename(self.folder / "old")
        file.write(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"two\n")
        self.assertEqual((self.folder / "old").read_bytes(), b"one\n")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_after_it_was_deleted_too(self) -> None:
        file = LogFile(self.path)
        self.path.unlink()
        file.write(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"two\n")

    def test_after_it_was_replaced_lines_are_appended_to_the_other_one(self) -> None:
        file = LogFile(self.path)
        (self.folder / "other").write_bytes(b"theirs\n")
        (self.folder / "other").rename(self.path)
        file.write(b"ours\n")
        self.assertEqual(self.path.read_bytes(), b"theirs\nours\n")

    def test_after_it_was_truncated_there_is_no_hole(self) -> None:
        file = LogFile(self.path, size=100)
        file.write(b"x" * 60)
        os.truncate(self.path, 0)
        file.write(b"y" * 60)
        self.assertEqual(self.path.read_bytes(), b"y" * 60)
        self.assertFalse((self.folder / "log.1").exists(), "it is short again")

    def test_two_writers_lose_nothing(self) -> None:
        files = [LogFile(self.path), LogFile(self.path)]
        for number in range(10):
            files[number % 2].write(b"%d" % number)
        self.assertEqual(self.path.read_bytes(), b"0123456789")

    def test_where_no_new_one_can_be_made_the_old_one_goes_on(self) -> None:
        file = LogFile(self.path)
        moved = self.folder.with_name(self.folder.name + "-moved")
        self.folder.rename(moved)
        file.write(b"one\n")
        file.reload()
        file.write(b"two\n")
        self.assertEqual((moved / "log").read_bytes(), b"one\ntwo\n")

    def test_a_line_longer_than_the_size_is_written_whole(self) -> None:
        file = LogFile(self.path, size=10, keep=1)
        for character in b"ab":
            file.write(bytes([character]) * 30)
        self.assertEqual(self.path.read_bytes(), b"b" * 30)
        self.assertEqual((self.folder / "log.1").read_bytes(), b"a" * 30)

    def test_what_there_is_no_room_for_leaves_no_half_line(self) -> None:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        file = LogFile(self.path)
        file.write(b"one\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (7, limits[1]))
        try:
            self.assertRaises(OSError, file.write, b"another\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        file.write(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")

    def test_a_pipe_in_its_place_that_nobody_reads_is_not_waited_for(self) -> None:
        file = LogFile(self.path)
        self.path.rename(self.folder / "old")
        os.mkfifo(self.path)
        file.write(b"one\n")
        self.assertEqual((self.folder / "old").read_bytes(), b"one\n")

    def test_descriptors_do_not_pile_up(self) -> None:
        file = LogFile(self.path, size=10, keep=2)
        before = links(str(self.folder.resolve()))
        for _ in range(50):
            file.write(b"x" * 8)
            self.path.unlink()
            file.reload()
        self.assertEqual(len(links(str(self.folder.resolve()))), len(before))


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


class MakeLogFileTests(SynchronousTestCase):
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
