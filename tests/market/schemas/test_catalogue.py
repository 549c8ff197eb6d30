"""The types of the events are those of what main.py and the gateway send."""

import ast
from collections.abc import Iterator
from datetime import date, datetime
from inspect import getsource
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.worker_events import WorkerEvents
from gateway.client import convert, source
from gateway.client.connection import Gateway
from gateway.client.listed import ListedStrikes
from gateway.client.worker import Worker
from gateway.market import codes, contracts, events
from gateway.market.hours import MARKETS
from gateway.market.schemas import questions
from gateway.market.schemas.catalogue import ASKED, CONNECT, TOLD
from gateway.market.schemas.fields import names
from gateway.market.schemas.quotes import Marked
from gateway.market.schemas.states import Budget, FeedStatus
from gateway.relay.auth import KEYS
from gateway.relay.late_joiners import SUBSCRIBE
from gateway.relay.refusals import REFUSED, Refusals
from gateway.web.routes import schemas as rest
from gateway.worker.lifecycle.broker_limits import BrokerLimits
from gateway.worker.report import WorkerReport

AT = datetime(2026, 11, 23, 9, 0, 0, 500000)
MARKS = names(Marked)


class Everything(SimpleNamespace):
    """An object of the broker's library that has every attribute: 1, unless told otherwise."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return 1


def keys(function: Any) -> Iterator[str]:
    """The texts that are keys of the dictionaries which a function makes."""
    for node in ast.walk(ast.parse(dedent(getsource(function)))):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value)


class WorkerTests(SynchronousTestCase):
    def assert_told(self, name: str, event: dict[str, Any]) -> None:
        """`event` has every field of its type but those of all events, in the right types."""
        struct = TOLD[name].struct
        self.assertEqual(set(event), names(struct) - MARKS)
        msgspec.convert(event, struct)

    def test_quotes(self) -> None:
        quote = Everything(code="TXFL6", datetime=AT, exchange="TAIFEX")
        self.assert_told(events.TICK, convert.tick_event(quote))
        levels = {f"{side}_{of}": [1, 2] for side in ("bid", "ask") for of in ("price", "volume")}
        best = Everything(code="TXFL6", datetime=AT, exchange="TAIFEX", **levels)
        self.assert_told(events.BIDASK, convert.bidask_event(best))

    def test_contracts_and_snapshots(self) -> None:
        texts = {"code": "TXFR1", "target_code": "TXFL6", "name": "臺股期貨", "exchange": "TAIFEX"}
        option = Everything(
            **texts,
            category="TXF",
            option_right="C",
            delivery_date=date(2026, 12, 16),
        )
        api = SimpleNamespace(Contracts=SimpleNamespace(Options=SimpleNamespace(TXF=[option])))
        contract = ListedStrikes(api).event(convert.contract_event(option))
        self.assert_told(events.CONTRACT, {**contract, "tick_size": 1.0})
        self.assert_told(events.SNAPSHOT, convert.snapshot_event(Everything(**texts), contract))

    def test_bars_of_the_broker(self) -> None:
        columns = {name: [1] for name in ("Open", "High", "Low", "Close", "Volume")}
        bars = SimpleNamespace(ts=[1_764_000_000_000_000_000], **columns)
        self.assert_told(events.KBARS, convert.kbars_event("TXFL6", bars))

    def test_what_it_says_of_itself(self) -> None:
        state = {**source.Source().state(), "status": "", "gateway_connected": True}
        self.assert_told(events.HEARTBEAT, state)
        self.assertLessEqual(set(keys(Worker._heartbeat)), names(TOLD[events.HEARTBEAT].struct))
        told = set(keys(source.tell_ready))
        ready, loaded = (TOLD[name].struct for name in (events.READY, events.CONTRACTS_LOADED))
        self.assertEqual(told | {"version"}, (names(ready) | names(loaded)) - MARKS)
        error = names(TOLD[events.ERROR].struct) - MARKS
        self.assertEqual({*keys(Gateway.complain), "code"}, error)
        own = {*keys(Worker.run), *keys(source.NoCredentials.open)}
        self.assertLessEqual(own, names(TOLD[events.WORKER_STATUS].struct))

    def test_the_gateway_reads_fields_that_there_are(self) -> None:
        contract = names(TOLD[events.CONTRACT].struct) - MARKS
        self.assertEqual(contract, {"code", *contracts.TEXTS, *contracts.NUMBERS})
        self.assertLessEqual(contracts.OF_SNAPSHOT, names(TOLD[events.SNAPSHOT].struct))
        for field in ("code", "target_code"):
            self.assertIn(f'told.get("{field}")', getsource(codes))


class GatewayTests(SynchronousTestCase):
    def test_every_event_that_is_known_has_a_type(self) -> None:
        """Of `option_metadata`, which some workers send, the gateway knows only the name."""
        known = events.KNOWN | {events.ERROR, REFUSED}
        self.assertEqual(set(TOLD), known - {events.OPTION_METADATA})

    def test_what_the_gateway_tells(self) -> None:
        status = names(TOLD[events.WORKER_STATUS].struct) - MARKS | {"timestamp"}
        self.assertEqual({*keys(WorkerReport.event), "exit_status"}, status)
        self.assertEqual(set(keys(BrokerLimits.budget)), names(Budget))
        feed = names(TOLD[events.FEED_STATUS].struct) - MARKS | {"timestamp"}
        self.assertEqual(set(keys(WorkerEvents.feed_status)), feed)
        told = {"status": "live", "reason": "", "stale": []}
        for market in MARKETS:
            msgspec.convert({**told, "market": market}, FeedStatus)
        self.assertEqual(set(keys(Refusals.refuse)), names(TOLD[REFUSED].struct))

    def test_what_it_is_asked(self) -> None:
        self.assertEqual(set(ASKED), {SUBSCRIBE, events.ASK_BARS})
        self.assertEqual(names(CONNECT), set(KEYS))
        for ours, of_the_route in (
            (questions.BarsQuestion, rest.BarsQuery),
            (questions.Bars, rest.Bars),
            (questions.Columns, rest.Columns),
            (questions.ContractSince, rest.ContractSince),
        ):
            self.assertEqual(names(ours), names(of_the_route))
