from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.recovery import recovery_request
from tests.relay.world import KEYED, PollingClient, RelayWorld, WebSocketClient

STAY = 120


class WishTests(SynchronousTestCase):
    def test_only_who_asks_with_exactly_true(self):
        for auth in ({}, {"pid": "x", "offset": "1"}, {"recover": 1}, {"recover": "true"}):
            self.assertEqual(recovery_request(auth), None, auth)

    def test_pid_and_offset(self):
        self.assertEqual(recovery_request({"recover": True}), (None, None))
        self.assertEqual(
            recovery_request({"recover": True, "pid": "p", "offset": "E-17"}), ("p", ("E", 17))
        )

    def test_without_an_offset(self):
        for auth in ({}, {"offset": None}):
            self.assertEqual(recovery_request({"recover": True, "pid": "p", **auth}), ("p", None))

    def test_who_does_not_know_where_it_was_begins_anew(self):
        """From its CONNECT on it would hear everything twice."""
        for bad in (17, 1.5, [], {}, "", "17", "-1", "E-", "E-1.0", "E-١", "E- 1", True, "heard"):
            self.assertEqual(
                recovery_request({"recover": True, "pid": "p", "offset": bad}), (None, None), bad
            )
        self.assertEqual(recovery_request({"recover": True, "pid": 5}), (None, None))

    def test_an_absurd_offset_is_nothing_to_stumble_over(self):
        absurd = recovery_request({"recover": True, "pid": "p", "offset": "E-" + "9" * 10_000})
        self.assertEqual(absurd, (None, None))


class Recovering(SynchronousTestCase):
    log_records = 20_000

    def setUp(self):
        self.world = RelayWorld(recovery_time=STAY, log_records=self.log_records)
        self.sender = self.world.client()
        self.client = self.world.client(recover=True)

    def say(self, *names):
        for name in names:
            self.sender.emit(name)
        self.world.flush()

    def back(self, offset=None, client=None, **auth):
        """The client comes back over a new connection."""
        auth = {"recover": True, "pid": (client or self.client).reply["pid"]} | auth
        if offset is not None:
            auth["offset"] = f"E-{offset}" if isinstance(offset, int) else offset
        back = WebSocketClient(self.world)
        self.world.flush()
        self.assertEqual(len(back.heard), 1, "the opening packet")
        return back.join(**auth)

    def assert_recovered(self, back, *missed):
        self.assertEqual((back.before, back.after), ([], list(missed)))
        for key in ("sid", "pid"):
            self.assertEqual(back.reply[key], self.client.reply[key])

    def assert_fresh(self, back):
        self.assertEqual(back.before, [])
        self.assertNotEqual(back.reply["sid"], self.client.reply["sid"])
        self.assertNotEqual(back.reply["pid"], self.client.reply["pid"])


class OffsetTests(Recovering):
    def test_only_who_asked_has_a_pid_and_offsets(self):
        plain = self.world.client()
        self.say("a", "b")
        self.assertEqual(set(plain.reply), {"sid"})
        self.assertEqual(set(self.client.reply), {"sid", "pid"})
        self.assertEqual(plain.heard, ['42["a"]', '42["b"]'])
        self.assertEqual(self.client.heard, ['42["a","E-0"]', '42["b","E-1"]'])

    def test_over_polling_and_with_attachments(self):
        poller = self.world.poller(recover=True)
        self.sender.say('451-["a",{"_placeholder":true,"num":0}]', b"abc")
        self.world.flush()
        expected = ['451-["a",{"_placeholder":true,"num":0},"E-0"]', b"abc"]
        self.assertEqual(poller.heard, expected)
        self.assertEqual(self.client.heard, expected)

    def test_who_asked_shares_with_each_other(self):
        other = self.world.client(recover=True)
        self.say("a")
        self.assertIs(self.client.wire.writes[-1], other.wire.writes[-1])

    def test_questions_carry_none(self):
        self.sender.say('427["q"]')
        self.world.flush()
        self.assertEqual(self.client.heard, ['420["q"]'])


class ReplayTests(Recovering):
    def test_exactly_what_was_missed_after_the_connect_reply(self):
        self.say("a", "b")
        self.client.lose()
        self.say("c", "d")
        back = self.back(offset=1)
        self.assert_recovered(back, '42["c","E-2"]', '42["d","E-3"]')
        self.say("e")
        self.assertEqual(back.heard, ['42["e","E-4"]'])

    def test_what_was_lost_on_the_way_too(self):
        self.say("a", "b")
        self.client.lose()
        self.assert_recovered(self.back(offset=0), '42["b","E-1"]')

    def test_nothing_when_nothing_was_missed(self):
        self.say("a")
        self.client.lose()
        self.assert_recovered(self.back(offset=0))

    def test_without_an_offset_everything_since_the_first_connect(self):
        client = self.client = self.late()
        self.say("b")
        client.lose()
        self.say("c")
        self.assert_recovered(self.back(), '42["b","E-1"]', '42["c","E-2"]')

    def late(self):
        self.say("before")
        return self.world.client(recover=True)

    def test_events_of_the_turn_in_which_it_comes_back(self):
        self.client.lose()
        back = WebSocketClient(self.world)
        self.world.flush()
        self.assertEqual(len(back.heard), 1)
        self.sender.emit("a")
        back.join(recover=True, pid=self.client.reply["pid"])
        self.assert_recovered(back, '42["a","E-0"]')

    def test_own_events_are_not_replayed(self):
        self.client.emit("mine")
        self.say("a")
        self.client.lose()
        self.assert_recovered(self.back(), '42["a","E-1"]')

    def test_nor_after_the_second_time(self):
        self.client.emit("mine")
        self.say("a")
        self.client.lose()
        back = self.back()
        back.emit("mine, too")
        self.world.flush()
        self.assertEqual(back.heard, [])
        back.lose()
        self.say("b")
        self.assert_recovered(self.back(), '42["a","E-1"]', '42["b","E-3"]')

    def test_questions_are_not_replayed(self):
        """The client may have heard them: they carry no offset."""
        self.say("a")
        self.sender.say('427["q"]')
        self.world.flush()
        self.client.lose()
        self.sender.say('428["q"]')
        self.say("b")
        self.assert_recovered(self.back(offset=0), '42["b","E-3"]')

    def test_a_filter_counts_for_what_was_missed(self):
        self.client = self.world.client(recover=True, events=["a"])
        self.client.lose()
        self.say("a", "b", "a")
        back = self.back(events=["a"])
        self.assert_recovered(back, '42["a","E-0"]', '42["a","E-2"]')

    def test_a_filter_that_was_changed_is_kept_unless_another_one_is_asked_for(self):
        for events, heard in (
            (["a"], ['42["b","E-1"]', '42["b","E-3"]']),
            (["c"], ['42["c","E-2"]']),
        ):
            self.setUp()
            self.client = self.world.client(recover=True, events=["a"])
            self.client.emit("sjgateway:subscribe", {"events": ["b"]})
            self.world.flush()
            self.client.lose()
            self.say("a", "b", "c", "b")
            self.assert_recovered(self.back(events=events), *heard)

    def poll_back(self, offset=None):
        """The client comes back by polling; what its first answer after the handshake says."""
        back = PollingClient(self.world)
        back.get()
        known = "" if offset is None else f',"offset":"E-{offset}"'
        back.say(f'40{{"recover":true,"pid":"{self.client.reply["pid"]}"{known}}}')
        self.world.flush()
        return back

    def test_over_polling_the_reply_is_in_the_first_answer(self):
        """A client that is cut off before the reply would be told twice what came before it."""
        self.client.lose()
        self.say(*[f"{n}" for n in range(20)])
        back = self.poll_back()
        first, second = back.heard, back.poll()
        self.assertEqual((len(first), len(second)), (16, 5))
        self.assertTrue(first[0].startswith("40"))
        self.assertEqual(first[1:] + second, [f'42["{n}","E-{n}"]' for n in range(20)])

    def test_cut_off_after_that_answer_it_goes_on_where_it_was(self):
        self.client.lose()
        self.say(*[f"{n}" for n in range(20)])
        back = self.poll_back()
        self.assertEqual(len(back.heard), 16)
        back.session.abort("transport error")
        self.say("20")
        again = self.poll_back(offset=14)
        self.assertEqual(again.heard[1:], [f'42["{n}","E-{n}"]' for n in range(15, 21)])

    def test_over_websockets_it_is_the_first_message_wherever_the_write_is_cut(self):
        self.client.lose()
        self.say(*["x" * 20_000] * 5)
        back = WebSocketClient(self.world)
        self.world.flush()
        back.say(f'40{{"recover":true,"pid":"{self.client.reply["pid"]}"}}')
        back.wire.on_write = lambda data: setattr(back.wire, "full", True)
        self.world.flush()
        first = back.heard[1:]
        self.assertEqual([text[:2] for text in first], ["40", "42", "42", "42"])
        back.wire.on_write = None
        back.wire.drain()
        self.world.flush()
        self.assertEqual(len(back.heard), 2)

    def test_what_is_said_after_it_joined_comes_after_what_it_missed(self):
        self.client.lose()
        self.say("a")
        back = WebSocketClient(self.world)
        self.world.flush()
        self.assertEqual(len(back.heard), 1)
        back.say(f'40{{"recover":true,"pid":"{self.client.reply["pid"]}"}}')
        self.sender.say('427["q"]')
        self.sender.emit("b")
        self.world.flush()
        reply, first, question, last = back.heard
        self.assertEqual((first, reply[:3], last), ('42["a","E-0"]', "40{", '42["b","E-2"]'))
        self.assertTrue(question.endswith('["q"]'))

    def test_who_is_gone_before_the_reply_can_come_back_again(self):
        self.client.lose()
        self.say("a")
        back = WebSocketClient(self.world)
        back.say(f'40{{"recover":true,"pid":"{self.client.reply["pid"]}"}}')
        back.lose()
        self.world.flush()
        self.assert_recovered(self.back(), '42["a","E-0"]')

    def test_a_slow_client_comes_back_for_what_it_did_not_take(self):
        self.client.wire.full = True
        self.say("a")
        self.say("b", "c")
        self.client.lose()
        self.assert_recovered(self.back(offset=0), '42["b","E-1"]', '42["c","E-2"]')

    def test_recovered_clients_get_no_snapshot(self):
        self.worker_says(KEYED)
        self.client.lose()
        self.assert_recovered(self.back(offset=0))
        late = self.world.client(recover=True)
        self.assertEqual(late.after, ['42["tick",{"n":1}]'], "the snapshot, without an offset")

    def test_who_may_have_missed_a_part_of_its_snapshot_begins_anew(self):
        """Nobody knows what came through, before it has heard an event after that."""
        self.worker_says(KEYED)
        late = self.client = self.world.client(recover=True)
        self.say("a")
        late.lose()
        self.assert_recovered(self.back(offset=1))
        self.client = late
        late = self.client = self.world.client(recover=True)
        self.say("b")
        late.lose()
        back = self.back()
        self.assertNotEqual(back.reply["sid"], late.reply["sid"])
        self.assertEqual(back.after, ['42["tick",{"n":1}]'])

    def test_so_does_who_widened_its_filter_and_heard_nothing_since(self):
        client = self.client = self.world.client(recover=True, events=["a"])
        self.say("a")
        self.worker_says(KEYED)
        client.say('42["sjgateway:subscribe",{}]')
        self.world.flush()
        self.assertIn('42["tick",{"n":1}]', client.heard)
        client.lose()
        self.assertNotEqual(self.back(0, events=["a"]).reply["sid"], client.reply["sid"])

    def worker_says(self, name):
        worker = self.world.client()
        self.world.watcher.trusted.add(worker.reply["sid"])
        worker.emit(name, {"n": 1})
        self.world.flush()

    def test_who_was_trusted_has_to_be_known_again(self):
        self.client.session.data = "what is known of it"
        self.client.lose()
        self.assertEqual(self.back().session.data, None)
