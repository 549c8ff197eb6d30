from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gateway.ops.logs import LogObserver


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
