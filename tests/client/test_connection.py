"""The connection to the gateway, with a client whose writer can be held up."""

import json
import queue
import random
import threading
from datetime import datetime
from types import SimpleNamespace

import socketio
from twisted.trial.unittest import SynchronousTestCase

from gateway.client import connection
from gateway.client.connection import MISSED_LIMIT, QUEUE_LIMIT, QUOTES_LIMIT, Gateway, next_try
from gateway.client.console import Redactor


class FakeWriter:
    """A `socketio.Client` whose writer can be held up."""

    def __init__(self) -> None:
        self.namespaces = {"/": "sid"}
        self.eio = SimpleNamespace(queue=queue.Queue(), state="connected")
        self.heard: list[tuple[str, dict]] = []
        self.left_behind: int | None = None

    def emit(self, name: str, data: dict) -> None:
        self.heard.append((name, data))
        self.eio.queue.put(SimpleNamespace(data="2" + json.dumps([name, data])))

    def write_one(self) -> None:
        self.eio.queue.get()
        self.eio.queue.task_done()

    def lose(self) -> None:
        self.eio.state = "disconnected"
        self.namespaces = {}

    def disconnect(self) -> None:
        self.left_behind = self.eio.queue.unfinished_tasks


class GatewayTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = Gateway("http://localhost:1", {"demo": True}, Redactor(["K" * 12]))
        self.client = FakeWriter()

    def connect(self) -> None:
        self.gateway._catch_up(self.client)

    def come_back(self) -> list[tuple[str, object]]:
        """What a gateway that comes back is told: names, and what tells the events apart."""
        self.client = FakeWriter()
        self.connect()
        tells = ("status", "error", "price", "code")
        return [
            (name, next(data[key] for key in tells if key in data))
            for name, data in self.client.heard
        ]

    def test_an_event_carries_one_object_with_the_marks_and_the_time(self) -> None:
        self.connect()
        self.gateway.emit("python_status", {"status": "ready"})
        ((name, data),) = self.client.heard
        self.assertEqual((name, data["status"], data["demo"]), ("python_status", "ready", True))
        self.assertIsNotNone(datetime.fromisoformat(data["timestamp"]).tzinfo)

    def test_what_was_told_last_is_told_to_a_gateway_that_comes_back(self) -> None:
        self.gateway.tell("python_status", {"status": "connected"})
        self.gateway.tell("shioaji_ready", {"status": "ready"})
        self.gateway.tell("python_status", {"status": "ready"})
        self.gateway.emit("heartbeat", {})
        self.assertEqual(self.client.heard, [])
        self.come_back()
        self.client.lose()
        facts = [("python_status", "ready"), ("shioaji_ready", "ready")]
        self.assertEqual(self.come_back(), facts)

    def lost_while_it_speaks(self) -> None:
        def gone(name: str, data: dict) -> None:
            raise socketio.exceptions.BadNamespaceError("/ is not a connected namespace.")

        self.connect()
        self.client.emit = gone

    def test_a_heartbeat_for_a_namespace_that_is_gone_is_dropped(self) -> None:
        self.lost_while_it_speaks()
        self.gateway.emit("heartbeat", {})
        self.assertEqual(self.come_back(), [])

    def test_an_error_for_a_namespace_that_is_gone_is_kept(self) -> None:
        self.lost_while_it_speaks()
        self.gateway.complain(ValueError("1"), "shioaji")
        self.assertEqual(self.come_back(), [("python_error", "ValueError: 1")])

    def test_what_happens_while_the_gateway_is_away_it_is_told_in_order(self) -> None:
        self.connect()
        self.gateway.tell("shioaji_ready", {"status": "ready"})
        self.gateway.tell("python_status", {"status": "ready"})
        self.client.lose()
        self.gateway.complain(ValueError("1"), "shioaji")
        self.gateway.tell("python_status", {"status": "no credentials"})
        self.gateway.emit("heartbeat", {"status": "running"})
        self.gateway.complain(ValueError("2"), "shioaji")
        self.gateway.tell("python_status", {"status": "logging in"})
        happened = [
            ("python_error", "ValueError: 1"),
            ("python_status", "no credentials"),
            ("python_error", "ValueError: 2"),
            ("python_status", "logging in"),
        ]
        self.assertEqual(self.come_back(), [("shioaji_ready", "ready"), *happened])
        self.client.lose()
        facts = [("shioaji_ready", "ready"), ("python_status", "logging in")]
        self.assertEqual(self.come_back(), facts)

    def test_it_says_when_it_happened(self) -> None:
        times = iter(["09:00", "09:01", "09:02"])
        self.patch(connection, "time_stamp", lambda: next(times))
        self.gateway.complain(ValueError("1"), "shioaji")
        self.gateway.publish("market_tick", {"price": 1})
        self.come_back()
        self.assertEqual([data["timestamp"] for _, data in self.client.heard], ["09:00", "09:01"])

    def test_of_each_code_the_newest_quote_is_kept_and_told_last(self) -> None:
        self.connect()
        self.gateway.publish("market_tick", {"code": "A", "price": 1})
        self.client.lose()
        for code, price in (("A", 2), ("B", 3), ("A", 4)):
            self.gateway.publish("market_tick", {"code": code, "price": price})
        self.gateway.publish("market_bidask", {"code": "A", "price": 5})
        self.gateway.tell("python_status", {"status": "ready"})
        state = ("python_status", "ready")
        quotes = [("market_tick", 3), ("market_tick", 4), ("market_bidask", 5)]
        self.assertEqual(self.come_back(), [state, *quotes])
        self.client.lose()
        self.assertEqual(self.come_back(), [state])

    def test_what_is_kept_is_bounded(self) -> None:
        for number in range(QUOTES_LIMIT + 2):
            self.gateway.complain(ValueError(f"{number}"), "shioaji")
            self.gateway.publish("market_tick", {"code": f"{number}", "price": number})
        told = self.come_back()
        self.assertEqual(len(told), MISSED_LIMIT + QUOTES_LIMIT)
        last = QUOTES_LIMIT + 1
        self.assertEqual(told[MISSED_LIMIT - 1], ("python_error", f"ValueError: {last}"))
        self.assertEqual((told[MISSED_LIMIT][1], told[-1][1]), (2, last))

    def test_what_a_lost_connection_did_not_write_comes_first(self) -> None:
        self.connect()
        self.gateway.tell("python_status", {"status": "connected"})
        self.client.write_one()
        self.gateway.complain(ValueError("1"), "shioaji")
        self.gateway.emit("heartbeat", {"status": "running"})
        self.gateway.publish("market_tick", {"code": "A", "price": 1})
        self.gateway.publish("market_tick", {"code": "B", "price": 2})
        self.gateway.tell("python_status", {"status": "ready"})
        self.client.eio.queue.put(None)  # how python-engineio ends its writer
        self.client.eio.queue.put(SimpleNamespace(data=None))  # a pong
        self.client.lose()
        self.gateway.publish("market_tick", {"code": "A", "price": 3})
        self.gateway.complain(ValueError("2"), "shioaji")
        self.gateway._take_back(self.client)
        states = [
            ("python_error", "ValueError: 1"),
            ("python_status", "ready"),
            ("python_error", "ValueError: 2"),
        ]
        quotes = [("market_tick", 2), ("market_tick", 3)]
        self.assertEqual(self.come_back(), states + quotes)

    def test_it_comes_back_soon_and_then_more_and_more_rarely(self) -> None:
        self.patch(random, "uniform", lambda low, high: 1.0)
        tries, away = [], 0.0
        while away < 60:
            tries.append(next_try(away))
            away += tries[-1]
        self.assertEqual(tries[:4], [0.5, 0.5, 0.5, 0.5])
        self.assertEqual(tries, sorted(tries))
        self.assertEqual(tries[-1], 5)

    def test_workers_of_many_gateways_do_not_come_back_together(self) -> None:
        tries = {next_try(0) for _ in range(20)}
        self.assertTrue(all(0.4 <= each <= 0.6 for each in tries), tries)
        self.assertTrue(len(tries) > 10)

    def test_market_data_does_not_pile_up(self) -> None:
        self.connect()
        for number in range(QUEUE_LIMIT + 100):
            self.gateway.publish("market_tick", {"price": number})
        self.assertLessEqual(len(self.client.heard), QUEUE_LIMIT + 1)
        last = {"code": "A", "price": 7}
        self.gateway.publish("market_tick", last)
        self.client.write_one()
        self.client.write_one()
        self.gateway.publish("market_tick", {"price": -1})
        newest = [data["price"] for _, data in self.client.heard[-2:]]
        self.assertEqual(newest, [7, -1])  # of each code, when there is room again

    def test_an_error_is_told_with_the_brokers_code_and_no_key(self) -> None:
        self.connect()
        for text, code in (
            ("StatusCode: 503, Detail: maintenance", 503),
            ("{'status': {'status_code': 451}, 'response': {}}", 451),
            ("Client: PYAPI/KKKKKKKKKK/1", None),
            ("TXO23451 at 1503.0", None),
        ):
            self.gateway.complain(ValueError(text), "shioaji")
            name, data = self.client.heard[-1]
            self.assertEqual((name, data["service"]), ("python_error", "shioaji"))
            self.assertEqual(data.get("code"), code)
            self.assertTrue(data["error"].startswith("ValueError: "))
            self.assertNotIn("KKKKKKKK", data["error"])

    def test_it_disconnects_when_everything_is_written(self) -> None:
        self.connect()
        self.gateway.emit("python_status", {"status": "stopped"})
        writer = threading.Timer(0.05, self.client.write_one)
        writer.start()
        self.gateway.close()
        self.assertEqual(self.client.left_behind, 0)
        writer.join()

    def test_a_writer_that_is_stuck_does_not_hold_the_end_back(self) -> None:
        self.patch(connection, "FLUSH_PATIENCE", 0.05)
        self.connect()
        self.gateway.emit("python_status", {"status": "stopped"})
        self.gateway.close()
        self.assertEqual(self.client.left_behind, 1)

    def test_nothing_is_published_once_it_closes(self) -> None:
        self.connect()
        self.gateway.close()
        self.gateway.publish("market_tick", {})
        self.assertEqual(self.client.heard, [])
