"""What the gateway makes of the events it relays."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.identity import Identities
from gateway.app.worker_events import MAX_SHOWN, TracedWorkerEvents, WorkerEvents
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.handshake import Peer
from gateway.engineio.packet import Packet
from gateway.market.freshness import MAX_NAMES
from gateway.market.hours import Calendar
from gateway.relay.event import Event, Keys, Subject


class FakeWorker:
    def __init__(self) -> None:
        self.running = True
        self.adopted = False
        self.generation = 1
        self.said: list[Any] = []
        self.left = 0

        self.connections: list[Any] = []

    def heard(self, name: str, value: object, connection: Any) -> None:
        self.said.append((name, value))
        self.connections.append(connection)

    def gone(self, connection: Any) -> None:
        self.left += 1
        self.connections.append(connection)


class FakeRelay:
    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.forgot = self.returned = 0

    def publish(self, name: str, value: dict[str, Any]) -> None:
        self.published.append((name, value))

    def worker_gone(self) -> None:
        self.forgot += 1

    def worker_returned(self) -> None:
        self.returned += 1


def event(value: list[Any], *, current: bool = True) -> Event:
    return Event((), None, Keys().of(value), trusted=True, wall=0.0, current=current)


class WorkerEventsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.counted: list[str] = []
        self.asked = 0
        self.senders: dict[str, Any] = {}
        self.relay: Any = FakeRelay()
        self.worker = FakeWorker()
        self.events = WorkerEvents(
            lambda name, times: self.counted.extend([name] * times),
            Identities(self.owns),
            lambda session, auth: True,
            Deadlines(self.clock.seconds),
            self.clock.seconds,
            silence=60,
            calendar=Calendar(),
        )
        self.events.relay = self.relay
        self.events.worker = self.worker

    def owns(self, session: Any) -> bool:
        self.asked += 1
        return bool(session.sid == "the worker's")

    def sender(self, sid: str, host: str = "127.0.0.1") -> Any:
        session = SimpleNamespace(sid=sid, data=None, peer=Peer(host, 5))
        return SimpleNamespace(socket=SimpleNamespace(session=session))

    def hears(self, value: list[Any], sid: str = "the worker's") -> bool:
        sender = self.senders.setdefault(sid, self.sender(sid))
        said = event(value, current=self.events.is_current(sender))
        self.events.heard(sender, [said], [value])
        return said.current

    def test_counts_every_event_by_name(self) -> None:
        for name in ("market_tick", "tick", 5):
            self.events.relayed(self.sender("the worker's"), [event([name])])
        self.assertEqual(self.counted, ["market_tick", "tick", "5"])

    def test_no_stranger_takes_the_place_of_a_name_of_the_workers(self) -> None:
        strangers = [self.sender("a browser's", f"192.0.2.{n}") for n in range(100)]
        for number in range(1000):
            self.events.relayed(strangers[number % 100], [event([f"invented {number}"])])
        self.assertLessEqual(len(set(self.counted)), MAX_NAMES + 1)
        del self.counted[:]
        for name in ("iv_indicator", "market_tick"):
            self.events.relayed(self.sender("the worker's"), [event([name])])
            self.hears([name, {"code": "A"}])
        self.assertEqual(self.counted, ["iv_indicator", "market_tick"])
        heard = self.events.freshness.status()["events"]
        self.assertEqual(set(heard), {"iv_indicator", "market_tick"})

    def test_one_address_does_not_take_the_places_of_the_others(self) -> None:
        loud, quiet = self.sender("", "192.0.2.1"), self.sender("", "192.0.2.2")
        for number in range(1000):
            self.events.relayed(loud, [event([f"invented {number}"])])
        self.events.relayed(quiet, [event(["chat"])])
        self.assertEqual(self.counted[-1], "chat")
        self.assertLess(len(set(self.counted)), MAX_NAMES // 2)

    def test_without_a_worker_this_machine_counts_as_one(self) -> None:
        self.events.worker = None
        for number in range(1000):
            self.events.relayed(self.sender("", "192.0.2.1"), [event([f"invented {number}"])])
        for number in range(50):
            self.events.relayed(self.sender("", "127.0.0.1"), [event([f"own {number}"])])
        self.assertEqual(self.counted[1000:], [f"own {number}" for number in range(50)])

    def test_asks_once_who_a_sender_is(self) -> None:
        worker, stranger = self.sender("the worker's"), self.sender("a browser's")
        answers = [self.events.trusts(each) for each in (worker, stranger, worker, stranger)]
        self.assertEqual(answers, [True, False, True, False])
        self.assertEqual(self.asked, 2)

    def test_without_a_worker_everybody_is_believed_and_nobody_is_the_worker(self) -> None:
        self.events.worker = None
        stranger = self.sender("a browser's")
        self.assertTrue(self.events.trusts(stranger))
        self.assertFalse(self.events.is_worker(stranger))

    def test_passes_on_what_the_worker_says(self) -> None:
        for value in (["heartbeat", {"status": "ok"}], ["bare"]):
            self.hears(value)
        self.assertEqual(self.worker.said, [("heartbeat", {"status": "ok"}), ("bare", None)])
        self.assertEqual(set(self.events.freshness.status()["events"]), {"heartbeat", "bare"})

    def test_says_when_the_worker_has_hung_up(self) -> None:
        worker, stranger, silent = map(self.sender, ("the worker's", "a browser's", "the worker's"))
        self.events.trusts(worker)
        self.events.trusts(stranger)
        for gone in (stranger, silent, worker):
            self.events.left(gone)
        self.assertEqual(self.worker.left, 1, "who said nothing is nobody's concern")
        self.assertEqual(self.asked, 2, "nobody is asked about who leaves")

    def test_while_the_worker_runs_its_status_is_just_told(self) -> None:
        self.events.tell("python_status", {"status": "running"})
        self.assertEqual(self.relay.published, [("python_status", {"status": "running"})])
        self.assertEqual(self.relay.forgot, 0)

    def test_after_a_restart_it_waits_until_the_worker_is_taken_over_or_not(self) -> None:
        for adopted in (True, False):
            self.relay.forgot = self.relay.returned = 0
            self.events.restored()
            self.worker.running = self.worker.adopted = False
            self.events.tell("python_status", {"status": "backoff"})
            self.assertEqual(self.relay.forgot, 0)
            self.worker.running, self.worker.adopted = True, adopted
            for _ in range(2):
                self.events.tell("python_status", {"status": "running"})
            self.assertEqual((self.relay.returned, self.relay.forgot), (adopted, not adopted))

    def test_without_the_worker_of_the_cluster_it_says_nothing_of_that_one(self) -> None:
        self.events.leads = lambda: False
        self.worker.running = False
        self.events.restored()
        self.hears(["market_tick", {"code": "TXFL6"}])
        for status in ("backoff", "stopped"):  # it waits for its turn, and ends
            self.events.tell("python_status", {"status": status})
        self.assertEqual((self.relay.forgot, self.events.freshness.stale), (0, set()))

    def test_who_has_to_give_the_worker_up_says_once_that_it_is_gone(self) -> None:
        for adopted in (False, True):
            self.relay.forgot = 0
            self.worker.running, self.worker.adopted = True, adopted
            if adopted:
                self.events.restored()
            self.events.leads = lambda: True
            self.events.tell("python_status", {"status": "running"})
            self.events.leads = lambda: False
            self.worker.running = self.worker.adopted = False
            for status in ("exited", "backoff", "stopped"):
                self.events.tell("python_status", {"status": status})
            self.assertEqual(self.relay.forgot, 1)

    def test_in_a_replay_the_gateways_word_on_feeds_says_so(self) -> None:
        self.events._marks = {"replay": True}
        self.hears(["market_tick", {"code": "TXFL6"}])
        self.worker.running = False
        self.events.tell("python_status", {"status": "exited"})
        feeds = [value for name, value in self.relay.published if name == "feed_status"]
        self.assertEqual({each["replay"] for each in feeds}, {True})

    def test_a_dead_worker_is_not_ready_and_its_feeds_are_stale_until_the_next_tick(self) -> None:
        value = ["market_tick", {"code": "TXFL6"}]
        self.hears(value)
        self.worker.running = False
        for status in ("exited", "backoff"):
            self.events.tell("python_status", {"status": status})
        last_words = self.hears(value)
        self.worker.running = True
        self.assertEqual((last_words, len(self.worker.said)), (False, 2))
        self.assertEqual(len(self.relay.published), 3, "nothing is live by last words")
        self.assertTrue(self.hears(value))
        self.assertGreater(self.relay.forgot, 0)
        feeds = [each["status"] for name, each in self.relay.published if name == "feed_status"]
        self.assertEqual(feeds, ["stale", "live"])
        stale = next(each for name, each in self.relay.published if name == "feed_status")
        self.assertEqual(stale["market"], "futures")
        self.assertEqual(stale["stale"], ["futures"])
        self.assertTrue(stale["timestamp"].endswith("Z"))

    def test_what_was_under_way_of_a_worker_is_not_taken_for_the_next_ones(self) -> None:
        ready = ["shioaji_ready", {"status": "ready"}]
        self.assertTrue(self.hears(ready))
        self.worker.generation += 1
        self.assertFalse(self.hears(ready))
        self.assertEqual(len(self.worker.said), 1)
        self.senders.clear()  # the next one connects
        self.assertTrue(self.hears(ready))
        self.assertEqual(len(self.worker.said), 2)

    def test_who_shares_a_bound_is_known_by_the_address(self) -> None:
        for host, owner in (("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::/64")):
            session: Any = SimpleNamespace(peer=Peer(host, 5))
            self.assertEqual(self.events.owner(session), owner)

    def test_without_a_worker_only_this_machine_invents_names_like_one(self) -> None:
        self.events.worker = None
        for peer, owner in (
            (Peer("127.0.0.1", 5), ""),
            (Peer("", 0), ""),
            (Peer("127.0.0.1", 6, passed_on=True), "127.0.0.1"),
            (Peer("127.0.0.1", 7, announced="192.0.2.7", passed_on=True), "192.0.2.7"),
            (Peer("192.0.2.8", 8), "192.0.2.8"),
        ):
            session: Any = SimpleNamespace(peer=peer, data=None)
            sender: Any = SimpleNamespace(socket=SimpleNamespace(session=session))
            self.assertEqual(self.events._inventor(sender), owner, peer)

    def test_the_close_of_a_market_is_no_recovery(self) -> None:
        self.events._feed_changed("stocks", "the market is closed")
        (_, told) = self.relay.published[0]
        self.assertEqual((told["status"], told["market"]), ("closed", "stocks"))

    def test_an_error_in_who_hears_the_worker_does_not_cost_it_its_connection(self) -> None:
        self.worker.heard = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
        self.assertTrue(self.hears(["heartbeat", {}]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_an_error_in_who_is_told_does_not_keep_it_from_the_others(self) -> None:
        told: list[str] = []
        self.events.listeners += [lambda *_: 1 / 0, lambda name, _: told.append(name)]
        self.events.tell("python_status", {})
        self.assertEqual(told, ["python_status"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_others_hear_what_browsers_are_told(self) -> None:
        heard: list[Any] = []
        self.events.listeners.append(lambda name, value: heard.append((name, value)))
        value = ["market_tick", {"code": "TXFL6"}]
        self.hears(value)
        self.worker.running = False
        self.events.tell("python_status", {"status": "exited"})
        self.assertEqual([name for name, _ in heard], ["feed_status", "python_status"])
        self.assertEqual(heard, self.relay.published)


class TracedWorkerEventsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.logged: list[dict] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)
        self.counted: list[str] = []
        self.events = TracedWorkerEvents(
            lambda name, times: self.counted.extend([name] * times),
            Identities(lambda session: False),
            lambda session, auth: True,
            Deadlines(lambda: 0.0),
            lambda: 0.0,
            silence=0,
            calendar=Calendar(),
        )

    def relayed(self, *packets: Packet) -> str:
        event = Event(packets, None, Subject("market_tick", None, None), trusted=True, wall=0.0)
        self.events.relayed(SimpleNamespace(), [event])  # type: ignore[arg-type]
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
        line = self.relayed(Packet(b'42["' + b"x" * (MAX_SHOWN - 7) + b'sesame"]'))
        self.assertNotIn("s", line)

    def test_a_long_event_is_cut(self) -> None:
        line = self.relayed(Packet(b'42["tick","' + b"x" * 5000 + b'"]'))
        self.assertEqual(len(line), MAX_SHOWN + len("..."))
