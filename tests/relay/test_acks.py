from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.relay import acks
from gateway.relay.acks import PENDING
from tests.relay.world import RelayWorld, WebSocketClient

TIMEOUT = 60


class Asking(SynchronousTestCase):
    def setUp(self):
        self.world = RelayWorld(ack_timeout=TIMEOUT)
        self.sender, self.one, self.two = (self.world.client() for _ in range(3))

    def ask(self, id=7):
        """The sender asks; returns the id that receivers are to answer with."""
        self.sender.say(f'42{id}["q"]')
        self.world.flush()
        ids = {text.removeprefix("42").removesuffix('["q"]') for text in self.hear(self.one)}
        ids |= {text.removeprefix("42").removesuffix('["q"]') for text in self.hear(self.two)}
        (id,) = ids
        return id

    def hear(self, client):
        return client.heard if client.is_open else []

    def answer(self, client, id, json):
        client.say(f"43{id}{json}")
        self.world.flush()

    @property
    def answers(self):
        self.world.flush()
        return self.sender.heard

    @property
    def open_questions(self):
        return len(self.world.hub._acks)


class AnswerTests(Asking):
    def test_receivers_see_an_id_of_the_relay(self):
        first, second = self.ask(7), self.ask(7)
        self.assertNotEqual(first, second)
        self.answer(self.one, second, '["second"]')
        self.answer(self.one, first, '["first"]')
        self.assertEqual(self.answers, ['437["second"]', '437["first"]'])

    def test_the_first_that_says_something_wins_unchanged(self):
        id = self.ask()
        self.answer(self.two, id, '[ {"close": 1.0, "n":12345678901234567890}, null]')
        self.answer(self.one, id, '["late"]')
        self.assertEqual(self.answers, ['437[ {"close": 1.0, "n":12345678901234567890}, null]'])
        self.assertEqual(self.open_questions, 0)

    def test_even_after_an_empty_one(self):
        id = self.ask()
        self.answer(self.one, id, "[]")
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, "[null]")
        self.assertEqual(self.answers, ["437[null]"])

    def test_an_empty_one_only_when_everybody_was_empty(self):
        id = self.ask()
        self.answer(self.one, id, "[]")
        self.answer(self.one, id, "[]")  # twice is once
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, ["437[]"])
        self.answer(self.two, id, '["late"]')
        self.assertEqual(self.answers, [])

    def test_attachments_come_back(self):
        id = self.ask()
        text = '461-%s[{"_placeholder":true,"num":0}]'
        self.one.say(text % id, b"\x00\xff")
        self.assertEqual(self.answers, [text % 7, b"\x00\xff"])

    def test_a_question_may_have_attachments(self):
        self.sender.say('451-7["q",{"_placeholder":true,"num":0}]', b"abc")
        self.world.flush()
        text, attachment = self.one.heard
        id = text.removeprefix("451-").removesuffix('["q",{"_placeholder":true,"num":0}]')
        self.assertEqual(attachment, b"abc")
        self.answer(self.one, id, "[1]")
        self.assertEqual(self.answers, ["437[1]"])

    def test_absurd_ids_come_back_exactly(self):
        id = self.ask("9" * 50)
        self.answer(self.one, id, "[1]")
        self.assertEqual(self.answers, [f"43{'9' * 50}[1]"])

    def test_ids_that_nobody_asked_with_are_ignored(self):
        id = self.ask()
        for wrong in (str(int(id) + 1), "9" * 100):
            self.answer(self.one, wrong, "[1]")
        self.assertEqual((self.answers, self.one.is_open), ([], True))

    def test_the_sender_does_not_answer_itself(self):
        id = self.ask()
        self.answer(self.sender, id, "[1]")
        self.assertEqual(self.answers, [])

    def test_the_answer_is_in_order_with_the_events(self):
        id = self.ask()
        self.one.emit("before")
        self.one.say(f"43{id}[1]")
        self.one.emit("after")
        self.assertEqual(self.answers, ['42["before"]', "437[1]", '42["after"]'])

    def test_the_relay_and_the_servers_own_questions_never_share_an_id(self):
        asked = []
        socket = next(iter(self.world.hub.members))
        socket.emit("own", ack=lambda *args: asked.append(args))
        self.world.flush()
        (own,) = self.sender.heard
        self.assertNotEqual(own.removeprefix("42").removesuffix('["own"]'), self.ask())

    def test_each_namespace_has_its_own(self):
        world = RelayWorld(namespaces=("/", "/chat"))
        sender, receiver = WebSocketClient(world), WebSocketClient(world)
        world.flush()
        self.assertEqual([len(client.heard) for client in (sender, receiver)], [1, 1])
        for client in (sender, receiver):
            client.join("/chat")
        sender.say('42/chat,5["q"]')
        world.flush()
        (question,) = receiver.heard
        id = question.removeprefix("42/chat,").removesuffix('["q"]')
        receiver.say(f"43/chat,{id}[1]")
        world.flush()
        self.assertEqual(sender.heard, ["43/chat,5[1]"])


class WhoCountsTests(Asking):
    def test_who_leaves_has_answered(self):
        id = self.ask()
        self.answer(self.one, id, "[]")
        self.two.lose()
        self.assertEqual(self.answers, ["437[]"])

    def test_who_left_after_an_empty_answer_does_not_count_twice(self):
        id = self.ask()
        self.answer(self.one, id, "[]")
        self.one.lose()
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, '["mine"]')
        self.assertEqual(self.answers, ['437["mine"]'])

    def test_when_all_leave_nothing_is_said(self):
        self.ask()
        self.one.lose()
        self.two.lose()
        self.assertEqual(self.answers, [])

    def test_who_joined_later_does_not_count(self):
        id = self.ask()
        late = self.world.client()
        self.answer(late, id, '["late"]')
        self.answer(self.one, id, "[]")
        late.lose()
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, ["437[]"])

    def test_who_joined_in_the_same_turn_after_the_question_does_not_count(self):
        self.sender.say('427["q"]')
        late = self.world.client()
        self.assertEqual(late.heard, [])
        id = self.one.heard[0].removeprefix("42").removesuffix('["q"]')
        self.answer(self.one, id, "[]")
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, ["437[]"])

    def test_who_came_back_was_not_there(self):
        two = self.world.client(recover=True)
        id = self.ask()
        two.lose()
        back = WebSocketClient(self.world)
        self.world.flush()
        self.assertEqual(len(back.heard), 1)
        back.join(recover=True, pid=two.reply["pid"])
        self.assertEqual(back.reply["sid"], two.reply["sid"])
        self.answer(back, id, "[]")
        self.answer(self.one, id, "[]")
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, '["mine"]')
        self.assertEqual(self.answers, ['437["mine"]'])

    def test_who_does_not_want_the_event_is_not_waited_for(self):
        filtered = self.world.client(events=["other"])
        wanting = self.world.client(events=["q"])
        id = self.ask()
        self.assertEqual((filtered.heard, wanting.heard), ([], [f'42{id}["q"]']))
        self.answer(self.one, id, "[]")
        filtered.lose()
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, [])
        self.answer(wanting, id, "[]")
        self.assertEqual(self.answers, ["437[]"])

    def test_nobody_there(self):
        world = RelayWorld()
        alone = world.client()
        alone.say('421["q"]')
        world.flush()
        self.assertEqual(alone.heard, [])


class FreeingTests(Asking):
    def test_without_an_answer_nothing_is_said_and_the_question_is_forgotten(self):
        id = self.ask()
        self.world.wait(TIMEOUT - 1)
        self.assertEqual(self.open_questions, 1)
        self.world.wait(1)
        self.assertEqual((self.open_questions, self.answers), (0, []))
        self.answer(self.one, id, '["late"]')
        self.assertEqual(self.answers, [])

    def test_the_senders_leaving_forgets_its_questions(self):
        id = self.ask()
        self.sender.lose()
        self.assertEqual(self.open_questions, 0)
        self.answer(self.one, id, "[1]")
        self.assertEqual((self.one.is_open, self.two.heard), (True, []))

    def test_each_question_has_its_own_time(self):
        first = self.ask()
        self.world.wait(TIMEOUT / 2)
        second = self.ask()
        self.world.wait(TIMEOUT / 2)
        self.answer(self.one, first, "[1]")
        self.answer(self.one, second, "[2]")
        self.assertEqual(self.answers, ["437[2]"])
        third = self.ask()
        self.world.wait(TIMEOUT / 2)
        self.ask()
        self.world.wait(TIMEOUT / 2 - 1)
        self.answer(self.one, third, "[3]")
        self.assertEqual((self.answers, self.open_questions), (["437[3]"], 1))
        self.world.wait(TIMEOUT / 2)
        self.assertEqual(self.open_questions, 1)
        self.world.wait(1)
        self.assertEqual(self.open_questions, 0)

    def test_answered_questions_leave_nothing_behind(self):
        calls, call_later = [], self.world.deadlines.call_later
        self.patch(
            self.world.deadlines,
            "call_later",
            lambda *call: calls.append(call) or call_later(*call),
        )
        for _ in range(100):
            self.answer(self.one, self.ask(), "[1]")
        self.assertLessEqual(len(calls), 1)
        self.assertEqual(self.open_questions, 0)

    def test_the_oldest_questions_of_one_sender_give_way(self):
        ids = [self.ask(number) for number in range(PENDING + 2)]
        other = self.two
        other.say('425["q"]')
        self.world.flush()
        self.assertEqual(self.open_questions, PENDING + 1)
        for number in (0, 1, 2):
            self.answer(self.one, ids[number], "[1]")
        self.assertEqual([text for text in self.answers if text.startswith("43")], ["432[1]"])

    def test_when_there_are_too_many_of_all_those_who_ask_most_give_way(self):
        self.patch(acks, "OPEN", 6)
        first = self.ask()
        self.two.say(*['421["q"]'] * 5)
        third = self.world.client()
        third.say('422["q"]', '423["q"]')
        self.two.say('422["q"]')
        self.world.flush()
        self.assertEqual(self.open_questions, 6)
        self.answer(self.one, first, "[1]")
        self.assertEqual([text for text in self.answers if text[:2] == "43"], ["437[1]"])

    def test_who_leaves_costs_only_what_it_was_waited_for(self):
        looks = []
        was_asked = self.world.hub._acks._was_asked
        self.patch(
            self.world.hub._acks,
            "_was_asked",
            lambda *question: looks.append(question) or was_asked(*question),
        )
        bystander = self.world.client()
        ids = [self.ask(number) for number in range(100)]
        self.answer(self.two, ids[0], "[]")
        del looks[:]
        bystander.say("41")
        self.world.flush()
        self.assertEqual(len(looks), 0, "it was not waited for")
        self.one.say("41")
        self.world.flush()
        self.assertLessEqual(len(looks), 3)
        self.assertEqual([text for text in self.answers if text[:2] == "43"], ["430[]"])
        self.assertEqual(self.open_questions, 99)

    def test_a_question_costs_no_look_at_all_who_are_there(self):
        clients = [self.world.client() for _ in range(20)]
        looks = []
        self.patch(self.world.hub._acks, "_was_asked", lambda *question: looks.append(1) or True)
        self.ask()
        self.assertEqual(looks, [])
        self.assertEqual(len(clients), 20)

    def test_conflation_never_drops_a_question(self):
        self.sender.say('427["tick",{"code":"A"}]')
        self.sender.say('42["tick",{"code":"A"}]')
        events = self.world.log._events
        self.assertEqual(events[0].key, None)
        self.assertNotEqual(events[1].key, None)


class WhoMayAnswerTests(Asking):
    """To answer is to publish, and only those were asked to whom the question went."""

    def narrow(self, client, *events):
        client.emit("sjgateway:subscribe", {"events": events}, id=99)
        self.world.flush()
        self.hear(client)

    def guess(self, client, json='["forged"]'):
        """`client` answers a question that it was not asked."""
        id = self.ask()
        self.answer(client, id, json)
        self.assertEqual(self.answers, [])
        return id

    def test_nobody_to_whom_it_did_not_go(self):
        filtered = self.world.client(events=["other"])
        id = self.guess(filtered)
        self.answer(self.one, id, '["true"]')
        self.assertEqual(self.answers, ['437["true"]'])

    def test_a_filter_that_is_widened_later_asks_nobody_after_the_fact(self):
        filtered = self.world.client(events=["other"])
        id = self.ask()
        self.narrow(filtered, "q", "other")
        self.answer(filtered, id, '["forged"]')
        self.assertEqual(self.answers, [])

    def test_who_was_asked_may_answer_though_it_hears_no_more_of_it(self):
        filtered = self.world.client(events=["q"])
        id = self.ask()
        self.narrow(filtered, "other")
        self.answer(filtered, id, '["true"]')
        self.assertEqual(self.answers, ['437["true"]'])

    def test_after_two_changes_nobody_knows(self):
        filtered = self.world.client(events=["other"])
        id = self.ask()
        self.narrow(filtered, "q")
        self.narrow(filtered, "q", "x")
        self.answer(filtered, id, '["forged"]')
        self.assertEqual(self.answers, [])

    def test_nobody_who_may_not_publish(self):
        self.world.watcher.admit = lambda session, auth: False
        viewer = self.world.client()
        id = self.guess(viewer)
        self.answer(self.two, id, "[0]")
        self.assertEqual(self.answers, ["437[0]"])

    def test_who_may_not_answer_is_not_waited_for(self):
        self.world.watcher.admit = lambda session, auth: False
        viewer = self.world.client()
        id = self.guess(viewer, "[]")
        self.answer(self.one, id, "[]")
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, ["437[]"])

    def test_that_it_leaves_changes_nothing(self):
        self.world.watcher.admit = lambda session, auth: False
        viewer = self.world.client()
        id = self.ask()
        self.answer(self.one, id, "[]")
        viewer.say("41")
        self.assertEqual(self.answers, [])
        self.answer(self.two, id, "[]")
        self.assertEqual(self.answers, ["437[]"])

    def test_the_worker_may_whatever_it_was_let_in_as(self):
        self.world.watcher.admit = lambda session, auth: False
        worker = self.world.client()
        self.world.watcher.trusted.add(worker.reply["sid"])
        id = self.ask()
        self.answer(worker, id, '["true"]')
        self.assertEqual(self.answers, ['437["true"]'])


class FirstRefusalTests(SynchronousTestCase):
    def test_the_log_is_told_of_the_first_refusal_and_of_the_option(self):
        lines = []

        def observe(event):
            if event.get("tag") == "Relay":
                lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        world = RelayWorld()
        world.watcher.admit = lambda session, auth: False
        viewer = world.client()
        for _ in range(3):
            viewer.emit("order", {"secret": "of hers"})
        (line,) = lines
        self.assertIn("order", line)
        self.assertIn("--publish any", line)
        self.assertNotIn("of hers", line)
