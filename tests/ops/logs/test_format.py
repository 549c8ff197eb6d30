import json
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python import log as legacy
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gateway.ops.logs import LogObserver, json_line, text_line


def keep(text: str) -> str:
    return text


def event(message: str, **fields) -> dict:
    """What `Logger.info` makes of a message."""
    events: list[dict] = []
    log = Logger(namespace="gateway.somewhere", observer=events.append)
    log.emit(LogLevel.info, message, **fields)
    return events[0]


def failed(error: Exception) -> dict:
    try:
        raise error
    except Exception:
        failure = Failure()
    events: list[dict] = []
    Logger(observer=events.append).failure("It broke", failure)
    return events[0]


class TextLineTests(SynchronousTestCase):
    def test_time_tag_and_message(self) -> None:
        line = text_line(event("{who} came", who="Ann", tag="Socket"), keep)
        time, _, rest = line.partition(" ")
        self.assertEqual(rest, "[Socket] Ann came\n")
        self.assertIsNotNone(datetime.fromisoformat(time).tzinfo)

    def test_warnings_and_errors_have_their_level(self) -> None:
        for level, said in {
            LogLevel.debug: "[Relay] late",
            LogLevel.info: "[Relay] late",
            LogLevel.warn: "WARN [Relay] late",
            LogLevel.error: "ERROR [Relay] late",
            LogLevel.critical: "CRITICAL [Relay] late",
        }.items():
            line = text_line({**event("late", tag="Relay"), "log_level": level}, keep)
            self.assertEqual(line.partition(" ")[2], f"{said}\n")

    def test_the_gateway_speaks_where_there_is_no_tag(self) -> None:
        self.assertIn(" [Gateway] up\n", text_line(event("up"), keep))

    def test_no_line_can_be_forged(self) -> None:
        line = text_line(event("{x}", x="a\n2024 [Gateway] b\r\x1b[2J\u202e\u2028\ud800"), keep)
        self.assertEqual(line.count("\n"), 1)
        self.assertIn(r"a\n2024 [Gateway] b\r\u001b[2J\u202e\u2028\ud800", line)

    def test_cjk_is_left_alone(self) -> None:
        self.assertIn("台積電 🎉", text_line(event("台積電 🎉"), keep))

    def test_a_traceback_is_indented_and_escaped(self) -> None:
        lines = text_line(failed(ValueError("no\n2024 [Gateway] \x1b[0m")), keep).splitlines()
        self.assertIn("[Gateway] It broke", lines[0])
        self.assertTrue(all(line.startswith("    ") for line in lines[1:]))
        self.assertIn(r"    2024 [Gateway] \u001b[0m", lines)

    def test_a_legacy_failure_is_the_same(self) -> None:
        events: list[dict] = []
        legacy.addObserver(events.append)
        self.addCleanup(legacy.removeObserver, events.append)
        legacy.err(Failure(KeyError("k")), "It broke")
        self.flushLoggedErrors(KeyError)
        lines = text_line(events[0], keep).splitlines()
        self.assertTrue(lines[0].endswith("[Gateway] It broke"))
        self.assertTrue(all(line.startswith("    ") for line in lines[1:]))

    def test_message_and_traceback_are_redacted(self) -> None:
        line = text_line(failed(ValueError("hunter2")), lambda text: text.replace("hunter2", "***"))
        self.assertNotIn("hunter2", line)
        self.assertIn("***", line)


class JsonLineTests(SynchronousTestCase):
    def test_fields(self) -> None:
        line = json.loads(json_line(event("{n} came", n=2, tag="Relay"), keep))
        self.assertIsNotNone(datetime.fromisoformat(line.pop("time")).tzinfo)
        self.assertEqual(line, {"level": "info", "tag": "Relay", "message": "2 came"})

    def test_a_failure_has_its_traceback(self) -> None:
        line = json.loads(json_line(failed(ValueError("hunter2")), lambda t: t.replace("r2", "")))
        self.assertEqual(line["level"], "critical")
        self.assertIn("ValueError: hunte\n", line["traceback"])

    @given(st.text(st.characters(), max_size=40))
    @settings(deadline=None, max_examples=200)
    def test_any_text_comes_back_whole_from_one_line(self, text: str) -> None:
        line = json_line(event("{text}", text=text), keep)
        self.assertEqual(line.splitlines(), [line[:-1]])
        line.encode()
        self.assertEqual(json.loads(line)["message"], text)


class ObserverTests(SynchronousTestCase):
    def logged(self, least: LogLevel, namespace: str, level: LogLevel) -> bool:
        lines: list[str] = []
        observer = LogObserver(lines.append, lambda event: event["log_format"], least)
        verifyObject(ILogObserver, observer)
        Logger(namespace=namespace, observer=observer).emit(level, "said")
        return lines == ["said"]

    def test_which_events_count(self) -> None:
        cases = [
            # least, namespace, level, logged
            (LogLevel.info, "gateway.relay.hub", LogLevel.info, True),
            (LogLevel.info, "gateway.relay.hub", LogLevel.debug, False),
            (LogLevel.warn, "gateway.relay.hub", LogLevel.info, False),
            (LogLevel.info, "stdout", LogLevel.info, True),
            (LogLevel.info, "stderr", LogLevel.error, True),
            (LogLevel.info, "twisted.web.server.Site", LogLevel.info, False),
            (LogLevel.info, "gatewayish", LogLevel.info, False),
            (LogLevel.info, "twisted.internet", LogLevel.warn, True),
            (LogLevel.error, "twisted.internet", LogLevel.warn, False),
            (LogLevel.debug, "twisted.web.server.Site", LogLevel.debug, True),
        ]
        for least, namespace, level, expected in cases:
            with self.subTest(least=least.name, namespace=namespace, level=level.name):
                self.assertEqual(self.logged(least, namespace, level), expected)

    def test_a_legacy_event_without_namespace_or_level_is_foreign(self) -> None:
        lines: list[str] = []
        LogObserver(lines.append, str, LogLevel.info)({"log_time": 0})
        self.assertEqual(lines, [])
