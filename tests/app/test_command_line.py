import io
import math
import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway import __version__
from gateway.app.command_line import Options
from gateway.options import Settings, grouped, options
from gateway.replay.wishes import Place


class OptionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(os, "environ", {})

    def parse(self, *arguments: str) -> Settings:
        options = Options()
        options.parseOptions(list(arguments))
        return options.settings

    def refused(self, *arguments: str) -> str:
        """The one line that is printed."""
        line = str(self.assertRaises(SystemExit, self.parse, *arguments).code)
        self.assertEqual(line.splitlines(), [line])
        return line

    def test_a_working_folder_that_was_deleted_is_named(self) -> None:
        def gone() -> str:
            raise FileNotFoundError(2, "No such file or directory")

        self.patch(os, "getcwd", gone)
        self.patch(os, "environ", {"PWD": "/srv/gone"})
        self.assertIn("/srv/gone was deleted", self.refused())

    def test_nothing_given(self) -> None:
        self.assertEqual(self.parse(), Settings())

    def test_values_flags_and_repetition(self) -> None:
        settings = self.parse(
            "--port", "1", "--demo", "--listen", "tcp:1", "--listen=unix:/tmp/a", "--port=0",
            "--allowed-hosts", "a,b",
        )  # fmt: skip
        self.assertEqual(settings.port, 0)
        self.assertTrue(settings.demo)
        self.assertEqual(settings.listen, ("tcp:1", "unix:/tmp/a"))
        self.assertEqual(settings.allowed_hosts, ("a", "b"))

    def test_a_shell_may_give_several_recordings_at_once(self) -> None:
        for files in (("--replay", "a", "b", "c"), ("--replay=a", "b", "--replay", "c")):
            settings = self.parse("--speed=max", *files, "--loop", "--from", "09:00")
            self.assertEqual(settings.replay, (Path("a"), Path("b"), Path("c")))
            self.assertEqual((settings.speed, settings.loop), (math.inf, True))
            self.assertEqual(settings.from_, Place.read("09:00"))
        self.patch(os, "environ", {"SJGATEWAY_REPLAY": "a;b", "SJGATEWAY_FROM": "10:00"})
        settings = self.parse()
        self.assertEqual(settings.replay, (Path("a"), Path("b")))
        self.assertEqual(settings.from_, Place.read("10:00"))

    def test_the_environment_is_read(self) -> None:
        self.patch(os, "environ", {"PORT": "1234", "SJGATEWAY_ECHO": "yes"})
        settings = self.parse()
        self.assertEqual((settings.port, settings.echo), (1234, True))

    def test_a_bad_value_is_one_line(self) -> None:
        self.assertEqual(
            self.refused("--port", "http"),
            "sjgateway: --port: 'http' is not a port from 0 to 65535",
        )
        self.patch(os, "environ", {"PORT": "-1"})
        self.assertEqual(self.refused(), "sjgateway: PORT: '-1' is not a port from 0 to 65535")

    def test_an_unknown_option_or_a_stray_word_is_one_line(self) -> None:
        self.assertIn("--nonsense", self.refused("--nonsense"))
        for words in (("stray",), ("--demo", "b"), ("--replay", "a", "--loop", "b")):
            self.assertIn("arguments", self.refused(*words))
        self.assertIn("--port", self.refused("--port"))

    def test_help_names_every_option_and_its_variable(self) -> None:
        text = str(Options())
        for option in options():
            self.assertEqual(f"--{option.name}=" in text, not (option.secret or option.flag))
            self.assertIn(option.variables[0], text)

    def test_help_is_in_groups(self) -> None:
        lines = str(Options()).splitlines()
        for group, members in grouped():
            there = lines.index(f"{group.title}:")
            for option in members:
                name = option.variables[0] if option.secret else f"--{option.name}"
                there = next(
                    number
                    for number, line in enumerate(lines)
                    if number > there and line.strip().removesuffix("=") == name
                )
        self.assertLess(there, lines.index("Instead of a start:"))
        self.assertLess(lines.index("Instead of a start:"), lines.index("  --check"))

    def test_help_fits_the_terminal(self) -> None:
        for width in (60, 100):
            for line in Options().getUsage(width).splitlines():
                self.assertTrue(len(line) <= width or " " not in line.strip(), line)

    def test_version(self) -> None:
        stdout = io.StringIO()
        self.patch(sys, "stdout", stdout)
        code = self.assertRaises(SystemExit, self.parse, "--version").code
        self.assertEqual(code, 0)
        self.assertEqual(stdout.getvalue(), f"sjgateway {__version__}\n")
