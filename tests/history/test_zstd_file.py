"""Files of zstd frames, and where their ends are cut off."""

import os
import subprocess
import tracemalloc
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.reading import raw_lines
from gateway.history.zstd_file import MAGIC, ForeignFileError, FrameFile, compress, pieces


def lines(first: int, number: int = 100) -> bytes:
    return b"".join(b'{"t":%d,"e":["a"]}\n' % each for each in range(first, first + number))


class FrameTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def written(self, *frames: bytes) -> int:
        """Write frames of their own; returns the size of the file."""
        file = FrameFile(self.path)
        for each in frames:
            file.write(compress(each) if each else b"")
        file.close()
        return self.path.stat().st_size

    def read(self) -> bytes:
        with self.path.open("rb") as stream:
            return b"".join(pieces(stream))

    def test_any_reader_takes_the_file(self) -> None:
        self.written(lines(0), lines(100))
        done = subprocess.run(["zstdcat", self.path], capture_output=True, check=True)
        self.assertEqual(done.stdout, lines(0, 200))
        self.assertEqual(self.read(), lines(0, 200))

    def test_only_the_owner_may_read_it(self) -> None:
        self.written(lines(0))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_it_goes_on_behind_the_last_whole_frame_wherever_it_was_cut(self) -> None:
        whole = self.written(lines(0))
        size = self.written(lines(100))
        data = self.path.read_bytes()
        for cut in (whole, whole + 1, whole + 3, whole + 4, (whole + size) // 2, size - 1):
            self.path.write_bytes(data[:cut])
            self.assertEqual(list(raw_lines(self.path))[:100], lines(0).split(b"\n")[:-1])
            self.written(lines(200))
            self.assertEqual(self.read(), lines(0) + lines(200), cut)

    def test_a_first_frame_that_was_cut_is_written_anew(self) -> None:
        data = compress(lines(0))
        for cut in (1, 3, 4, len(data) - 1):
            self.path.write_bytes(data[:cut])
            self.written(lines(100))
            self.assertEqual(self.read(), lines(100), cut)

    def test_a_small_file_that_holds_very_much_costs_little_memory(self) -> None:
        self.path.write_bytes(compress(bytes(64 << 20)))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        file = FrameFile(self.path)
        self.assertEqual(file.end, self.path.stat().st_size)
        file.close()
        with self.path.open("rb") as stream:
            self.assertEqual(sum(map(len, pieces(stream))), 64 << 20)
        self.assertLess(tracemalloc.get_traced_memory()[1], 8 << 20)

    def test_what_a_power_cut_left_behind_the_last_frame_is_cut_off(self) -> None:
        size = self.written(lines(0))
        for rest in (bytes(5000), MAGIC + bytes(5000), os.urandom(5000), MAGIC * 10):
            with self.path.open("ab") as stream:
                stream.write(rest)
            self.written(b"")
            self.assertEqual(self.path.stat().st_size, size)

    def test_a_last_frame_whose_bytes_are_wrong_is_cut_off(self) -> None:
        whole = self.written(lines(0))
        size = self.written(lines(100))
        data = bytearray(self.path.read_bytes())
        data[(whole + size) // 2] ^= 255
        self.path.write_bytes(data)
        self.written(lines(200))
        self.assertEqual(self.read(), lines(0) + lines(200))

    def test_the_last_frame_is_found_when_it_is_larger_than_the_window(self) -> None:
        large = os.urandom(5 << 20)
        self.written(lines(0), large)
        with self.path.open("ab") as stream:
            stream.write(compress(large)[:-1])
        self.written(lines(100))
        self.assertEqual(self.read(), lines(0) + large + lines(100))

    def test_something_else_is_left_alone(self) -> None:
        for data in (b"a diary", bytes(5000)):
            self.path.write_bytes(data)
            self.assertRaises(ForeignFileError, FrameFile, self.path)
            self.assertEqual(self.path.read_bytes(), data)
        self.path.unlink()
        os.mkfifo(self.path)
        self.assertRaises(OSError, FrameFile, self.path)

    def test_only_one_may_write_it(self) -> None:
        file = FrameFile(self.path)
        self.assertRaises(BlockingIOError, FrameFile, self.path)
        file.close()
        FrameFile(self.path).close()

    def test_a_frame_that_was_cut_by_a_full_disk_leaves_no_half(self) -> None:
        file = FrameFile(self.path)
        file.write(compress(lines(0)))
        end, full = file.end, [1]

        def pwrite(descriptor: int, data: bytes, at: int) -> int:
            if full:
                full.clear()
                return written(descriptor, data[:20], at)
            raise OSError(28, "No space left on device")

        written = os.pwrite
        self.patch(os, "pwrite", pwrite)
        self.assertRaises(OSError, file.write, compress(lines(100)))
        self.assertEqual(self.path.stat().st_size, end)
        self.patch(os, "pwrite", written)
        file.write(compress(lines(200)))
        self.assertEqual(self.read(), lines(0) + lines(200))

    def test_a_frame_that_may_not_be_on_the_disk_is_written_again_and_once(self) -> None:
        file = FrameFile(self.path)

        def fails(descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        synced = os.fdatasync
        self.patch(os, "fdatasync", fails)
        self.assertRaises(OSError, file.write, compress(lines(0)))
        self.patch(os, "fdatasync", synced)
        file.write(compress(lines(0)))
        self.assertEqual(self.read(), lines(0))

    def test_a_file_that_was_removed_or_replaced_is_noticed(self) -> None:
        file = FrameFile(self.path)
        self.assertTrue(file.is_in_place)
        self.path.unlink()
        self.assertFalse(file.is_in_place)
        self.path.touch()
        self.assertFalse(file.is_in_place)

    def test_damage_in_the_middle_is_told_after_the_lines_before_it(self) -> None:
        whole = self.written(lines(0))
        self.written(lines(100))
        self.written(lines(200))
        data = bytearray(self.path.read_bytes())
        data[whole + 20] ^= 255
        self.path.write_bytes(data)
        found = raw_lines(self.path)
        self.assertEqual([next(found) for _ in range(100)], lines(0).split(b"\n")[:-1])
        self.assertRaises(ValueError, list, found)

    def test_a_line_may_come_in_many_pieces(self) -> None:
        text = b"x" * (3 << 20)
        self.written(b"a\n" + text[:100], text[100:], b"\nb\n", b"c")
        self.assertEqual(list(raw_lines(self.path)), [b"a", text, b"b"])
