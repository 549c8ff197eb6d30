"""The program that a gateway runs for `--replay`."""

import io
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.recorded_lines import head_line, line
from gateway.history.zstd_file import compress
from gateway.replay import __main__ as program
from gateway.replay.player import Player

ROOT = Path(__file__).parents[2]


class ProgramTests(SynchronousTestCase):
    def setUp(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.out, self.err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.path = Path(self.mktemp())
        self.path.write_bytes(compress(head_line(1, "1") + line(1, b'["a",{}]')))

    def test_it_plays_until_a_signal_comes(self) -> None:
        played: list[Any] = []

        def run(player: Player) -> None:
            played.append((player._settings, player._address))
            signal.raise_signal(signal.SIGTERM)

        self.patch(Player, "run", run)
        options = ("--speed", "max", "--from", "09:00:00", "--loop", "--moved")
        status = program.main([*options, "--", str(self.path)], {"GATEWAY_URL": "http://g:1"})
        self.assertEqual(status, 0)
        ((settings, address),) = played
        self.assertEqual(address, "http://g:1")
        self.assertEqual(
            (settings.speed, settings.loop, settings.moved), (float("inf"), True, True)
        )
        self.assertIn("REPLAY", self.out.getvalue())

    def test_what_can_not_be_played_is_one_line(self) -> None:
        self.path.write_bytes(compress(head_line(1, "1")))
        self.assertEqual(program.main([str(self.path)], {}), 1)
        self.assertIn("there is no event in", self.err.getvalue())

    def test_options_that_make_no_sense_are_told(self) -> None:
        for options in (("--speed", "fast"), ("--from", "noon")):
            arguments = [*options, str(self.path)]
            self.assertRaises(SystemExit, program.main, arguments, {})
        self.assertIn("write a number from 0 to 10000, or max", self.err.getvalue())

    def test_it_loads_no_twisted(self) -> None:
        loaded = "[name for name in sys.modules if 'twisted' in name]"
        script = f"import sys, gateway.replay.__main__; print({loaded})"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout, "[]\n")
