from pathlib import Path

from attrs import fields
from twisted.trial.unittest import SynchronousTestCase

from gateway.options import Settings, load, options
from gateway.options.option import (
    boolean,
    choice,
    lines,
    number,
    path,
    seconds,
    size,
    url_path,
    words,
)


class ConverterTests(SynchronousTestCase):
    def test_good_values(self) -> None:
        cases = [
            (boolean, "1", True),
            (boolean, "Yes", True),
            (boolean, "off", False),
            (number(0, 10), "10", 10),
            (size, "0", 0),
            (size, "500k", 500 * 1024),
            (size, "10M", 10 << 20),
            (size, "1G", 1 << 30),
            (choice("text", "json"), "json", "json"),
            (words, "a, b c,,d", ["a", "b", "c", "d"]),
            (words, " ", []),
            (lines, "40 8 * * 1-5; 55 14 * * *\n", ["40 8 * * 1-5", "55 14 * * *"]),
            (seconds, "35", 35.0),
            (seconds, "0.25", 0.25),
            (path, "a/b", Path("a/b")),
            (url_path, "/feed", "/feed/"),
            (url_path, "/a/b-c_d.e~/", "/a/b-c_d.e~/"),
            (url_path, "/.a/b../...", "/.a/b../.../"),
            (path, "~/b", Path.home() / "b"),
        ]
        for convert, text, value in cases:
            with self.subTest(text=text):
                self.assertEqual(convert(text), value)

    def test_bad_values_are_named_and_explained(self) -> None:
        cases = [
            (boolean, "maybe", "'maybe' is neither yes nor no; use 1 or 0"),
            (number(0, 10), "11", "'11' is not a number from 0 to 10"),
            (number(0, 10), "-1", "'-1' is not"),
            (number(0, 10), "٣", "'٣' is not"),
            (number(0, 10), "", "'' is not"),
            (number(0, 10), "9" * 5000, "is not"),
            (size, "M", "'M' is not a size"),
            (size, "1.5M", "'1.5M' is not a size"),
            (size, "²", "'²' is not a size"),
            (choice("text", "json"), "xml", "'xml' is none of text, json"),
            (seconds, "1e9", "'1e9' is not a number of seconds"),
            (seconds, "-1", "'-1' is not"),
            (seconds, "nan", "'nan' is not"),
            (url_path, "/", "'/' is not a path of a URL"),
            (url_path, "/a/../b", "'/a/../b' is not"),
            (url_path, "/.", "'/.' is not"),
            (url_path, "/a/./", "'/a/./' is not"),
            (url_path, "/a//b", "'/a//b' is not"),
            (url_path, "/a\n", "is not"),
        ]
        for convert, text, message in cases:
            with self.subTest(text=text):
                error = self.assertRaises(ValueError, convert, text)
                self.assertIn(message, str(error))


class LoadTests(SynchronousTestCase):
    def test_nothing_given(self) -> None:
        self.assertEqual(load({}, {}), Settings())

    def test_the_command_line_wins_over_the_environment(self) -> None:
        environ = {"SJGATEWAY_PORT": "2", "PORT": "3"}
        self.assertEqual(load({"port": ["0", "1"]}, environ).port, 1)
        self.assertEqual(load({}, environ).port, 2)
        self.assertEqual(load({}, {"PORT": "3"}).port, 3)

    def test_an_empty_variable_is_none(self) -> None:
        self.assertEqual(load({}, {"SJGATEWAY_PORT": "", "PORT": "3"}).port, 3)

    def test_a_bad_value_names_its_source(self) -> None:
        for given, environ, source in [
            ({"log-format": ["xml"]}, {}, "--log-format"),
            ({}, {"SJGATEWAY_LOG_FORMAT": "xml"}, "SJGATEWAY_LOG_FORMAT"),
        ]:
            error = self.assertRaises(ValueError, load, given, environ)
            self.assertEqual(str(error), f"{source}: 'xml' is none of text, json")

    def test_several_are_collected(self) -> None:
        given = {"allowed-hosts": ["a,b", "c"], "worker-args": ["--codes 'A B'", "--rate 3"]}
        settings = load(given, {})
        self.assertEqual(settings.allowed_hosts, ("a", "b", "c"))
        self.assertEqual(settings.worker_args, ("--codes", "A B", "--rate", "3"))

    def test_a_flag_can_be_switched_by_its_variable(self) -> None:
        self.assertTrue(load({}, {"SJGATEWAY_NO_WORKER": "true"}).no_worker)
        self.assertFalse(load({}, {"SJGATEWAY_NO_WORKER": "0"}).no_worker)


class TableTests(SynchronousTestCase):
    def test_every_field_is_an_option_with_a_variable_of_its_own(self) -> None:
        table = list(options())
        self.assertEqual([each.key for each in table], [each.name for each in fields(Settings)])
        variables = [variable for each in table for variable in each.variables]
        self.assertEqual(len(variables), len(set(variables)))
        self.assertIn("SJGATEWAY_PING_INTERVAL", variables)

    def test_the_default_shown_is_the_default(self) -> None:
        for each in options():
            if each.default:
                with self.subTest(option=each.name):
                    value = getattr(Settings(), each.key)
                    self.assertEqual(each.convert([each.default]), value)
