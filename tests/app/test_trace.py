from types import SimpleNamespace

from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.identity import Identities
from gateway.app.worker_events import SHOWN, TracedWorkerEvents
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.packet import Packet
from gateway.market.hours import Calendar
from gateway.relay.event import Event, Subject


class TracedWorkerEventsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.logged: list[dict] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)
        self.counted: list[str] = []
        self.events = TracedWorkerEvents(
            self.counted.append,
            Identities(lambda session: False),
            lambda session, auth: True,
            Deadlines(lambda: 0.0),
            lambda: 0.0,
            silence=0,
            calendar=Calendar(),
        )

    def relayed(self, *packets: Packet) -> str:
        event = Event(packets, None, Subject("market_tick", None, None), trusted=True, wall=0.0)
        self.events.relayed(SimpleNamespace(), event)  # type: ignore[arg-type]
        (line,) = [each for each in self.logged if each.get("tag") == "Relay"]
        self.assertEqual(line["log_level"], LogLevel.debug)
        return formatEvent(line)

    def test_an_event_is_shown_and_counted(self) -> None:
        line = self.relayed(Packet('42["tick",{"name":"台積電"}]'.encode()))
        self.assertEqual(line, '42["tick",{"name":"台積電"}]')
        self.assertEqual(self.counted, ["market_tick"])

    def test_attachments_are_only_counted(self) -> None:
        line = self.relayed(
            Packet(b'451-["tick",{"_placeholder":true,"num":0}]'), Packet(b"x", True)
        )
        self.assertTrue(line.endswith(" + 1 attachments"))

    def test_secrets_are_taken_out_before_it_is_cut(self) -> None:
        """Whoever the log belongs to: that of an application around us knows no secrets."""
        self.events.redact = lambda text: text.replace("sesame", "[redacted]")
        line = self.relayed(Packet(b'42["' + b"x" * (SHOWN - 7) + b'sesame"]'))
        self.assertNotIn("s", line)

    def test_a_long_event_is_cut(self) -> None:
        line = self.relayed(Packet(b'42["tick","' + b"x" * 5000 + b'"]'))
        self.assertEqual(len(line), SHOWN + len("..."))
