"""What a worker finds in a rehearsal: both interfaces of the library, and the broker behind."""

import threading
import warnings
from datetime import date
from decimal import Decimal

from tests.rehearsal.recorded import BEGIN, FUTURE, STOCK, bidask, tick
from tests.rehearsal.stand_in import Heard, StandInCase

CONTRACTS = [(0, ["market_contract", FUTURE]), (0, ["market_contract", STOCK])]
DAY = [
    *CONTRACTS,
    (1, tick(1, "TXFL6", 23000.0)),
    (1, bidask(1, "TXFL6", 23000.0)),
    (1, tick(1, "2330", 1200.0)),
    (50, tick(50, "TXFL6", 22990.0)),
    (50, bidask(50, "TXFL6", 22990.0)),
]


def one(heard: Heard, *, fails: bool = False):
    """A callback that takes a quote alone; the library counts parameters."""

    def callback(quote):
        heard(quote)
        if fails:
            raise ZeroDivisionError

    return callback


def two(heard: Heard):
    """One that takes two."""
    return lambda first, second: heard(first, second)  # noqa: PLW0108


class QuoteTests(StandInCase):
    def subscribe(self, client, *contracts) -> None:
        subscribe = client.quote.subscribe if client.version == "1.2" else client.subscribe
        for contract in contracts:
            for kind in ("tick", "bidask"):
                subscribe(contract, quote_type=kind)

    def open(self, version: str, events=DAY):
        client = self.client(version, events)
        client.version = version
        return client

    def test_a_tick_of_1_2_is_decimal_and_comes_with_its_exchange(self) -> None:
        client = self.open("1.2")
        heard, stock = Heard(), Heard()
        client.on_tick_fop_v1()(heard)
        client.quote.set_on_tick_stk_v1_callback(stock)
        self.subscribe(client, client.Contracts.Futures["TXFR1"], client.Contracts.Stocks["2330"])
        self.clock.move(1)
        exchange, quote = heard.wait()[0]
        self.assertEqual((str(exchange), exchange.value), ("TAIFEX", "TAIFEX"))
        self.assertEqual((quote.code, quote.close), ("TXFL6", Decimal("23000.0")))
        self.assertEqual(str(quote.datetime), "2026-11-27 09:00:01")
        self.assertEqual(stock.wait()[0][1].code, "2330")

    def test_a_tick_of_1_7_is_text_and_comes_alone_or_with_its_exchange(self) -> None:
        client = self.open("1.7")
        alone, pair, bound = Heard(), Heard(), Heard()
        client.set_context("context")
        client.on_tick_fop_v1()(one(alone))
        client.on_bidask_fop_v1(bind=True)(two(bound))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client.quote.set_on_tick_stk_v1_callback(two(pair))
        self.subscribe(client, client.Contracts.Futures.TXF.TXFR1, client.Contracts.Stocks["2330"])
        self.clock.move(1)
        ((quote,), *_) = alone.wait()
        self.assertEqual(
            (quote.close, quote["close"], quote.exchange.value), ("23000.0",) * 2 + ("TAIFEX",)
        )
        self.assertEqual(pair.wait()[0][0].value, "TSE")
        context, quote = bound.wait()[0]
        self.assertEqual(
            (context, quote.ask_price, quote.bid_volume),
            ("context", ["23001.0", "23002.0"], [3, 4]),
        )

    def test_a_quote_is_a_trade_with_the_bid_and_ask(self) -> None:
        for version, price in (("1.2", Decimal), ("1.7", str)):
            client = self.open(version)
            heard = Heard()
            client.on_quote_fop_v1()(two(heard) if version == "1.2" else one(heard))
            subscribe = client.quote.subscribe if version == "1.2" else client.subscribe
            subscribe(client.Contracts.Futures["TXFR1"], quote_type="quote")
            self.clock.move(1)
            quote = heard.wait(2)[1][-1]
            self.assertEqual(
                (quote.close, quote.ask_price[0]), (price("23000.0"), price("23001.0"))
            )
            client.broker.log_out()

    def test_only_what_was_subscribed_to_is_heard(self) -> None:
        client = self.open("1.7")
        heard, stock = Heard(), Heard()
        client.on_tick_fop_v1()(one(heard))
        client.on_tick_stk_v1()(one(stock))
        self.subscribe(client, client.Contracts.Futures["TXFR1"])
        self.clock.move(50)
        heard.wait(2)
        self.assertEqual(stock.calls, [])

    def test_a_callback_that_fails_is_printed_and_called_again(self) -> None:
        client = self.open("1.7")
        heard = Heard()
        client.on_tick_fop_v1()(one(heard, fails=True))
        self.subscribe(client, client.Contracts.Futures["TXFR1"])
        self.clock.move(50)
        heard.wait(2)
        self.assertIn("ZeroDivisionError", self.said.getvalue())

    def test_no_more_than_200_subscriptions(self) -> None:
        many = [(0, tick(0, f"{code}", 1)) for code in range(1000, 1101)]
        for version in ("1.2", "1.7"):
            client = self.open(version, many)
            contracts = list(client.Contracts.Stocks.TSE)
            self.subscribe(client, *contracts[:100])
            error = self.failure(self.subscribe, client, contracts[100])
            self.assertIn("200", str(error))

    def test_a_continuous_contract_is_one_subscription(self) -> None:
        codes = [f"Z{number:02}" for number in range(101)]
        facts = [{"code": f"{each}R1", "target_code": f"{each}L6"} for each in codes]
        client = self.open("1.7", [*((0, ["market_contract", each]) for each in facts), *DAY])
        futures = [client.Contracts.Futures[each["code"]] for each in facts]
        self.subscribe(client, *futures[:100], futures[0])
        self.assertIn("200", str(self.failure(self.subscribe, client, futures[100])))
        client.unsubscribe(futures[0], "tick")
        client.subscribe(futures[100], "tick")

    def test_before_the_first_trade_a_snapshot_has_the_reference(self) -> None:
        for version in ("1.2", "1.7"):
            client = self.open(version, [*DAY, (50, tick(50, "2317", 200.0))])
            stocks = client.Contracts.Stocks
            snapshots = client.snapshots([stocks["2330"], stocks["2317"]])
            self.assertEqual([each.close for each in snapshots], [1200.0, 200.0])
            client.logout()

    def test_the_indexes_are_there_without_a_price(self) -> None:
        for version, code in (("1.2", "001"), ("1.7", "IX0001")):
            client = self.open(version)
            index = client.Contracts.Indexs.TSE[code]
            self.assertEqual((index.symbol, client.snapshots([index])), (f"TSE{code}", []))
            self.subscribe(client, index)
            client.logout()

    def test_questions_are_answered_from_the_recording(self) -> None:
        client = self.open("1.7")
        heard = Heard()
        client.on_tick_fop_v1()(one(heard))
        future = client.Contracts.Futures["TXFR1"]
        self.subscribe(client, future)
        self.clock.move(50)
        heard.wait(2)
        (snapshot,) = client.snapshots([future, client.Contracts.Futures.get("TXFR1")])[:1]
        self.assertEqual((snapshot.code, snapshot.close), ("TXFR1", 22990))
        kbars = {**client.kbars(future, "2026-11-27", "2026-11-27")}
        self.assertEqual((kbars["Open"], kbars["Low"], kbars["Volume"]), ([23000], [22990], [4]))
        self.assertGreater(client.usage().bytes, 0)

    def test_a_contract_that_does_not_exist(self) -> None:
        old, new = self.open("1.2").Contracts, self.open("1.7").Contracts
        self.assertIsNone(old.Stocks["0000"])
        self.assertRaises(KeyError, lambda: new.Stocks["0000"])
        self.assertEqual(list(new.Options.TXO), [])
        self.assertEqual(old.Futures["TXF"]["TXFR1"].delivery_date, "2026/12/16")


class OrderTests(StandInCase):
    def order(self, client, **more):
        fields = {"action": "Buy", "price": 22995, "quantity": 1, "price_type": "LMT"}
        return client.Order(**{**fields, "order_type": "ROD", **more})

    def place(self, version: str, **more):
        client = self.client(version, DAY)
        heard, told = Heard(), Heard()
        client.set_order_callback(told)
        future = client.Contracts.Futures["TXFR1"]
        client.broker.callbacks["bidask_fop_v1"] = heard
        client.broker.subscribe(future, "bidask")
        self.clock.move(1)
        heard.wait()
        return client, client.place_order(future, self.order(client, **more)), told

    def test_a_limit_order_waits_until_the_market_is_there(self) -> None:
        for version in ("1.2", "1.7"):
            client, trade, told = self.place(version)
            self.assertEqual((len(told.wait(1)), trade.status.status), (1, "Submitted"))
            self.clock.move(50)
            (state, message), (after, deal) = told.wait(2)[:2]
            self.assertEqual((state.value, after.value), ("FORDER", "FDEAL"))
            self.assertEqual(
                (message["operation"]["op_type"], message["order"]["price"]), ("New", 22995)
            )
            self.assertEqual((deal["price"], deal["quantity"], deal["code"]), (22991, 1, "TXF"))
            self.assertEqual((deal["full_code"], trade.status.status), ("TXFL6", "Filled"))
            (position,) = client.list_positions(client.futopt_account)
            self.assertEqual(
                (position.code, position.direction, position.quantity), ("TXFL6", "Buy", 1)
            )
            client.logout()

    def test_a_market_order_is_filled_at_once_at_the_best_price(self) -> None:
        _, bought, _ = self.place("1.7", price_type="MKT", price=0)
        self.assertEqual(bought.status.deals[0].price, 23001)
        _, sold, _ = self.place("1.7", price_type="MKT", price=0, action="Sell", order_type="IOC")
        self.assertEqual(sold.status.deals[0].price, 22999)

    def test_what_can_not_be_filled_at_once_is_cancelled_where_that_was_asked(self) -> None:
        _, trade, told = self.place("1.7", order_type="IOC", price=22000)
        self.assertEqual(trade.status.status, "Cancelled")
        kinds = [message["operation"]["op_type"] for _, message in told.wait(2)]
        self.assertEqual(kinds, ["New", "Cancel"])

    def test_an_order_is_changed_and_cancelled(self) -> None:
        client, trade, told = self.place("1.2", price=22000, quantity=3)
        client.update_order(trade, qty=1)
        self.assertEqual((trade.order.quantity, trade.status.status), (2, "Submitted"))
        client.update_order(trade, price=23500)
        self.assertEqual(trade.status.status, "Filled")
        client.cancel_order(trade)
        kinds = [message.get("operation", {}).get("op_type", "Deal") for _, message in told.wait(4)]
        self.assertEqual(kinds, ["New", "UpdateQty", "UpdatePrice", "Deal"])
        self.assertEqual(client.list_trades(), [trade])

    def test_a_trial_match_fills_nothing(self) -> None:
        trial = bidask(1, "TXFL6", 23000.0)
        trial[1]["simtrade"] = True
        events = [*CONTRACTS, (1, trial), (50, bidask(50, "TXFL6", 22990.0))]
        client = self.client("1.7", events)
        heard = Heard()
        client.on_bidask_fop_v1()(one(heard))
        future = client.Contracts.Futures["TXFR1"]
        client.subscribe(future, "bidask")
        self.clock.move(1)
        heard.wait()
        trade = client.place_order(future, self.order(client, price_type="MKT", price=0))
        self.assertEqual(trade.status.status, "Submitted")
        self.clock.move(50)
        heard.wait(2)
        self.assertEqual(trade.status.deals[0].price, 22991)


class SessionTests(StandInCase):
    def test_one_logs_out_and_in_again_and_hears_and_orders_as_before(self) -> None:
        for version in ("1.2", "1.7"):
            client = self.client(version, DAY)
            client.logout()
            client.login("the key", "the secret")
            heard, told = Heard(), Heard()
            client.broker.callbacks["tick_fop_v1"] = heard
            client.set_order_callback(told)
            future = client.Contracts.Futures["TXFR1"]
            client.broker.subscribe(future, "tick")
            self.clock.move(50)
            heard.wait(2)
            order = client.Order(action="Buy", price=0, quantity=1, price_type="MKT")
            client.place_order(future, order)
            told.wait(2)
            client.logout()

    def test_a_login_after_a_lost_session_may_be_refused_and_mends_it(self) -> None:
        faults = [(BEGIN + 20, "login", 451, "09:00:20 login 451")]
        client = self.client("1.7", DAY, faults)
        self.assertEqual(len(client.login("the key", "the secret")), 2)
        self.clock.move(20)
        self.until_said("login 451")
        self.assertIn("451", str(self.failure(client.login, "the key", "the secret")))
        self.assertEqual(len(client.login("the key", "the secret")), 2)

    def test_a_login_mends_an_expired_token(self) -> None:
        faults = [(BEGIN + 20, "token-expired", 0, "09:00:20 token-expired")]
        client = self.client("1.7", DAY, faults)
        self.clock.move(20)
        self.until_said("token-expired")
        self.assertIn("Token is expired", str(self.failure(client.usage)))
        client.login("the key", "the secret")
        self.assertGreater(client.usage().limit_bytes, 0)

    def test_the_end_of_the_recording_is_said(self) -> None:
        self.client("1.7", DAY)
        self.clock.move(51)
        self.until_said("REHEARSAL: the recording is over")

    def test_what_no_broker_would_tell_of_a_contract_is_left_out(self) -> None:
        odd = {"code": "TXFL6", "exchange": "NYSE", "delivery_date": 20261216, "reference": "7"}
        odd["security_type"] = "BOND"
        for version in ("1.2", "1.7"):
            client = self.client(version, [(0, ["market_contract", odd]), *DAY[2:]])
            future = client.Contracts.Futures["TXFL6"]
            self.assertEqual(
                (str(future.exchange), future.delivery_date, future.reference),
                ("TAIFEX", "2026/12/16", 0.0),
            )
            client.logout()


class FaultTests(StandInCase):
    def test_a_session_goes_down(self) -> None:
        faults = [(BEGIN + 20, "session-down", 0, "09:00:20 session-down")]
        client = self.library("1.7", DAY, faults).Shioaji()
        heard = Heard()
        client.set_session_down_callback(heard)
        client.login("key", "secret")
        self.addCleanup(client.broker.log_out)
        self.clock.move(20)
        heard.wait()
        self.assertIn("REHEARSAL: 09:00:20 session-down", self.said.getvalue())

    def test_a_login_is_refused_once_with_the_brokers_words(self) -> None:
        for number, version in ((451, "1.2"), (503, "1.7"), (503, "1.2"), (451, "1.7")):
            faults = [(BEGIN, "login", number, f"09:00 login {number}")]
            library = self.library(version, DAY, faults)
            error = self.failure(library.Shioaji().login, "key", "secret")
            self.assertIn(str(number), str(error))
            client = library.Shioaji()
            client.login("key", "secret")
            client.logout()

    def test_an_expired_token_is_told_at_each_question(self) -> None:
        faults = [(BEGIN + 20, "token-expired", 0, "09:00:20 token-expired")]
        for version in ("1.2", "1.7"):
            client = self.client(version, DAY, faults)
            future = client.Contracts.Futures["TXFR1"]
            heard = Heard()
            client.broker.callbacks["tick_fop_v1"] = heard
            client.broker.subscribe(future, "tick")
            self.clock.move(50)
            heard.wait(2)  # the second one is of 50 s
            self.until_said("token-expired")
            error = self.failure(client.snapshots, [future])
            self.assertIn("Token is expired", str(error))
            client.broker.log_out()

    def test_a_silence_costs_the_quotes_of_its_time(self) -> None:
        faults = [(BEGIN + 20, "silence", 35, "09:00:20 silence 35")]
        client = self.client("1.7", [*DAY, (60, tick(60, "TXFL6", 22980.0))], faults)
        heard = Heard()
        client.on_tick_fop_v1()(one(heard))
        client.subscribe(client.Contracts.Futures["TXFR1"], "tick")
        self.clock.move(1)
        heard.wait()
        self.clock.move(20)
        self.until_said("silence")
        self.clock.move(60)
        prices = [quote.close for (quote,) in heard.wait(2)]
        self.assertEqual(prices, ["23000.0", "22980.0"])

    def test_a_hang_lets_nothing_else_run(self) -> None:
        self.library("1.7", DAY)
        from rehearsed import native

        turns = [0]
        over = threading.Event()

        def turn() -> None:
            while not over.wait(0.001):
                turns[0] += 1

        other = threading.Thread(target=turn)
        other.start()
        self.addCleanup(other.join)
        self.addCleanup(over.set)
        before = turns[0]
        native.hang(0.5)
        self.assertLess(turns[0] - before, 20)

    def test_when_a_contract_is_delivered(self) -> None:
        self.library("1.7", DAY)
        from rehearsed.contracts import contract_of

        day = date(2026, 11, 27)
        for code, when in (
            ("TXFL6", "2026/12/16"),
            ("TXFA7", "2027/01/20"),
            ("TXO23000X6", "2026/12/16"),
            ("TXFR1", "2026/12/16"),
            ("TXFR2", "2027/01/20"),
            ("2330", ""),
        ):
            self.assertEqual(contract_of({"code": code}, day).delivery_date, when, code)

    def test_nothing_but_login_can_be_called_before_it_in_1_7(self) -> None:
        client = self.library("1.7", DAY).Shioaji()
        for call in (lambda: client.Contracts, client.usage, client.logout):
            self.assertIn("Not authenticated", str(self.failure(call)))
