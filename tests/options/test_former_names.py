"""An option that got another name: the one of the release before works, and is told of."""

import io
import os
import sys
from importlib import import_module

from attrs import evolve, fields, frozen
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.command_line import Options, _teach
from gateway.ops.doctor import check_environment
from gateway.ops.doctor import host as doctor_of_the_host
from gateway.options import Option, Settings, load, options
from gateway.options.option import declared, flag, renamed


class Renamed(Options):
    """Knows an option by two names."""


class FormerNameTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.table = [
            evolve(each, formerly="listen-port") if each.name == "port" else each
            for each in options()
        ]
        for module in (import_module("gateway.options.load"), doctor_of_the_host):
            self.patch(module, "options", lambda: self.table)
        self.said: list[str] = []

    def load(self, given: dict[str, list[str]], environ: dict[str, str]) -> Settings:
        return load(given, environ, self.said.append)

    @property
    def port(self) -> Option:
        return next(each for each in self.table if each.name == "port")

    def test_it_works_as_an_option_and_as_a_variable_and_says_what_to_use(self) -> None:
        self.assertEqual(self.load({"listen-port": ["1"]}, {}).port, 1)
        self.assertEqual(self.load({}, {"SJGATEWAY_LISTEN_PORT": "2"}).port, 2)
        self.assertEqual(
            self.said,
            [
                "--listen-port goes away with the next release: use --port",
                "SJGATEWAY_LISTEN_PORT goes away with the next release: use SJGATEWAY_PORT",
            ],
        )

    def test_the_name_of_now_wins_and_nothing_is_said(self) -> None:
        self.assertEqual(self.load({"port": ["1"], "listen-port": ["2"]}, {}).port, 1)
        environ = {"SJGATEWAY_PORT": "3", "SJGATEWAY_LISTEN_PORT": "4"}
        self.assertEqual(self.load({}, environ).port, 3)
        self.assertEqual(self.load({}, {"SJGATEWAY_LISTEN_PORT": ""}).port, Settings().port)
        self.assertEqual(self.said, [])

    def test_an_error_names_what_was_typed(self) -> None:
        error = self.assertRaises(ValueError, self.load, {"listen-port": ["x"]}, {})
        self.assertIn("--listen-port: 'x'", str(error))

    def test_any_kind_of_option_may_have_one(self) -> None:
        @frozen
        class Table:
            quiet: bool = renamed("silent", flag("Say nothing."))

        made = declared(fields(Table).quiet)
        self.assertEqual((made.formerly, made.former_variable), ("silent", "SJGATEWAY_SILENT"))
        self.assertTrue(made.flag)

    def test_the_command_line_takes_it_and_tells_on_stderr(self) -> None:
        _teach(Renamed, self.port)
        self.patch(os, "environ", {})
        self.patch(sys, "stderr", io.StringIO())
        typed = Renamed()
        typed.parseOptions(["--listen-port", "5"])
        self.assertEqual(typed.settings.port, 5)
        line = "sjgateway: --listen-port goes away with the next release: use --port\n"
        self.assertEqual(sys.stderr.getvalue(), line)

    def test_the_check_knows_its_variable(self) -> None:
        found = list(check_environment({"SJGATEWAY_LISTEN_PORT": "2"}))
        self.assertEqual([each.level.name for each in found], ["OK"])
