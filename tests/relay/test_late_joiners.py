"""Late joiners, filters and publish rights, through a whole hub."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.late_joiners import SUBSCRIBE
from tests.relay.world import PollingClient, RelayWorld, WebSocketClient, market


def events(heard: list[Any]) -> list[Any]:
    """The arrays of the events among the messages of `heard`."""
    return [orjson.loads(text[text.index("[") :]) for text in heard if text.startswith("42")]


class ScreenTestCase(SynchronousTestCase):
    def start(self, **snapshots: Any) -> None:
        self.world = RelayWorld(**market(**snapshots))
        self.worker = self.world.client()
        self.world.watcher.trusted.add(self.worker.reply["sid"])

    def setUp(self) -> None:
        self.start()

    def say(self, name: str, *, sender: WebSocketClient | None = None, **fields: Any) -> None:
        (sender or self.worker).emit(name, fields)

    def late(self, **auth: Any) -> list[Any]:
        """What a client that joins now hears at once."""
        client = WebSocketClient(self.world)
        self.world.flush()
        client.say(f"40{orjson.dumps(auth).decode()}")
        self.world.flush()
        _, reply, *rest = client.heard
        self.assertTrue(reply.startswith("40{"), reply)
        self.joined = client
        return events(rest)


class SnapshotTests(ScreenTestCase):
    def test_states_are_told_to_everybody_and_quotes_to_who_asks(self) -> None:
        self.say("market_tick", code="TXFL6", price=1)
        self.say("shioaji_ready", status="ready")
        self.assertEqual(self.late(), [["shioaji_ready", {"status": "ready"}]])
        self.assertEqual(
            self.late(snapshot=True),
            [
                ["market_tick", {"code": "TXFL6", "price": 1}],
                ["shioaji_ready", {"status": "ready"}],
            ],
        )

    def test_only_the_newest_of_each_key_in_the_order_last_seen(self) -> None:
        for code, price in (("A", 1), ("B", 2), ("A", 3)):
            self.say("market_tick", code=code, price=price)
        prices = [tick["price"] for _, tick in self.late(snapshot=True)]
        self.assertEqual(prices, [2, 3])

    def test_the_bytes_are_the_senders(self) -> None:
        self.worker.say('42["market_tick",{"code":"A",  "price":1.0,"n":12345678901234567890}]')
        self.late(snapshot=True)
        written = b"".join(self.joined.wire.writes)
        self.assertIn(b'{"code":"A",  "price":1.0,"n":12345678901234567890}]', written)

    def test_quotes_by_option_and_states_by_option(self) -> None:
        self.start(quotes=True, states=False)
        self.say("market_tick", code="A")
        self.say("shioaji_ready")
        self.assertEqual(self.late(), [["market_tick", {"code": "A"}]])
        self.assertEqual(self.late(snapshot=False), [])

    def test_strangers_leave_nothing_behind(self) -> None:
        stranger = self.world.client()
        self.say("shioaji_ready", sender=stranger, status="forged")
        self.assertEqual(self.late(snapshot=True), [])

    def test_the_worker_gets_no_snapshot(self) -> None:
        self.say("shioaji_ready")
        again = WebSocketClient(self.world)
        self.world.flush()
        self.world.watcher.is_worker = lambda sender: True
        again.say("40")
        self.world.flush()
        self.assertEqual(events(again.heard), [])

    def test_a_dead_worker_is_not_told_as_ready_and_the_gateways_word_stays(self) -> None:
        self.say("shioaji_ready")
        self.say("heartbeat")
        self.say("contracts_loaded")
        self.say("market_tick", code="A")
        self.world.relay.worker_gone()
        self.world.relay.publish("python_status", {"status": "exited"})
        self.assertEqual(
            self.late(snapshot=True),
            [["market_tick", {"code": "A"}], ["python_status", {"status": "exited"}]],
        )

    def test_quotes_of_another_time_are_told_to_nobody(self) -> None:
        self.say("market_contract", code="A")
        self.say("market_tick", code="A", number=1)
        self.say("market_tick", code="B", number=1)
        self.world.relay.quotes_gone()
        self.say("market_tick", code="B", number=2)
        heard = self.late(snapshot=True)
        self.assertEqual(
            [(name, told["code"]) for name, told in heard],
            [("market_contract", "A"), ("market_tick", "B")],
        )

    def test_nor_by_the_last_words_of_the_worker_itself(self) -> None:
        self.world.watcher.worker_lives = False
        self.world.relay.worker_gone()
        self.say("shioaji_ready")
        self.assertEqual(self.late(), [])

    def test_the_last_words_of_a_worker_that_has_ended_are_told_but_for_that(self) -> None:
        self.say("market_tick", code="A", number=1)
        self.world.watcher.worker_lives = False
        self.world.relay.worker_gone()
        self.say("market_tick", code="A", number=2)
        heard = self.late(snapshot=True)
        self.say("market_tick", code="A", number=3)
        self.world.flush()
        heard += events(self.joined.heard)
        self.assertEqual([tick["number"] for _, tick in heard], [2, 3])

    def test_who_is_the_worker_is_asked_when_it_joins(self) -> None:
        """Of a process that has ended meanwhile nobody could tell."""
        asked: list[str] = []
        self.world.watcher.is_worker = lambda sender: asked.append(sender.socket.sid) is None
        worker = self.world.client()
        self.assertEqual(asked, [worker.reply["sid"]])

    def test_an_event_with_an_ack_or_attachments_is_no_state(self) -> None:
        self.worker.say('427["shioaji_ready",{}]')
        self.worker.say('451-["shioaji_ready",{"b":{"_placeholder":true,"num":0}}]', b"x")
        self.assertEqual(self.late(snapshot=True), [])

    def test_a_recovered_client_gets_what_it_missed_and_no_snapshot(self) -> None:
        client = self.world.client(recover=True)
        self.say("shioaji_ready", n=1)
        self.world.flush()
        last = events(client.heard)[-1]
        client.lose()
        self.say("shioaji_ready", n=2)
        self.world.flush()
        back = WebSocketClient(self.world)
        self.world.flush()
        auth = {"recover": True, "pid": client.reply["pid"], "offset": last[-1]}
        back.say(f"40{orjson.dumps(auth).decode()}")
        self.world.flush()
        self.assertEqual([event[1] for event in events(back.heard)], [{"n": 2}])

    def test_snapshot_packets_carry_no_offset(self) -> None:
        self.say("shioaji_ready", n=1)
        self.assertEqual(self.late(recover=True), [["shioaji_ready", {"n": 1}]])
        self.say("shioaji_ready", n=2)
        self.world.flush()
        self.assertEqual(len(events(self.joined.heard)[0]), 3)

    def test_a_polling_client_gets_it_in_answers_it_can_take(self) -> None:
        for number in range(50):
            self.say("market_tick", code=f"C{number}")
        self.world.flush()
        client = PollingClient(self.world)
        client.say('40{"snapshot":true}')
        client.get()
        self.world.flush()
        heard = []
        while new := client.heard:
            self.assertLessEqual(len(new), 16)
            heard += events(new)
            client.get()
            self.world.flush()
        self.assertEqual([tick["code"] for _, tick in heard], [f"C{n}" for n in range(50)])

    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30),
        st.integers(0, 30),
    )
    def test_nothing_is_missed_or_doubled_between_snapshot_and_stream(
        self, ticks: list[tuple[int, bool]], joins: int
    ) -> None:
        self.start()
        seen: dict[int, int] = {}
        heard: list[Any] = []
        client = None
        for number, (code, turn) in enumerate(ticks):
            if number == joins:
                client = WebSocketClient(self.world)
                client.say('40{"snapshot":true}')
                expected = list(seen.values())
            self.say("market_tick", code=str(code), number=number)
            seen.pop(code, None)
            seen[code] = number
            if client is not None:
                expected.append(number)
            if turn:
                self.world.flush()
        self.world.flush()
        if client is not None:
            heard = [tick["number"] for _, tick in events(client.heard)]
            self.assertEqual(heard, expected)


class FilterTests(ScreenTestCase):
    def test_a_client_hears_only_what_it_asked_for(self) -> None:
        screen = self.world.client(events=["market_tick"], codes=["A"])
        plain = self.world.client()
        for name, code in (("market_tick", "A"), ("market_tick", "B"), ("market_bidask", "A")):
            self.say(name, code=code)
        self.world.flush()
        self.assertEqual(events(screen.heard), [["market_tick", {"code": "A"}]])
        self.assertEqual(len(events(plain.heard)), 3)

    def test_who_wants_trusted_events_hears_the_worker_and_the_gateway_alone(self) -> None:
        stranger, plain = self.world.client(), self.world.client()
        page = self.world.client(trusted=True)
        self.say("python_status", status="forged", sender=stranger)
        self.say("heartbeat", status="ok")
        self.world.relay.publish("python_status", {"status": "running"})
        self.world.flush()
        self.assertEqual(
            events(page.heard),
            [["heartbeat", {"status": "ok"}], ["python_status", {"status": "running"}]],
        )
        self.assertEqual(len(events(plain.heard)), 3)
        page.emit(SUBSCRIBE, {"events": ["python_status"]})
        self.say("python_status", status="forged", sender=stranger)
        self.world.relay.publish("python_status", {"status": "ready"})
        self.world.flush()
        self.assertEqual(events(page.heard), [["python_status", {"status": "ready"}]])

    def test_a_question_of_a_stranger_does_not_wait_for_who_wants_trusted_events(self) -> None:
        stranger, plain = self.world.client(), self.world.client()
        self.world.client(trusted=True)
        self.worker.lose()
        stranger.emit("position", id=1)
        self.world.flush()
        (question,) = plain.heard
        plain.say(question.replace("42", "43", 1).replace('["position"]', "[]"))
        self.world.flush()
        self.assertEqual(stranger.heard, ["431[]"])

    def test_equal_filters_share_the_same_bytes(self) -> None:
        first, second = (self.world.client(codes=codes) for codes in (["A", "B"], ["B", "A"]))
        self.world.flush()
        self.say("market_tick", code="A")
        self.world.flush()
        self.assertIs(first.wire.writes[-1], second.wire.writes[-1])

    def test_the_snapshot_is_narrowed_too(self) -> None:
        for code in "ABC":
            self.say("market_tick", code=code)
        self.say("shioaji_ready")
        heard = self.late(codes=["B"], snapshot=True)
        self.assertEqual(heard, [["market_tick", {"code": "B"}], ["shioaji_ready", {}]])

    def test_malformed_filters_are_refused_at_connect(self) -> None:
        client = WebSocketClient(self.world)
        client.say('40{"events":"market_tick"}')
        self.world.flush()
        self.assertIn("Invalid filter: 'events' must be a list", client.heard[-1])

    def test_a_filter_may_be_changed_and_the_change_is_answered(self) -> None:
        screen = self.world.client(codes=["A"])
        screen.emit(SUBSCRIBE, {"codes": ["B"]}, id=3)
        self.world.flush()
        self.assertEqual(screen.heard, ['433[{"ok":true}]'])
        self.say("market_tick", code="A")
        self.say("market_tick", code="B")
        self.world.flush()
        self.assertEqual(events(screen.heard), [["market_tick", {"code": "B"}]])

    def test_a_malformed_change_is_answered_and_changes_nothing(self) -> None:
        screen = self.world.client(codes=["A"])
        for wish in ([{"codes": 5}], [], [1], [{}, {}]):
            screen.emit(SUBSCRIBE, *wish, id=3)
            self.world.flush()
            (answer,) = screen.heard
            self.assertFalse(orjson.loads(answer[3:])[0]["ok"])
        self.say("market_tick", code="A")
        self.world.flush()
        self.assertEqual(len(events(screen.heard)), 1)

    def test_a_change_widens_the_quotes_with_a_snapshot_where_one_was_asked_for(self) -> None:
        for code in "AB":
            self.say("market_tick", code=code)
        self.assertEqual(self.late(codes=["A"], snapshot=True), [["market_tick", {"code": "A"}]])
        self.joined.emit(SUBSCRIBE, {"codes": ["A", "B"]})
        self.world.flush()
        self.assertEqual(events(self.joined.heard), [["market_tick", {"code": "B"}]])

    def test_quotes_asked_for_before_there_were_any_count_for_a_later_change(self) -> None:
        screen = self.world.client(codes=["A"], snapshot=True)
        self.say("market_tick", code="B")
        self.world.flush()
        screen.emit(SUBSCRIBE, {"codes": ["B"]})
        self.world.flush()
        self.assertEqual(events(screen.heard), [["market_tick", {"code": "B"}]])

    def test_a_change_counts_from_its_place_between_the_events(self) -> None:
        screen = self.world.client(codes=["A"], snapshot=True)
        for code in "AB":
            self.say("market_tick", code=code)
        screen.emit(SUBSCRIBE, {"codes": ["B"]}, id=1)
        for code in "AB":
            self.say("market_tick", code=code)
        self.world.flush()
        first, answer, *rest = screen.heard
        self.assertEqual(answer, '431[{"ok":true}]')
        codes = [tick["code"] for _, tick in events([first, *rest])]
        self.assertEqual(codes, ["A", "B", "B"], "of A the stream, of B snapshot and stream")

    def test_so_it_does_for_a_client_that_is_behind(self) -> None:
        screen = self.world.client(codes=["A"], snapshot=True)
        screen.wire.full = True
        for code in "AABA":
            self.say("market_tick", code=code)
            self.world.flush()
        screen.emit(SUBSCRIBE, {"codes": ["B"]}, id=1)
        self.world.flush()
        screen.wire.drain()
        heard = [text if text[:2] == "43" else text[-4] for text in screen.heard]
        self.assertEqual(heard, ["A", "A", "A", '431[{"ok":true}]', "B"])

    def test_without_a_filter_at_connect_the_name_is_relayed_like_any(self) -> None:
        plain, other = self.world.client(), self.world.client()
        plain.emit(SUBSCRIBE, {"codes": ["A"]})
        self.world.flush()
        self.assertEqual(events(other.heard), [[SUBSCRIBE, {"codes": ["A"]}]])

    def test_who_has_a_filter_may_speak_to_all(self) -> None:
        screen, other = self.world.client(events=[]), self.world.client()
        screen.emit("hello")
        self.world.flush()
        self.assertEqual(events(other.heard), [["hello"]])


class PublishTests(ScreenTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.watcher.admit = lambda session, auth: False
        self.viewer, self.other = self.world.client(), self.world.client(events=["x"])

    def test_a_viewer_is_told_why_and_nobody_hears_it(self) -> None:
        self.viewer.emit("shioaji_ready", {})
        self.world.flush()
        ((name, why),) = events(self.viewer.heard)
        self.assertEqual(
            (name, why["event"], why["ok"]), ("publish_refused", "shioaji_ready", False)
        )
        self.assertEqual(self.worker.heard, [])
        self.assertEqual(self.world.hub.refusals.count, 1)

    def test_its_ack_is_answered_with_the_reason(self) -> None:
        self.viewer.emit("x" * 500, {}, id=9)
        self.world.flush()
        (answer,) = self.viewer.heard
        self.assertTrue(answer.startswith('439[{"ok":false'), answer)
        self.assertLess(len(answer), 400)

    def test_the_worker_is_heard_by_all(self) -> None:
        self.worker.emit("x")
        self.world.flush()
        self.assertEqual(events(self.viewer.heard), [["x"]])

    def test_a_viewer_may_still_change_its_filter(self) -> None:
        self.other.emit(SUBSCRIBE, {"events": ["y"]}, id=1)
        self.world.flush()
        self.assertEqual(self.other.heard, ['431[{"ok":true}]'])
