"""Log lines to a reader that stops reading."""

import os
import pty
import socket
import termios
import tty
from collections.abc import Callable
from functools import partial

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.logs import stream
from gateway.ops.logs.sinks import LogOutput, descriptor_file
from gateway.ops.logs.stream import LIMIT, LogStream
from gateway.system.linux import Linux
from gateway.system.portable import Portable

LINE = "a line of the log that is not short\n"


class Reactor(Clock):
    """Knows who wants to write; the test says when there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[object] = set()
        self.addWriter = self.writers.add
        self.removeWriter = self.writers.discard

    def callFromThread(self, function: Callable[[], object]) -> None:
        function()

    def room(self) -> None:
        for writer in list(self.writers):
            writer.doWrite()


class Ends(SynchronousTestCase):
    """Two ends of what the log goes to; the tests of each kind follow below."""

    system = Linux()

    def ends(self) -> tuple[int, int]:
        reader, writer = os.pipe()
        return reader, writer

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.reader, self.writer = self.ends()
        self.addCleanup(os.close, self.reader)
        self.addCleanup(os.close, self.writer)
        os.set_blocking(self.reader, False)
        made = partial(LogStream, reactor=self.reactor, again=self.system.opened_again)
        file = descriptor_file(self.writer, made)
        self.assertIsInstance(file, LogStream)
        self.output = LogOutput(file)

    def read(self) -> str:
        text = b""
        try:
            while data := os.read(self.reader, 1 << 20):
                text += data
        except BlockingIOError:
            pass
        return text.decode()

    def read_all(self) -> str:
        """Let it flow until nothing waits."""
        text = self.read()
        while self.reactor.writers:
            self.reactor.room()
            text += self.read()
        return text

    def test_lines_are_written_at_once_while_somebody_reads(self) -> None:
        self.output.write(LINE)
        self.assertEqual(self.read(), LINE)
        self.assertEqual(self.reactor.writers, set())

    def test_what_waits_comes_in_order_and_nothing_is_lost(self) -> None:
        lines = [f"{number} {LINE}" for number in range(LIMIT // 2 // len(LINE))]
        for line in lines:
            self.output.write(line)
        self.assertEqual(self.read_all(), "".join(lines))

    def test_what_is_too_much_is_counted_and_said_when_it_flows_again(self) -> None:
        count = 2 * LIMIT // len(LINE) + 20_000
        for _ in range(count):
            self.output.write(LINE)
        text = self.read_all()
        kept = text.count(LINE)
        self.assertLess(kept, count)
        self.assertTrue(
            text.endswith(f"[Gateway] {count - kept} log lines could not be written\n"), text[-90:]
        )
        self.output.write(LINE)
        self.assertEqual(self.read(), LINE)

    def test_the_open_file_of_others_is_not_changed(self) -> None:
        self.output.write(LINE)
        self.assertTrue(os.get_blocking(self.writer), "the shell's, too")

    def test_at_the_end_what_waits_is_read_before_it_is_over(self) -> None:
        self.patch(stream, "FINISH_TIMEOUT", 0.2)
        for _ in range(LIMIT // 2 // len(LINE)):
            self.output.write(LINE)
        self.output.finish()  # nobody reads: it does not wait for ever
        self.output.write("not this\n")
        self.assertLess(len(self.read()), LIMIT // 2)


class PipeTests(Ends):
    def test_a_reader_that_is_gone_is_no_error(self) -> None:
        for _ in range(LIMIT // 2 // len(LINE)):
            self.output.write(LINE)
        os.close(self.reader)
        self.reactor.room()
        self.assertEqual(self.reactor.writers, set())
        self.output.write(LINE)
        self.reader, spare = os.pipe()
        os.close(spare)

    def test_at_the_end_a_slow_reader_gets_everything(self) -> None:
        lines = LIMIT // 2 // len(LINE)
        for _ in range(lines):
            self.output.write(LINE)
        text: list[str] = []
        real = stream.select.poll

        def poll() -> object:
            text.append(self.read())  # while we wait it reads on
            return real()

        self.patch(stream.select, "poll", poll)
        self.output.finish()
        self.output.write("the last one\n")
        self.assertEqual("".join((*text, self.read())), LINE * lines + "the last one\n")


class SocketTests(Ends):
    """As under systemd."""

    def ends(self) -> tuple[int, int]:
        ours, theirs = socket.socketpair()
        return theirs.detach(), ours.detach()


class TerminalTests(Ends):
    def ends(self) -> tuple[int, int]:
        reader, writer = pty.openpty()
        tty.setraw(writer)
        return reader, writer

    def test_a_paused_terminal(self) -> None:
        termios.tcflow(self.writer, termios.TCOOFF)  # Ctrl-S
        for _ in range(100):
            self.output.write(LINE)
        self.assertEqual(self.read(), "")
        termios.tcflow(self.writer, termios.TCOON)
        self.assertEqual(self.read_all(), LINE * 100)


class FallbackTests(Ends):
    """Where a pipe can't be opened once more."""

    system = Portable()


del Ends
