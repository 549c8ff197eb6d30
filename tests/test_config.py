from attrs import fields
from twisted.trial.unittest import SynchronousTestCase

from gateway.config import Settings, load, options
from gateway.config.converters import boolean, choice, lines, number, path, seconds, size, words


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

    def test_every_option_reads_its_variable(self) -> None:
        for option in options():
            with self.subTest(option=option.name):
                self.assertEqual(
                    option.variables[0], "SJGATEWAY_" + option.name.upper().replace("-", "_")
                )
                self.assertIn(option.key, {each.name for each in fields(Settings)})
                given = load({option.name: ["1"]}, {}) if option.flag else None
                heard = load({}, {option.variables[0]: "1"}) if option.flag else None
                self.assertEqual(given, heard)
