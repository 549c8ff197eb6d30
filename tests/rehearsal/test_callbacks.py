"""The styles of callbacks that workers were written with: before v1, of events, of indexes."""

import warnings

from tests.rehearsal.recorded import BEGIN, FUTURE, STOCK, bidask, tick
from tests.rehearsal.stand_in import Heard, StandInCase

INDEX = {"code": "001", "name": "加權指數", "exchange": "TSE", "reference": 22900.0}
OPTION = {"code": "TXO23000L6", "reference": 100.0}
DAY = [
    *((0, ["market_contract", each]) for each in (FUTURE, STOCK, INDEX, OPTION)),
    (1, tick(1, "001", 22950.0, total_amount=1e9)),
    (1, tick(1, "IX0001", 22950.0)),
    (1, bidask(1, "TXFL6", 23000.0)),
    (2, tick(2, "TXO23000L6", 100.0)),
    (2, tick(2, "TXFL6", 23000.0)),
]


class IndexTests(StandInCase):
    """Indexes, of which 1.2 and 1.7 tell each in a way of its own."""

    def test_on_quote_of_1_2_gets_a_topic_and_a_dictionary(self) -> None:
        for register in (
            lambda library, client, heard: client.on_quote(heard),
            lambda library, client, heard: client.quote.on_quote(heard),
            lambda library, client, heard: client.quote.set_quote_callback(library.on_quote(heard)),
        ):
            library = self.library("1.2", DAY)
            client = library.Shioaji()
            heard = Heard()
            register(library, client, heard)
            client.login("key", "secret")
            self.addCleanup(client.broker.log_out)
            client.quote.subscribe(client.Contracts.Indexs.TSE.TSE001, quote_type="tick")
            client.quote.subscribe(client.Contracts.Futures["TXFR1"])
            self.clock.move(1)
            ((topic, quote),) = heard.wait()
            self.assertEqual(topic, "I/TSE/001")
            wanted = {"Code": "001", "Close": 22950.0, "Volume": 2, "AmountSum": 1e9}
            self.assertLessEqual(wanted.items(), quote.items())
            self.assertEqual((quote["Date"], quote["Time"]), ("2026/11/27", "09:00:01.000000"))

    def test_on_quote_is_gone_in_1_7(self) -> None:
        client = self.library("1.7", DAY).Shioaji()
        self.assertFalse(hasattr(client, "on_quote"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            failure = self.failure(lambda: client.quote.set_quote_callback)
        self.assertIn("'Shioaji' object has no attribute 'set_quote_callback'", str(failure))

    def test_1_7_has_a_callback_of_its_own(self) -> None:
        client = self.client("1.7", DAY)
        heard, told = Heard(), Heard()
        client.on_event()(told)
        client.on_quote_idx_v1()(lambda quote: heard(quote))  # noqa: PLW0108  # counts parameters
        client.subscribe(client.contracts.get("IX0001"), quote_type="quote")
        topic = "QUO/v1/IND/*/TSE/IX0001"
        self.assertEqual(told.wait(), [(200, 16, topic, "Subscribe or Unsubscribe ok")])
        self.clock.move(1)
        ((quote,),) = heard.wait()
        self.assertEqual(
            (quote.code, quote.close, quote.exchange.value), ("IX0001", "22950.0", "TSE")
        )
        self.assertEqual((quote.vol_sum, quote.limit_up_count), (10, None))


DOWN = [(BEGIN + 20, "session-down", 0, "09:00:20 session-down")]
CODES = [(0, 0), (200, 16), (200, 16), (0, 12), (0, 1), (0, 0)]
"""Response and event: up, subscribed, no longer, reconnecting, down, up again."""


class EventTests(StandInCase):
    def check(self, version: str, register) -> None:
        library = self.library(version, DAY, DOWN)
        client = library.Shioaji()
        heard = Heard()
        register(client)(heard)
        client.login("key", "secret")
        self.addCleanup(client.broker.log_out)
        future = client.Contracts.Futures["TXFR1"]
        quotes = client.quote if version == "1.2" else client
        quotes.subscribe(future)
        quotes.unsubscribe(future)
        self.clock.move(20)
        heard.wait(5)
        client.login("key", "secret")
        calls = heard.wait(6)
        self.assertEqual([call[:2] for call in calls], CODES)
        self.assertEqual(calls[1][2:], ("TIC/v1/FOP/*/TFE/TXFL6", "Subscribe or Unsubscribe ok"))

    def test_the_session_and_subscriptions_are_told(self) -> None:
        self.check("1.2", lambda client: client.quote.on_event)
        self.check("1.2", lambda client: client.quote.set_event_callback)
        self.check("1.7", lambda client: client.on_event())
        self.check("1.7", lambda client: client.set_event_callback)

    def test_a_decorator_may_be_written_with_or_without_brackets_in_1_7(self) -> None:
        client = self.library("1.7", DAY, DOWN).Shioaji()
        heard, order = Heard(), Heard()
        self.assertIs(client.on_session_down()(heard), heard)
        self.assertIs(client.on_order(order), order)
        client.login("key", "secret")
        self.addCleanup(client.broker.log_out)
        self.clock.move(20)
        heard.wait()

    def test_what_was_registered_is_cleared_in_1_7(self) -> None:
        client = self.client("1.7", DAY)
        heard, last = Heard(), Heard()
        for register in (client.set_event_callback, client.set_order_callback):
            register(heard)
        client.set_session_down_callback(heard)
        client.set_on_bidask_fop_v1_callback(heard)
        for name in ("on_bidask_fop_v1", "event", "order", "session_down"):
            getattr(client, f"clear_{name}_callback")()
        client.on_tick_fop_v1()(lambda quote: last(quote))  # noqa: PLW0108
        for contract in (client.contracts.get("TXFR1"), client.contracts.get("TXO23000L6")):
            for kind in ("tick", "bid_ask"):
                client.subscribe(contract, kind)
        self.clock.move(2)
        last.wait(2)
        self.assertEqual(heard.calls, [])

    def test_a_callback_that_fails_is_printed_and_the_next_one_is_called(self) -> None:
        client = self.client("1.7", DAY)
        heard = Heard()

        def fails(*told: object) -> None:
            heard(*told)
            raise ZeroDivisionError

        client.set_event_callback(fails)
        future = client.contracts.get("TXFR1")
        client.subscribe(future)
        client.unsubscribe(future)
        heard.wait(2)
        self.until_said("ZeroDivisionError")


class ContractTests(StandInCase):
    def test_1_2_knows_a_contract_by_its_symbol_too(self) -> None:
        contracts = self.client("1.2", DAY).Contracts
        self.assertEqual(contracts.Futures.TXF.TXF202612.code, "TXFL6")
        self.assertEqual(contracts.Options.TXO.TXO20261223000C.strike_price, 23000.0)
        self.assertEqual(contracts.Stocks.TSE.TSE2330.name, "台積電")

    def test_a_kind_is_made_of_groups(self) -> None:
        for version in ("1.2", "1.7"):
            contracts = self.client(version, DAY).Contracts
            kinds = {name: [len(group) for group in kind] for name, kind in contracts}
            self.assertEqual(kinds["Futures"], [2])
            self.assertEqual([*contracts.Stocks.keys()], ["TSE"])
            self.assertIn("TXO", dir(contracts.Options))
            self.assertEqual([each.code for each in contracts.Stocks.TSE], ["2330"])

    def test_1_7_finds_them_by_code_root_and_kind(self) -> None:
        library = self.library("1.7", DAY)
        client = library.Shioaji()
        client.login("key", "secret")
        self.addCleanup(client.broker.log_out)
        contracts = client.contracts
        future = contracts.get("TXFR1")
        self.assertEqual((future.target_code, contracts.info(future).root), ("TXFL6", "TXF"))
        self.assertIsNone(contracts.get("0000"))
        self.assertEqual([each.code for each in contracts.options("TXO")], ["TXO23000L6"])
        self.assertEqual({each.code for each in contracts.futures("TXF")}, {"TXFR1", "TXFL6"})
        self.assertEqual(contracts.futures_roots(), [("TXF", future.name)])
        self.assertEqual(contracts.option_roots(), [("TXO", "TXO23000L6")])
        for kind in ("STK", library.SecurityType.Stock):
            self.assertEqual([each.code for each in contracts.list(kind)], ["2330"])
        self.assertEqual(contracts.Futures.TXF.TXFR1, future)


class SeveralSessionsTests(StandInCase):
    def test_two_accounts_of_one_worker_hang_once_and_lose_each_its_session(self) -> None:
        faults = [
            (BEGIN + 10, "session-down", 0, "09:00:10 session-down"),
            (BEGIN + 20, "hang", 0.01, "09:00:20 hang 0.01"),
            (BEGIN + 30, "token-expired", 0, "09:00:30 token-expired"),
        ]
        library = self.library("1.7", DAY, faults)
        down = [Heard(), Heard()]
        clients = []
        for heard in down:
            client = library.Shioaji()
            clients.append(client)
            client.set_session_down_callback(heard)
            client.login("key", "secret")
            self.addCleanup(client.broker.log_out)
        self.clock.move(10)
        for heard, client in zip(down, clients, strict=True):
            heard.wait()
            client.login("key", "secret")
        self.clock.move(20)
        self.until_said("hang")
        self.clock.move(30)
        self.until_said("expired", 2)
        self.assertEqual(self.said.getvalue().count("hang"), 1)
        self.assertEqual(self.clock.notes.read(), [text for _, _, _, text in faults])
