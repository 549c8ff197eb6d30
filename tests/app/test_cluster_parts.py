"""What makes a gateway one of a cluster."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.cluster_parts import CUT_OFF, Hearing, cluster_settings, make_cluster
from gateway.cluster.told import differing
from gateway.options import Settings
from tests.optional import package

SECRET = "0123456789abcdef" * 4


class SettingsTests(SynchronousTestCase):
    def setUp(self) -> None:
        package("hiredis")
        self.key = Path(self.mktemp())
        self.key.write_text(f"{SECRET}\n")

    def settings(self, **given: Any) -> Settings:
        options = {"cluster": "redis://h", "cluster_key_file": self.key, "gateway_name": "g1"}
        return Settings(**options | given)

    def test_without_a_url_there_is_no_cluster(self) -> None:
        self.assertIsNone(cluster_settings(Settings()))
        self.assertIsNone(make_cluster(None, None, None, None))  # type: ignore[arg-type]

    def test_what_is_said_of_it(self) -> None:
        password = Path(self.mktemp())
        password.write_text("secret\n")
        made = cluster_settings(
            self.settings(cluster_password_file=password, history_events=7, history_size=8)
        )
        assert made is not None
        self.assertEqual(made.key, SECRET.encode())
        self.assertEqual((made.records, made.history, made.gateway), (7, 8, "g1"))
        self.assertEqual(made.address.password, "secret")
        for word in ("secret", SECRET):
            self.assertNotIn(word, repr(made))

    def test_what_has_to_be_the_same_everywhere_is_told_in_one_form(self) -> None:
        one = cluster_settings(self.settings(state_events=("a", "b"), history_events=7))
        other = cluster_settings(self.settings(state_events=("b", "a"), cluster_hold=2.0))
        assert one is not None
        assert other is not None
        self.assertEqual(differing(one.alike, other.alike), ["--history-events"])
        self.assertEqual(one.alike["--state-events"], "a b")

    def test_each_use_has_a_key_of_its_own(self) -> None:
        made = cluster_settings(self.settings())
        assert made is not None
        self.assertNotEqual(made.secret("pids"), made.secret("mark"))

    def test_without_a_name_it_is_the_machine_s(self) -> None:
        made = cluster_settings(self.settings(gateway_name=None))
        assert made is not None
        self.assertTrue(made.gateway)

    def test_what_makes_no_sense_is_refused_in_one_line(self) -> None:
        short = Path(self.mktemp())
        short.write_text("too short\n")
        for given, why in (
            ({"cluster_key_file": None}, "--cluster-key-file"),
            ({"cluster_key_file": short}, "32 bytes"),
            ({"cluster_key_file": Path("/nowhere/key")}, "can't be read"),
            ({"gateway_name": "a b"}, "--gateway-name"),
            ({"cluster_name": "a{b"}, "--cluster-name"),
            ({"cluster": "http://h"}, "--cluster"),
            ({"replay": (Path("x"),)}, "--replay"),
        ):
            with self.assertRaises(ValueError) as caught:
                cluster_settings(self.settings(**given))
            self.assertIn(why, str(caught.exception), given)
            self.assertNotIn("\n", str(caught.exception))


class HearingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[Any] = []
        self.told: list[Any] = []
        self.freshness = SimpleNamespace(
            hear=lambda *event: self.heard.append(event),
            trading={"stocks", "futures"},
            reasons={},
            stale=set(),
        )
        self.leads = False
        events: Any = SimpleNamespace(
            freshness=self.freshness,
            leads=lambda: self.leads,
            feed_status=lambda *told: dict(
                zip(("status", "market", "reason", "stale"), told, strict=True)
            ),
        )
        cluster: Any = SimpleNamespace(tell_here=lambda *told: self.told.append(told))
        self.hearing = Hearing(cluster, events)

    def states(self) -> list[tuple[str, str, str]]:
        return [(v["market"], v["status"], v["reason"]) for _, v in self.told]

    def test_the_events_of_another_gateway_s_worker_count(self) -> None:
        events: Any = [
            SimpleNamespace(name="market_tick", code="A", current=True),
            SimpleNamespace(name="market_tick", code="B", current=False),
            SimpleNamespace(name="python_status", code=None, current=True),
        ]
        self.hearing.overheard(events)
        self.assertEqual(self.heard, [("market_tick", "A")])

    def test_clients_are_told_of_each_open_market_that_it_is_cut_off(self) -> None:
        self.hearing.cut_off("refused")
        both = [("futures", "stale", CUT_OFF), ("stocks", "stale", CUT_OFF)]
        self.assertEqual(self.states(), both)
        self.told.clear()
        self.freshness.trading = set()
        self.freshness.reasons = {"stocks": "no ticks"}
        self.hearing.cut_off("")
        both = [("futures", "live", ""), ("stocks", "stale", "no ticks")]
        self.assertEqual(self.states(), both)

    def test_clients_of_the_worker_s_own_gateway_hear_it_and_are_told_nothing(self) -> None:
        self.leads = True
        self.hearing.cut_off("refused")
        self.assertEqual(self.told, [])
