"""Shioaji as a source: its login, and both versions by their stand-ins."""

import importlib
import importlib.util
import os
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.client import backfill
from gateway.client.backfill import Quota
from gateway.client.broker import CONTRACTS_TIMEOUT, Broker, login
from gateway.client.console import log
from gateway.client.rule import Rule
from gateway.client.settings import Credentials
from gateway.client.source import MissingPackage, SessionLost
from tests.client.told import Told

STAND_INS = Path(__file__).parents[1] / "stand_ins"


class LoginTests(SynchronousTestCase):
    credentials = Credentials("the key", "the secret")

    def test_the_signature_before_1_7(self) -> None:
        class Api:
            def login(self, api_key, secret_key, fetch_contract=True, contracts_timeout=0):
                self.got = (api_key, secret_key, fetch_contract, contracts_timeout)

        api = Api()
        login(api, self.credentials)
        self.assertEqual(api.got, ("the key", "the secret", True, CONTRACTS_TIMEOUT))

    def test_the_signature_of_1_7(self) -> None:
        class Api:
            def login(self, api_key, secret_key, subscribe_trade=True):
                self.got = (api_key, secret_key)

        api = Api()
        login(api, self.credentials)
        self.assertEqual(api.got, ("the key", "the secret"))

    def test_a_native_method_without_a_signature(self) -> None:
        got = []

        class Native:
            __signature__ = "none"

            def __call__(self, **arguments):
                got.append(arguments)

        login(SimpleNamespace(login=Native()), self.credentials)
        self.assertEqual(got, [{"api_key": "the key", "secret_key": "the secret"}])

    def test_a_type_error_of_the_broker_is_not_taken_for_a_signature(self) -> None:
        calls = []

        class Api:
            def login(self, api_key, secret_key, contracts_timeout=0):
                calls.append(1)
                raise TypeError("unsupported operand")

        self.assertRaises(TypeError, login, Api(), self.credentials)
        self.assertEqual(calls, [1])


class Panicking:
    """A quote of a native library that panics when it is read, which is no Exception."""

    @property
    def exchange(self) -> str:
        raise BaseException("a panic")


class StandInTests(SynchronousTestCase):
    """`Broker` with the stand-ins of both versions."""

    def broker(self, version: str, told: Told, **more) -> tuple[Broker, list[Exception]]:
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
            self.patch(backfill, "KBARS_PAUSE", 3600)  # no bars in these tests
        quota = Quota(Path(self.mktemp()), 0)
        arguments = {
            "simulation": True,
            "codes": ["TXFR1", "2330"],
            "quota": quota,
            "rule": Rule(),
            **more,
        }
        credentials = Credentials("a" * 12, "s" * 12, "/a/path", "password")
        broker = Broker(told, credentials, lost.append, **arguments)
        return broker, lost

    def open(self, version: str, **more) -> tuple[Broker, Told, list[Exception]]:
        told = Told()
        broker, lost = self.broker(version, told, **more)
        list(broker.open())
        self.addCleanup(broker.close)
        return broker, told, lost

    def test_it_tells_the_days_bars_when_it_is_ready(self) -> None:
        self.patch(backfill, "KBARS_PAUSE", 0.01)
        self.patch(log, "warning", lambda *_: None)
        for version in ("1_2", "1_7"):
            for how, events in (
                ("0.05", ["market_kbars", "market_kbars"]),
                ("raise", []),
                ("empty", []),
                ("absent", []),
            ):
                self.patch(os, "environ", {**os.environ, "STAND_IN_KBARS": how})
                quota = Quota(Path(self.mktemp()) / "kbars.json", 50)
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
        broker._api.broker.told.session_down()
        broker._api.broker.told.session_down()
        self.assertEqual([type(error) for error in lost], [SessionLost])
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
        self.patch(log, "exception", lambda text, *args: said.append(text % args))
        broker._api.broker.callbacks["tick_fop_v1"](SimpleNamespace(code="TXFL6"))
        broker._api.broker.callbacks["tick_fop_v1"](Panicking())
        self.assertEqual(said, ["dropped a market_tick"] * 2)

    def test_without_shioaji_it_says_what_to_install(self) -> None:
        told = Told()
        broker, _ = self.broker("1_7", told)
        self.patch(importlib.util, "find_spec", lambda name: None)
        error = self.assertRaises(MissingPackage, list, broker.open())
        self.assertIn("pip install shioaji", str(error))
