from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.conflation import SPARE, Outdated
from gateway.relay.selection import Selection
from gateway.relay.subscription import Subscription
from tests.relay.parts import Parts, event

TRUSTED_ONLY = Selection(trusted=True)


def said(position, key, *, trusted=True):
    made = event(f"{key}{position}", key=key)
    made.position, made.trusted = position, trusted
    return made


class MarkTests(SynchronousTestCase):
    def test_what_a_newer_one_of_its_key_replaces(self):
        events = [said(number, key) for number, key in enumerate("abacb")]
        Outdated().mark(events, 0, 5)
        self.assertEqual([each.outdated for each in events], [True, True, False, False, False])

    def test_events_without_a_key_are_never_outdated(self):
        events = [said(number, None) for number in range(3)]
        Outdated().mark(events, 0, 3)
        self.assertFalse(any(each.outdated for each in events))

    def test_what_the_worker_said_is_not_outdated_by_others(self):
        events = [said(0, "a"), said(1, "a", trusted=False), said(2, "a", trusted=False)]
        outdated = Outdated()
        outdated.mark(events, 0, 3)
        self.assertEqual([each.outdated for each in events], [False, True, False])
        outdated.mark([said(3, "a")], 0, 4)
        self.assertEqual([each.outdated for each in events], [True, True, True])

    def test_no_more_keys_are_known_than_the_log_holds_twice_and_some(self):
        outdated = Outdated()
        for number in range(2000):
            outdated.mark([said(number, str(number), trusted=number % 2 > 0)], number - 9, number)
        self.assertLess(len(outdated._trusted) + len(outdated._others), 30 + SPARE)


class SharedTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts(max_bytes=1 << 22, max_records=10_000)
        self.late = [self.parts.subscribe(self.parts.outbox()) for _ in range(10)]

    def say(self, count):
        for number in range(count):
            self.parts.say(f"{number}", key=number % 5)
        self.parts.flush()

    def test_each_event_is_looked_at_once_however_many_clients_are_late(self):
        looked_at = []
        mark = self.parts.log._outdated.mark
        self.patch(
            self.parts.log._outdated,
            "mark",
            lambda events, *more: looked_at.extend(events) or mark(events, *more),
        )
        for _ in range(3):
            self.say(100)
            for subscription in self.late:
                subscription.conflate()
        self.assertEqual(len(looked_at), 300)

    def test_only_what_is_left_is_asked_whether_it_is_wanted(self):
        asked, wants = [], Subscription._wants
        self.patch(Subscription, "_wants", lambda one, each: asked.append(each) or wants(one, each))
        self.say(1000)
        for subscription in self.late:
            self.assertEqual(subscription.conflate(), 995)
            self.assertEqual([each.key for each in subscription.kept], [4, 3, 2, 1, 0])
        self.assertEqual(len(asked), 5 * len(self.late))

    def test_who_hears_the_worker_alone_keeps_what_it_said(self):
        subscription = self.late[0]
        subscription.selection = TRUSTED_ONLY
        worker, stranger = event("worker", key="a"), event("stranger", key="a")
        stranger.trusted = False
        for each in (worker, stranger):
            self.parts.log.extend([each])
        self.parts.turn.schedule()
        self.parts.flush()
        subscription.conflate()
        self.assertEqual(subscription.kept, [worker])
