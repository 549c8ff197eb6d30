"""The thread that writes, over real pipes."""

import contextlib
import os
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.cli import line_writer
from gateway.cli.line_writer import LineWriter
from tests.patience import PATIENCE

LINE = b"x" * 999 + b"\n"


class OutputTests(SynchronousTestCase):
    most = 1 << 20

    def setUp(self) -> None:
        self.out, self.err = (self.pipe() for _ in range(2))
        self.patch(line_writer, "OUT", self.out[1])
        self.patch(line_writer, "ERR", self.err[1])
        self.ends: list[OSError | None] = []
        self.over = threading.Event()
        self.output = LineWriter(self.ended, most=self.most)

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self.close, end)
        return ends

    def close(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):  # the test did it
            os.close(descriptor)

    def ended(self, error: OSError | None) -> None:
        self.ends.append(error)
        self.over.set()

    def finish(self) -> tuple[bytes, bytes]:
        """All that was written to stdout and stderr."""
        self.output.close(PATIENCE)
        found = []
        for read, write in (self.out, self.err):
            os.close(write)
            with os.fdopen(os.dup(read), "rb") as stream:
                found.append(stream.read())
        return found[0], found[1]

    def test_lines_are_written_in_order_and_what_is_said_beside_them(self) -> None:
        self.output.start()
        self.output.write(b"1\n")
        self.output.tell("lost")
        self.output.write(b"2\n")
        self.assertEqual(self.finish(), (b"1\n2\n", b"sjgateway: lost\n"))

    def test_a_line_comes_at_once(self) -> None:
        self.output.start()
        self.output.write(b"1\n")
        self.assertEqual(os.read(self.out[0], 100), b"1\n")
        self.finish()

    def test_who_reads_slowly_is_told_what_is_left_out(self) -> None:
        fits = self.most // len(LINE)
        for _ in range(fits + 7):  # nothing takes them yet
            self.output.write(LINE)
        self.output.start()
        taken = 0
        while taken < fits * len(LINE):
            taken += len(os.read(self.out[0], 1 << 16))
        self.assertIn(b"7 events are left out", os.read(self.err[0], 1000))
        self.output.write(b"later\n")
        self.assertEqual(self.finish(), (b"later\n", b""))

    def test_a_reader_that_goes_ends_it(self) -> None:
        os.close(self.out[0])
        self.output.start()
        self.output.write(b"1\n")
        self.assertTrue(self.over.wait(PATIENCE))
        self.assertEqual(self.ends, [None])

    def test_a_reader_that_goes_while_nothing_comes_ends_it(self) -> None:
        self.patch(line_writer, "LOOK", 0.01)
        self.output.start()
        os.close(self.out[0])
        self.assertTrue(self.over.wait(PATIENCE))
        self.assertEqual(self.ends, [None])

    def test_a_full_disk_is_told(self) -> None:
        with Path("/dev/full").open("wb") as full:
            self.patch(line_writer, "OUT", full.fileno())
            self.output.start()
            self.output.write(b"1\n")
            self.assertTrue(self.over.wait(PATIENCE))
        (error,) = self.ends
        assert error is not None
        self.assertEqual(error.strerror, "No space left on device")

    def test_a_pipe_that_does_not_block_is_waited_for(self) -> None:
        os.set_blocking(self.out[1], False)
        self.output.start()
        for _ in range(200):
            self.output.write(LINE)
        taken = 0
        while taken < 200 * len(LINE):
            taken += len(os.read(self.out[0], 1 << 16))
        self.assertEqual(self.ends, [])
        self.finish()

    def test_an_end_does_not_wait_for_a_reader_that_sleeps(self) -> None:
        for _ in range(200):
            self.output.write(LINE)
        self.output.start()
        self.output.close(0.01)
        self.assertTrue(self.output._thread.daemon)
        os.close(self.out[0])
        self.assertTrue(self.over.wait(PATIENCE))
