"""The reference worker, in this process: no network, no broker."""

import importlib
import json
import logging
import os
import queue
import random
import sys
import threading
from contextlib import redirect_stderr
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import main
from gateway.history.trades import read_kbars
from gateway.worker.keys.credentials import VARIABLES

STAND_INS = Path(__file__).parent / "stand_ins"
PATIENCE = 10
"""Seconds after which a test that waits for another thread gives up."""


class OptionsTests(SynchronousTestCase):
    def test_without_any_it_goes_to_the_usual_port(self) -> None:
        chosen = main.options([], {})
        self.assertEqual(chosen.url, "http://localhost:3001")
        self.assertEqual((chosen.demo, chosen.rate, chosen.seed, chosen.codes), (False, 20, 1, []))

    def test_the_gateways_url_comes_from_the_environment(self) -> None:
        both = {"GATEWAY_URL": "http://localhost:1", "SOCKET_HUB": "http://localhost:2"}
        self.assertEqual(main.options([], both).url, "http://localhost:1")
        both["GATEWAY_URL"] = ""
        self.assertEqual(main.options([], both).url, "http://localhost:2")
        self.assertEqual(main.options(["--url", "https://x:3"], both).url, "https://x:3")

    def test_each_option_has_a_variable(self) -> None:
        chosen = main.options(
            [],
            {"SJ_DEMO": "true", "SJ_RATE": "3000", "SJ_SEED": "7", "SJ_CODES": "TXFR1, 2330 2330"},
        )
        self.assertEqual((chosen.demo, chosen.rate, chosen.seed), (True, 3000, 7))
        self.assertEqual(chosen.codes, ["TXFR1", "2330"])

    def test_a_bad_value_ends_it_with_the_reason(self) -> None:
        many = ",".join(f"{number:04}" for number in range(main.MAX_CODES + 1))
        for argv, reason in (
            (["--url", "localhost:3001"], "http:// or https://"),
            (["--rate", "0"], "more than 0"),
            (["--rate", "nan"], "more than 0"),
            (["--codes", many], "at most 100 contracts"),
        ):
            with redirect_stderr(StringIO()) as said:
                error = self.assertRaises(SystemExit, main.options, argv, {})
            self.assertEqual(error.code, 2)
            self.assertIn(reason, said.getvalue())

    def test_a_token_in_a_bad_url_is_not_printed(self) -> None:
        with redirect_stderr(StringIO()) as said:
            self.assertRaises(SystemExit, main.options, [], {"GATEWAY_URL": "ftp://x/?token=tk9"})
        self.assertNotIn("tk9", said.getvalue())


class CredentialsTests(SynchronousTestCase):
    def test_it_knows_every_name_of_a_key_that_the_gateway_knows(self) -> None:
        for number, names in enumerate(VARIABLES.values()):
            for name in names:
                found = main.credentials_from({name: "value"})
                values = (found.api_key, found.secret_key, found.ca_path, found.ca_password)
                self.assertEqual(values[number], "value", name)

    def test_every_name_of_the_family_is_known(self) -> None:
        for names in (
            ("API_KEY", "SECRET_KEY", "CA_CERT_PATH", "CA_PASSWORD"),
            ("SJ_KEY", "SJ_SEC", "SJ_CA_PATH", "SJ_CA_PASSWD"),
            ("SJ_API_KEY", "SJ_SEC_KEY", "SJ_CA_PATH", "SJ_CA_PASSWD"),
        ):
            given = dict(zip(names, ("k", "s", "p", "w"), strict=True))
            found = main.credentials_from({"API_KEY": "", **given})
            self.assertEqual(found, main.Credentials("k", "s", "p", "w"))


LETTERS = st.characters(codec="utf-8", exclude_characters="[]redact\n\r")


class RedactionTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(
        secrets=st.lists(st.text(LETTERS, min_size=8, max_size=40), min_size=1, max_size=3),
        around=st.tuples(st.text(LETTERS, max_size=9), st.text(LETTERS, max_size=9)),
        length=st.integers(min_value=8, max_value=40),
    )
    def test_no_secret_and_no_eight_characters_of_one_get_through(
        self, secrets: list[str], around: tuple[str, str], length: int
    ) -> None:
        redact = main.Redactor(secrets)
        for secret in secrets:
            text = around[0] + secret[:length] + around[1] + secret + around[1]
            self.assertNotIn(secret[:8], redact(text))

    def test_other_text_stays(self) -> None:
        self.assertEqual(main.Redactor(["", "abc", "ABCDEFGHIJ"])("abc ABCDEFG"), "abc ABCDEFG")

    def test_a_traceback_is_redacted_too(self) -> None:
        formatter = main.RedactingFormatter(main.Redactor(["PKEY-0123456789"]))
        try:
            raise ValueError("Client: PYAPI/PKEY-01234/1123")
        except ValueError:
            record = logging.LogRecord("x", 40, "p", 1, "login failed", (), sys.exc_info())
        text = formatter.format(record)
        self.assertIn("ValueError: Client: PYAPI/[redacted]/1123", text)


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
        self.gateway = main.Gateway("http://localhost:1", {"demo": True}, main.Redactor(["K" * 12]))
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
            raise main.socketio.exceptions.BadNamespaceError("/ is not a connected namespace.")

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
        self.patch(main, "time_stamp", lambda: next(times))
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
        for number in range(main.QUOTES_LIMIT + 2):
            self.gateway.complain(ValueError(f"{number}"), "shioaji")
            self.gateway.publish("market_tick", {"code": f"{number}", "price": number})
        told = self.come_back()
        self.assertEqual(len(told), main.MISSED_LIMIT + main.QUOTES_LIMIT)
        last = main.QUOTES_LIMIT + 1
        self.assertEqual(told[main.MISSED_LIMIT - 1], ("python_error", f"ValueError: {last}"))
        self.assertEqual((told[main.MISSED_LIMIT][1], told[-1][1]), (2, last))

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
        self.patch(main.random, "uniform", lambda low, high: 1.0)
        tries, away = [], 0.0
        while away < 60:
            tries.append(main.next_try(away))
            away += tries[-1]
        self.assertEqual(tries[:4], [0.5, 0.5, 0.5, 0.5])
        self.assertEqual(tries, sorted(tries))
        self.assertEqual(tries[-1], 5)

    def test_workers_of_many_gateways_do_not_come_back_together(self) -> None:
        tries = {main.next_try(0) for _ in range(20)}
        self.assertTrue(all(0.4 <= each <= 0.6 for each in tries), tries)
        self.assertTrue(len(tries) > 10)

    def test_market_data_does_not_pile_up(self) -> None:
        self.connect()
        for number in range(main.QUEUE_LIMIT + 100):
            self.gateway.publish("market_tick", {"price": number})
        self.assertLessEqual(len(self.client.heard), main.QUEUE_LIMIT + 1)
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
        self.patch(main, "FLUSH_PATIENCE", 0.05)
        self.connect()
        self.gateway.emit("python_status", {"status": "stopped"})
        self.gateway.close()
        self.assertEqual(self.client.left_behind, 1)

    def test_nothing_is_published_once_it_closes(self) -> None:
        self.connect()
        self.gateway.close()
        self.gateway.publish("market_tick", {})
        self.assertEqual(self.client.heard, [])


class BoundedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.said: list[str] = []
        self.patch(main.log, "error", lambda text, *args: self.said.append(text % args))

    def test_work_that_ends_in_time(self) -> None:
        self.assertTrue(main.bounded("logging out", lambda: False, PATIENCE))
        self.assertEqual(self.said, [])

    def test_work_that_fails(self) -> None:
        self.assertFalse(main.bounded("logging out", lambda: 1 / 0, PATIENCE))
        self.assertEqual(self.said, ["logging out failed: ZeroDivisionError: division by zero"])

    def test_work_that_does_not_end(self) -> None:
        never = threading.Event()
        self.addCleanup(never.set)
        self.assertFalse(main.bounded("logging out", never.wait, 0.01))
        self.assertEqual(self.said, ["logging out did not end within 0.01 s"])


class Told:
    """Stands for a `main.Gateway`: notes what it is given."""

    connected = True

    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []
        self.questions: list[tuple[str, dict]] = []
        self.answer: dict = {}
        """To each question; empty as from a gateway that answers none."""
        self.published: queue.SimpleQueue[tuple[str, dict]] = queue.SimpleQueue()

    def emit(self, name: str, data: dict) -> None:
        self.events.append((name, data))

    tell = emit

    def ask(self, name: str, data: dict) -> dict:
        self.questions.append((name, data))
        return self.answer

    def publish(self, name: str, data: dict) -> None:
        self.published.put((name, data))

    def complain(self, error: Exception, service: str) -> None:
        self.events.append(("python_error", {"error": str(error), "service": service}))

    def start(self) -> None:
        self.events.append(("start", {}))

    def close(self) -> None:
        self.events.append(("close", {}))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def await_published(self, name: str) -> dict:
        while True:
            found, data = self.published.get(timeout=PATIENCE)
            if found == name:
                return data


class WalkTests(SynchronousTestCase):
    def walk(self, seed: int, number: int) -> list[tuple[str, float]]:
        told = Told()
        demo = main.Demo(told, rate=1, seed=seed, codes=[])
        events = [next(demo._events) for _ in range(number)]
        return [(data["code"], data["price"]) for name, data in events if name == "market_tick"]

    def test_the_seed_decides_the_walk(self) -> None:
        self.assertEqual(self.walk(1, 200), self.walk(1, 200))
        self.assertNotEqual(self.walk(1, 200), self.walk(2, 200))

    @settings(deadline=None, max_examples=20)
    @given(seed=st.integers(min_value=0, max_value=2**32), which=st.integers(0, 5))
    def test_a_price_stays_within_the_daily_limit_and_on_its_ticks(
        self, seed: int, which: int
    ) -> None:
        one = main.instruments(date(2026, 11, 23))[which]
        rng = random.Random(seed)
        volumes = 0
        for _ in range(1500):
            one.trade(rng)
            volumes += one.volume
            self.assertLessEqual(abs(one.close - one.reference), one.reference * 0.1 + one.tick)
            self.assertLessEqual(one.low, one.close)
            self.assertGreaterEqual(one.high, one.close)
            steps = (one.close - one.reference) / one.tick
            self.assertAlmostEqual(steps, round(steps), places=6)
        self.assertEqual(one.total_volume, volumes)

    def test_a_quote_lies_around_the_last_price(self) -> None:
        one = main.instruments(date(2026, 11, 23))[0]
        one.trade(random.Random(1))
        event, last = main.bidask_event(one), one.close
        self.assertEqual(event["bid_price"], [last, last - 1, last - 2, last - 3, last - 4])
        self.assertEqual(event["ask_price"], [last + 1, last + 2, last + 3, last + 4, last + 5])
        self.assertEqual((len(event["bid_volume"]), len(event["ask_volume"])), (5, 5))

    def test_the_options_are_of_the_month(self) -> None:
        for month, codes in (
            (1, ["TXO23000A6", "TXO23000M6"]),
            (12, ["TXO23000L6", "TXO23000X6"]),
        ):
            found = [one.code for one in main.instruments(date(2026, month, 1))]
            self.assertEqual([code for code in found if code.startswith("TXO")], codes)


class DemoTests(SynchronousTestCase):
    def demo(self, rate: float, codes: list[str] | None = None) -> tuple[main.Demo, Told]:
        told = Told()
        return main.Demo(told, rate=rate, seed=1, codes=codes or []), told

    def test_it_is_ready_at_once_and_says_what_is_coming(self) -> None:
        demo, told = self.demo(10)
        list(demo.open())
        names = ["shioaji_ready", "python_status", "contracts_loaded"]
        self.assertEqual(told.names, [*["market_contract"] * 6, *names])
        ready, _, contracts = (data for _, data in told.events[6:])
        future = told.events[0][1]
        self.assertEqual((future["code"], future["reference"]), ("TXFR1", 23000))
        self.assertEqual((ready["status"], ready["service_type"]), ("ready", "market_data"))
        self.assertEqual(contracts["count"], 6)
        self.assertTrue(contracts["sample"].startswith("TXFR1 臺股期貨近月, "))
        self.assertEqual(demo.state()["subscribed_contracts"], 6)
        self.assertEqual(demo.state()["current_price"], 23000)

    def test_the_rate_is_kept(self) -> None:
        for rate in (10, 4000):
            demo, told = self.demo(rate)
            now = demo._due
            for _ in range(100):
                due = demo.step(now)
                self.assertGreater(due, now)
                now += 0.01
            self.assertTrue(abs(told.published.qsize() - rate * 0.99) <= 1 + rate * 0.01)

    def test_a_standstill_is_not_made_up_for(self) -> None:
        demo, told = self.demo(1000)
        demo.step(demo._due + 3600)
        self.assertLessEqual(told.published.qsize(), 251)

    def test_a_tick_and_a_quote_of_the_same_contract_take_turns(self) -> None:
        demo, told = self.demo(1000, ["TXFR1", "9999", "ZZF"])
        demo.step(demo._due + 0.1)
        events = [told.published.get() for _ in range(100)]
        self.assertEqual({name for name, _ in events[::2]}, {"market_tick"})
        self.assertEqual({name for name, _ in events[1::2]}, {"market_bidask"})
        codes = [data["code"] for _, data in events]
        self.assertEqual(codes[::2], codes[1::2])
        self.assertEqual(set(codes), {"TXFR1", "9999", "ZZF"})

    def test_a_snapshot_of_each_contract(self) -> None:
        demo, told = self.demo(10, ["2330", "2317"])
        demo.snapshot()
        (name, first), (_, second) = (told.published.get() for _ in range(2))
        self.assertEqual((name, first["name"]), ("market_snapshot", "台積電"))
        fields = {"code", "name", "open", "high", "low", "close", "volume", "amount"}
        known = {"exchange", "total_volume", "reference", "limit_up", "limit_down"}
        self.assertEqual(set(second), {*fields, *known})


class LoginTests(SynchronousTestCase):
    credentials = main.Credentials("the key", "the secret")

    def test_the_signature_before_1_7(self) -> None:
        class Api:
            def login(self, api_key, secret_key, fetch_contract=True, contracts_timeout=0):
                self.got = (api_key, secret_key, fetch_contract, contracts_timeout)

        api = Api()
        main.login(api, self.credentials)
        self.assertEqual(api.got, ("the key", "the secret", True, main.CONTRACTS_TIMEOUT))

    def test_the_signature_of_1_7(self) -> None:
        class Api:
            def login(self, api_key, secret_key, subscribe_trade=True):
                self.got = (api_key, secret_key)

        api = Api()
        main.login(api, self.credentials)
        self.assertEqual(api.got, ("the key", "the secret"))

    def test_a_native_method_without_a_signature(self) -> None:
        got = []

        class Native:
            __signature__ = "none"

            def __call__(self, **arguments):
                got.append(arguments)

        main.login(SimpleNamespace(login=Native()), self.credentials)
        self.assertEqual(got, [{"api_key": "the key", "secret_key": "the secret"}])

    def test_a_type_error_of_the_broker_is_not_taken_for_a_signature(self) -> None:
        calls = []

        class Api:
            def login(self, api_key, secret_key, contracts_timeout=0):
                calls.append(1)
                raise TypeError("unsupported operand")

        self.assertRaises(TypeError, main.login, Api(), self.credentials)
        self.assertEqual(calls, [1])


TIME = datetime(2026, 11, 23, 9, 0, 0, 500000)


class ConversionTests(SynchronousTestCase):
    def tick(self, price, **more):
        prices = {"open": price("1"), "high": price("3"), "low": price("0.5"), "close": price("2")}
        volumes = {"volume": 4, "total_volume": 9}
        return SimpleNamespace(code="TXFL6", datetime=TIME, **prices, **volumes, **more)

    def test_a_tick_of_1_2_and_of_1_7_make_the_same_event(self) -> None:
        exchange = SimpleNamespace(value="TAIFEX")
        expected = {
            "exchange": "TAIFEX",
            "code": "TXFL6",
            "datetime": "2026-11-23T09:00:00.500000+08:00",
            "open": 1.0,
            "high": 3.0,
            "low": 0.5,
            "close": 2.0,
            "price": 2.0,
            "volume": 4,
            "total_volume": 9,
        }
        self.assertEqual(main.tick_event(exchange, self.tick(Decimal)), expected)
        self.assertEqual(main.tick_event(self.tick(str, exchange="TAIFEX")), expected)

    def test_what_the_broker_gives_is_passed_on(self) -> None:
        fields = {
            "simtrade": True,
            "tick_type": 2,
            "chg_type": 4,
            "price_chg": "-1.5",
            "pct_chg": Decimal("-0.5"),
        }
        more = {
            "avg_price": "2.25",
            "underlying_price": "",
            "bid_side_total_vol": 7,
            "intraday_odd": False,
        }
        event = main.tick_event(self.tick(str, exchange="TAIFEX", **fields, **more))
        for name, value in {
            **fields,
            "price_chg": -1.5,
            "pct_chg": -0.5,
            "avg_price": 2.25,
        }.items():
            self.assertEqual(event[name], value)
        self.assertIs(event["simtrade"], True)
        self.assertNotIn("underlying_price", event)

    def test_a_time_that_has_a_zone_keeps_it(self) -> None:
        tick = self.tick(str, exchange="TSE")
        tick.datetime = TIME.replace(tzinfo=UTC)
        self.assertEqual(main.tick_event(tick)["datetime"], "2026-11-23T09:00:00.500000+00:00")

    def test_a_future_of_1_7_has_other_names(self) -> None:
        future = SimpleNamespace(code="TXFL6", root="TXF", multiplier=200.0, name=None)
        told = {"code": "TXFL6", "category": "TXF", "unit": 200.0}
        self.assertEqual(main.contract_event(future), told)

    def test_what_1_7_does_not_know_of_a_contract_it_says_as_0(self) -> None:
        unknown = dict.fromkeys(("reference", "limit_up", "limit_down", "strike_price"), 0.0)
        future = SimpleNamespace(code="TXFL6", unit=0.0, multiplier=200.0, **unknown)
        self.assertEqual(main.contract_event(future), {"code": "TXFL6", "unit": 200.0})

    def test_a_contract_of_an_option(self) -> None:
        right = SimpleNamespace(value="C")
        facts = {
            "name": "臺指選擇權",
            "exchange": SimpleNamespace(value="TAIFEX"),
            "category": "TXO",
        }
        option = SimpleNamespace(
            code="TXO23000L6",
            target_code=None,
            strike_price=23000,
            option_right=right,
            delivery_date=date(2026, 12, 16),
            limit_up=Decimal("500.5"),
            **facts,
        )
        self.assertEqual(
            main.contract_event(option),
            {
                "code": "TXO23000L6",
                "name": "臺指選擇權",
                "exchange": "TAIFEX",
                "category": "TXO",
                "delivery_date": "2026-12-16",
                "option_right": "C",
                "limit_up": 500.5,
                "strike_price": 23000.0,
            },
        )

    def test_a_quote(self) -> None:
        quote = SimpleNamespace(
            exchange="TSE",
            code="2330",
            datetime=TIME,
            bid_price=["99.5", "99"],
            bid_volume=[1, 2],
            ask_price=[Decimal("100"), Decimal("100.5")],
            ask_volume=[3, 4],
        )
        event = main.bidask_event(quote)
        self.assertEqual((event["bid_price"], event["bid_volume"]), ([99.5, 99.0], [1, 2]))
        self.assertEqual((event["ask_price"], event["ask_volume"]), ([100.0, 100.5], [3, 4]))


class Panicking:
    """A quote of a native library that panics when it is read, which is no Exception."""

    @property
    def exchange(self) -> str:
        raise BaseException("a panic")


class KbarsTests(SynchronousTestCase):
    """What is told of the broker's bars, in this thread."""

    def setUp(self) -> None:
        self.patch(main, "KBARS_PAUSE", 0)
        self.patch(main, "KBARS_PACE", float("inf"))
        self.said: list[str] = []
        self.patch(main.log, "warning", lambda text, *args: self.said.append(text % args))
        self.told = Told()
        self.asked: list[tuple] = []
        self.path = Path(self.mktemp()) / "state" / "kbars.json"
        self.fails: set[str] = set()
        self.now = datetime(2026, 11, 30, 10, 0, 20, tzinfo=main.TAIPEI)
        self.patch(main, "datetime", SimpleNamespace(now=lambda zone: self.now))
        self.rows = 3

    def ask(self, contract: str, start: str, end: str, *, timeout: int) -> SimpleNamespace:
        self.asked.append((contract, start, end, timeout))
        if contract in self.fails:
            raise TimeoutError("kbars")
        stamps = [(1795424460 + 60 * row) * 10**9 for row in range(self.rows)]
        prices = {name: [Decimal(100)] * self.rows for name in ("Open", "High", "Low", "Close")}
        return SimpleNamespace(ts=stamps, **prices, Volume=[7] * self.rows, Amount=[])

    def backfill(self, *codes: str, limit: int = 100) -> main.Backfill:
        quota = main.Quota(self.path, limit)
        return main.Backfill(self.told, self.ask, {code: code for code in codes}, quota)

    def run_one(self, *codes: str, limit: int = 100) -> None:
        """A whole run, in which no time passes."""
        backfill = self.backfill(*codes, limit=limit)
        waits: list[float] = []
        backfill._stopped.wait = lambda seconds: bool(waits.append(seconds))
        backfill._run()
        self.waits = [each for each in waits if each]

    def test_the_gateway_can_read_what_is_told(self) -> None:
        self.run_one("TXFR1", "2330")
        (name, event), *others = self.told.events
        self.assertEqual((name, event["code"]), ("market_kbars", "TXFR1"))
        rows = read_kbars(event)
        self.assertEqual([row.volume for row in rows], [7, 7, 7])
        begin = datetime(2026, 11, 23, 9, 0, tzinfo=main.TAIPEI)
        self.assertEqual(rows[0].time, begin.timestamp())
        # And once more, when the minute in which it began is over.
        self.assertEqual([each["code"] for _, each in others], ["2330", "TXFR1", "2330"])
        (wait,) = self.waits
        self.assertTrue(0 < wait <= 65)

    def test_of_many_bars_only_the_newest_are_told(self) -> None:
        self.rows = main.KBARS_ROWS + 10
        self.run_one("TXFR1")
        self.assertEqual([len(each["ts"]) for _, each in self.told.events], [main.KBARS_ROWS, 5])

    def test_what_the_gateway_heard_whole_is_not_told(self) -> None:
        first = int(datetime(2026, 11, 23, 9, 0, tzinfo=main.TAIPEI).timestamp())
        heard = {"bars": {"time": [first, first + 60]}, "partial": [first + 60]}
        self.told.answer = heard
        self.run_one("TXFR1")
        question = ("sjgateway:bars", {"code": "TXFR1", "from": first})
        self.assertEqual(self.told.questions, [question] * 2)
        told = [[row.time for row in read_kbars(event)] for _, event in self.told.events]
        self.assertEqual(told, [[first + 60, first + 120]] * 2)
        self.told.events.clear()
        self.told.answer = {"bars": {"time": [first, first + 60, first + 120]}, "partial": []}
        self.run_one("TXFR1")
        self.assertEqual(self.told.events, [])

    def test_without_a_sensible_answer_all_is_told(self) -> None:
        for answer in ({}, {"error": "busy"}, {"bars": None}, {"bars": {"time": [[]]}}):
            self.told.answer = answer
            self.told.events.clear()
            self.run_one("TXFR1")
            self.assertEqual([len(event["ts"]) for _, event in self.told.events], [3, 3])

    def test_what_clients_have_to_hear_comes_at_a_pace(self) -> None:
        self.patch(main, "KBARS_PACE", 250)
        self.rows = 1_000
        self.run_one("A", "B", "C")
        self.assertEqual(self.waits[:2], [4, 4])

    def test_it_asks_from_the_evening_before_on(self) -> None:
        for day, since in ((30, 27), (29, 27), (28, 27), (27, 26)):  # a Monday, and back
            self.now = self.now.replace(day=day)
            self.asked.clear()
            self.run_one("2330")
            wanted = ("2330", f"2026-11-{since}", f"2026-11-{day}", main.KBARS_TIMEOUT)
            self.assertEqual(self.asked[0], wanted)

    def test_restarts_of_a_day_count_together(self) -> None:
        self.run_one("A", "B", "C", limit=10)  # twice each
        self.assertEqual(len(self.asked), 5)  # but only up to half of the limit
        self.run_one("A", "B", "C", limit=10)
        self.run_one("A", "B", "C", limit=10)
        self.assertEqual(len(self.asked), 10)
        self.assertEqual(self.told.events[-1][0], "python_error")
        self.assertIn("1 of 3 codes left out", self.told.events[-1][1]["error"])
        self.assertIn("left out", self.said[-1])
        self.now = self.now.replace(day=30, month=12)
        self.run_one("A", limit=10)
        self.assertEqual(len(self.asked), 12)
        self.assertEqual(self.path.read_text(), "2026-12-30 2\n")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_the_limits_are_half_of_the_brokers(self) -> None:
        self.assertLessEqual(main.KBARS_A_DAY, 270 / 2)
        pause = main.__dict__["KBARS_PAUSE"] or 0.5
        self.assertLessEqual(5 / pause, 50 / 2)

    def test_a_count_that_can_not_be_kept_asks_for_nothing(self) -> None:
        self.path.parent.parent.mkdir(parents=True)
        self.path.parent.write_text("a file")
        self.run_one("A")
        self.assertEqual(self.asked, [])
        self.assertEqual(self.told.names, ["python_error"])

    def test_a_count_that_can_not_be_read_begins_anew(self) -> None:
        for text in ("", "x", "2026-11-30", "2026-11-30 x", "2026-11-30 -5", "\0" * 200):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text)
            self.assertTrue(main.Quota(self.path, 5).take(), text)
            self.assertEqual(self.path.read_text(), "2026-11-30 1\n")

    def test_a_code_that_fails_costs_only_itself(self) -> None:
        self.fails = {"B"}
        self.run_one("A", "B", "C")
        codes = [each["code"] for _, each in self.told.events]
        self.assertEqual(codes, ["A", "C", "A", "C"])

    def test_a_broker_that_has_none_is_not_asked_again_and_again(self) -> None:
        self.fails = set("ABCDE")
        self.run_one(*"ABCDE")
        self.assertEqual(len(self.asked), main.KBARS_FAILURES)
        self.assertEqual(self.told.names, ["python_error"])

    def test_no_bars_are_no_event(self) -> None:
        self.rows = 0
        self.run_one("A")
        self.assertEqual(self.told.events, [])
        self.assertEqual(len(self.asked), 1)

    def test_it_waits_for_a_gateway_that_is_away(self) -> None:
        self.told.connected = False
        backfill = self.backfill("TXFR1")

        def wait(seconds: float) -> bool:
            if seconds == main.FIRST_TRY:
                self.assertEqual((self.told.questions, self.told.events), ([], []))
                self.told.connected = True
            return False

        backfill._stopped.wait = wait
        backfill._run()
        self.assertEqual(len(self.told.questions), 2)

    def test_a_stop_ends_it(self) -> None:
        backfill = self.backfill("A")
        backfill.stop()
        backfill._run()
        self.assertEqual((self.asked, self.told.events), ([], []))

    def test_where_the_count_is_kept(self) -> None:
        for environ, path in (
            ({"SJGATEWAY_STATE_DIR": "/a", "STATE_DIRECTORY": "/b"}, "/a/kbars.json"),
            ({"STATE_DIRECTORY": "/b:/c", "XDG_STATE_HOME": "/x"}, "/b/kbars.json"),
            ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/sjgateway/kbars.json"),
            ({"HOME": "/h"}, "/h/.local/state/sjgateway/kbars.json"),
        ):
            self.assertEqual(main.Quota.of_kbars(environ)._path, Path(path))


class StandInTests(SynchronousTestCase):
    """`Broker` with the stand-ins of both versions."""

    def broker(self, version: str, told: Told, **more) -> tuple[main.Broker, list[Exception]]:
        folders = [str(STAND_INS), str(STAND_INS / f"shioaji_{version}")]
        self.patch(sys, "path", [*folders, *sys.path])
        for name in ("shioaji", "stand_in_broker"):
            self.addCleanup(sys.modules.pop, name, None)
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        self.patch(os, "environ", {**os.environ, "STAND_IN_TICKS": "200"})
        self.patch(sys, "stderr", StringIO())  # where the library writes of its own accord
        lost: list[Exception] = []
        if "quota" not in more:
            self.patch(main, "KBARS_PAUSE", 3600)  # no bars in these tests
        quota = main.Quota(Path(self.mktemp()), 0)
        arguments = {"simulation": True, "codes": ["TXFR1", "2330"], "quota": quota, **more}
        credentials = main.Credentials("a" * 12, "s" * 12, "/a/path", "password")
        broker = main.Broker(told, credentials, lost.append, **arguments)
        return broker, lost

    def open(self, version: str, **more) -> tuple[main.Broker, Told, list[Exception]]:
        told = Told()
        broker, lost = self.broker(version, told, **more)
        list(broker.open())
        self.addCleanup(broker.close)
        return broker, told, lost

    def test_it_tells_the_days_bars_when_it_is_ready(self) -> None:
        self.patch(main, "KBARS_PAUSE", 0.01)
        self.patch(main.log, "warning", lambda *_: None)
        for version in ("1_2", "1_7"):
            for how, events in (
                ("0.05", ["market_kbars", "market_kbars"]),
                ("raise", []),
                ("empty", []),
                ("absent", []),
            ):
                self.patch(os, "environ", {**os.environ, "STAND_IN_KBARS": how})
                quota = main.Quota(Path(self.mktemp()) / "kbars.json", 50)
                broker, told, _ = self.open(version, quota=quota)
                self.assertEqual(told.names[-1], "contracts_loaded", "nothing waits for bars")
                if how == "absent":
                    self.assertIsNone(broker._backfill)
                while broker._backfill is not None and broker._backfill.asked < 2:
                    told.await_published("market_tick")  # meanwhile ticks come
                broker.close()
                found = [name for name in told.names if name == "market_kbars"]
                self.assertEqual(found, events, (version, how))

    def test_it_gets_ready_and_publishes(self) -> None:
        for version, number in (("1_2", "1.2.9"), ("1_7", "1.7.9")):
            broker, told, _ = self.open(version)
            names = ["shioaji_ready", "python_status", "contracts_loaded"]
            self.assertEqual(told.names, ["python_status", *["market_contract"] * 2, *names])
            future, stock, ready, _, contracts = (data for _, data in told.events[1:])
            self.assertEqual((future["code"], future["target_code"]), ("TXFR1", "TXFL6"))
            self.assertEqual((future["limit_up"], future["delivery_date"]), (110, "2026-12-16"))
            self.assertEqual((stock["unit"], stock["exchange"]), (1000, "TSE"))
            self.assertNotIn("target_code", stock)
            self.assertEqual((ready["version"], ready["simulation"]), (number, True))
            self.assertEqual(contracts, {"count": 2, "sample": "TXFR1 臺股期貨近月, 2330 台積電"})
            tick = told.await_published("market_tick")
            self.assertIn((tick["exchange"], tick["code"]), {("TAIFEX", "TXFL6"), ("TSE", "2330")})
            self.assertIsInstance(tick["price"], float)
            self.assertEqual(tick["datetime"], "2026-11-23T09:00:00.123000+08:00")
            self.assertIs(tick["simtrade"], False)
            self.assertEqual((tick["tick_type"], tick["chg_type"]), (1, 2))
            self.assertEqual(
                (tick["price_chg"], tick["underlying_price"]), (tick["pct_chg"], 100.5)
            )
            quote = told.await_published("market_bidask")
            self.assertEqual(quote["bid_price"], [100.0, 99.0, 98.0, 97.0, 96.0])
            broker.close()

    def test_a_contract_that_changes_is_told_again(self) -> None:
        broker, told, _ = self.open("1_2")
        del told.events[:]
        broker._tell_contracts()
        self.assertEqual(told.events, [])
        contract = broker._api.Contracts.Futures["TXFR1"]
        contract.target_code, contract.reference = "TXFA7", 101.0
        broker._tell_contracts()
        ((name, facts),) = told.events
        self.assertEqual(
            (name, facts["target_code"], facts["reference"]), ("market_contract", "TXFA7", 101)
        )

    def test_a_snapshot_tells_the_reference_and_the_limits(self) -> None:
        broker, told, _ = self.open("1_7")
        broker.snapshot()
        snapshot = told.await_published("market_snapshot")
        self.assertEqual((snapshot["reference"], snapshot["limit_down"]), (100, 90))
        self.assertEqual(snapshot["name"], "臺股期貨近月")

    def test_the_current_price_is_the_first_contracts(self) -> None:
        broker, told, _ = self.open("1_7")
        while told.await_published("market_tick")["code"] != "TXFL6":
            pass
        state = broker.state()
        self.assertGreater(state["current_price"], 100)
        self.assertEqual((state["shioaji_connected"], state["subscribed_contracts"]), (True, 2))

    def test_snapshots_carry_the_contracts_names(self) -> None:
        for version in ("1_2", "1_7"):
            broker, told, _ = self.open(version)
            broker.snapshot()
            event = told.await_published("market_snapshot")
            self.assertEqual((event["code"], event["name"]), ("TXFR1", "臺股期貨近月"))
            broker.close()

    def test_a_contract_that_does_not_exist_costs_no_login(self) -> None:
        for version in ("1_2", "1_7"):
            broker, told, _ = self.open(version, codes=["TXF", "0000", "TXO23000L6"])
            errors = [data["error"] for name, data in told.events if name == "python_error"]
            self.assertEqual(len(errors), 2)
            self.assertIn("no contract TXF among Futures and Options", errors[0])
            self.assertIn("no contract 0000 among Stocks", errors[1])
            self.assertEqual(told.events[-1][1]["count"], 1)
            broker.close()

    def test_a_certificate_that_is_refused_costs_no_login(self) -> None:
        told = Told()
        broker, _ = self.broker("1_7", told)
        shioaji = importlib.import_module("shioaji")
        self.patch(shioaji.Shioaji, "activate_ca", lambda self, **_: False)
        list(broker.open())
        self.addCleanup(broker.close)
        self.assertEqual(told.events[1][1]["service"], "certificate")
        self.assertIn("shioaji_ready", told.names)

    def test_it_logs_in_once(self) -> None:
        broker, _, _ = self.open("1_2")
        error = self.assertRaises(RuntimeError, list, broker.open())
        self.assertIn("logs in once", str(error))

    def test_a_session_that_goes_down_is_a_reason_to_end(self) -> None:
        broker, _, lost = self.open("1_2")
        broker._api._broker.session_down()
        broker._api._broker.session_down()
        self.assertEqual([type(error) for error in lost], [main.SessionLost])
        self.assertFalse(broker.state()["shioaji_connected"])

    def test_after_a_failed_login_a_failing_logout_is_no_news(self) -> None:
        told = Told()
        broker, _ = self.broker("1_7", told)
        os.environ["STAND_IN_LOGIN"] = "connection"
        self.assertRaises(ConnectionError, list, broker.open())
        broker.close()

    def test_a_failing_logout_after_a_login_is_an_error(self) -> None:
        broker, _, _ = self.open("1_2")
        os.environ["STAND_IN_LOGOUT"] = "error"
        self.assertRaises(RuntimeError, broker.close)

    def test_a_quote_that_cannot_be_read_does_not_reach_the_native_thread(self) -> None:
        broker, _, _ = self.open("1_7")
        said: list[str] = []
        self.patch(main.log, "exception", lambda text, *args: said.append(text % args))
        broker._api._broker.callbacks["tick_fop_v1"](SimpleNamespace(code="TXFL6"))
        broker._api._broker.callbacks["tick_fop_v1"](Panicking())
        self.assertEqual(said, ["dropped a market_tick"] * 2)

    def test_without_shioaji_it_says_what_to_install(self) -> None:
        told = Told()
        broker, _ = self.broker("1_7", told)
        self.patch(main.importlib.util, "find_spec", lambda name: None)
        error = self.assertRaises(main.MissingPackage, list, broker.open())
        self.assertIn("pip install shioaji", str(error))


class FakeSource(main.Source):
    """Publishes nothing; says what it does."""

    def __init__(self, told: Told, *, failure: Exception | None = None) -> None:
        self.told = told
        self.failure = failure
        self.closing: Exception | None = None

    def open(self):
        self.told.emit("open", {})
        yield
        if self.failure is not None:
            raise self.failure
        self.told.emit("opened", {})

    def close(self) -> None:
        self.told.emit("log-out", {})
        if self.closing is not None:
            raise self.closing


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told = Told()
        self.stop: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        for level in ("error", "info"):
            self.patch(main.log, level, lambda *_, **__: None)

    def run_worker(self, source: main.Source) -> int:
        return main.Worker(self.told, source, self.stop).run()

    def test_a_stop_logs_out_then_says_so_then_disconnects(self) -> None:
        class Endless(FakeSource):
            def step(source, now: float) -> float:
                self.stop.put(main.Stopped("SIGTERM"))
                return now

        status = self.run_worker(Endless(self.told))
        self.assertEqual(status, 0)
        self.assertEqual(
            self.told.names,
            [
                *("python_status", "start", "open", "opened", "heartbeat"),
                *("log-out", "python_status", "close"),
            ],
        )
        self.assertEqual(self.told.events[-2][1], {"status": "stopped", "exit_status": 0})
        self.assertEqual(
            self.told.events[4][1],
            {
                "status": "waiting",
                "shioaji_connected": False,
                "gateway_connected": True,
                "current_price": None,
                "subscribed_contracts": 0,
            },
        )

    def test_a_stop_between_two_steps_of_the_start(self) -> None:
        self.stop.put(main.Stopped("SIGINT"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 0)
        self.assertNotIn("opened", self.told.names)
        self.assertIn("log-out", self.told.names)

    def test_a_stop_while_there_is_no_gateway(self) -> None:
        self.told.connected = False
        self.stop.put(main.Stopped("SIGINT"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 0)
        self.assertNotIn("open", self.told.names)

    def test_a_failure_is_told_before_the_log_out(self) -> None:
        source = FakeSource(self.told, failure=ConnectionError("no network"))
        self.assertEqual(self.run_worker(source), 1)
        self.assertEqual(
            self.told.names[-4:], ["python_error", "log-out", "python_status", "close"]
        )
        self.assertEqual(self.told.events[-2][1]["exit_status"], 1)

    def test_a_lost_session_ends_it(self) -> None:
        self.stop.put(main.SessionLost("gone"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 1)
        self.assertEqual(dict(self.told.events)["python_error"]["error"], "gone")

    def test_a_missing_package_has_a_status_of_its_own(self) -> None:
        source = FakeSource(self.told, failure=main.MissingPackage("no shioaji"))
        self.assertEqual(self.run_worker(source), 3)

    def test_a_stop_whose_log_out_fails_is_no_clean_end(self) -> None:
        source = FakeSource(self.told)
        source.closing = RuntimeError("no answer")
        self.stop.put(main.Stopped("SIGINT"))
        self.assertEqual(self.run_worker(source), 1)
        self.assertEqual(self.told.names[-2:], ["python_status", "close"])

    def test_heartbeats_come_about_every_ten_seconds(self) -> None:
        clock = [1000.0]
        self.patch(main.time, "monotonic", lambda: clock[0])
        beats: list[float] = []

        class Ticking(FakeSource):
            def state(source):
                beats.append(clock[0])
                return super().state()

            def step(source, now: float) -> float:
                clock[0] += 0.5
                if clock[0] > 1200:
                    self.stop.put(main.Stopped("SIGINT"))
                return now

        self.run_worker(Ticking(self.told))
        gaps = [later - earlier for earlier, later in pairwise(beats)]
        self.assertGreater(len(set(gaps)), 1)
        self.assertTrue(all(9 <= gap <= 11.5 for gap in gaps), gaps)

    def test_without_credentials_it_says_so_and_waits(self) -> None:
        self.stop.put(main.Stopped("SIGINT"))
        self.run_worker(main.NoCredentials(self.told, "API_KEY"))
        status = self.told.events[2][1]
        self.assertEqual(status["status"], "no credentials")
        self.assertIn("API_KEY is not set", status["message"])
