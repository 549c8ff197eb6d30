from twisted.trial.unittest import SynchronousTestCase

from gateway.relay import views
from gateway.relay.selection import MAX_LENGTH, Selection
from gateway.relay.views import Views
from tests.relay.parts import WEBSOCKET, Parts, event
from tests.relay.test_view import CountingForm

CODES = [f"C{number}" for number in range(30)]


def codes(*names):
    return Selection(codes=frozenset(names))


def names(*names):
    return Selection(events=frozenset(names))


class KeepingTests(SynchronousTestCase):
    def setUp(self):
        self.parts = Parts()
        self.views = self.parts.log.views

    def test_one_for_each_form_and_selection(self):
        self.assertIs(self.views.of(WEBSOCKET, codes("A")), self.views.of(WEBSOCKET, codes("A")))
        self.assertIsNot(self.views.of(WEBSOCKET, codes("A")), self.views.of(WEBSOCKET, None))
        self.assertIsNot(self.views.of(CountingForm(), None), self.views.of(WEBSOCKET, None))

    def test_a_publisher_finds_its_view_again(self):
        member, _ = self.parts.member(selection=codes(*CODES))
        view = self.views.of(WEBSOCKET, codes(*CODES))
        for _ in range(3):
            self.parts.say("a", sender=member, code="A")
            self.parts.flush()
        self.assertIs(self.views.of(WEBSOCKET, codes(*CODES)), view)

    def test_few_without_members_are_kept(self):
        for each in (codes, names):
            for name in CODES:
                member, _ = self.parts.member(selection=each(name))
                member.close()
        self.assertEqual(len(self.views), views.SPARE)
        self.assertEqual(len(self.views._by_code.views), 0)
        self.assertEqual(len(self.views._by_name.views), views.SPARE)

    def test_those_with_members_are_all_kept(self):
        members = [self.parts.member(selection=codes(name)) for name in CODES]
        self.assertEqual(len(self.views), len(CODES))
        for name in CODES:
            self.parts.say(name, code=name)
        self.parts.flush()
        self.assertEqual([sink.texts for _, sink in members], [[name] for name in CODES])


class VisitTests(SynchronousTestCase):
    """An event costs the clients that want it, and not the others."""

    def setUp(self):
        self.visited = []
        find = Views._due

        def visit(views, events):
            due = list(find(views, events))
            self.visited += [view for view, _ in due if view.direct or view.members]
            return due

        self.patch(Views, "_due", visit)
        self.parts = Parts()
        self.others = [
            self.parts.member(selection=each(name)) for name in CODES for each in (codes, names)
        ]
        self.visited.clear()

    def say(self, sink, *, visits, **about):
        self.parts.say("x", **about)
        self.parts.flush()
        self.assertEqual(sink.texts, ["x"])
        self.assertEqual(len(self.visited), visits)
        sink.writes.clear()
        self.visited.clear()

    def test_by_code(self):
        _, sink = self.parts.member(selection=codes("A", "B"))
        for code in "AB":
            self.say(sink, visits=1, code=code)

    def test_by_name(self):
        _, sink = self.parts.member(selection=names("tick"))
        self.say(sink, visits=1, name="tick", code="A")

    def test_by_both(self):
        _, sink = self.parts.member(selection=Selection(frozenset(("tick",)), frozenset("A")))
        self.say(sink, visits=1, name="tick", code="A")
        self.parts.say("y", name="other", code="A")
        self.parts.flush()
        self.assertEqual(sink.texts, [])

    def test_what_has_no_code_goes_to_all_who_chose_codes(self):
        self.parts.say("x")
        self.parts.flush()
        got = [sink.texts for _, sink in self.others]
        self.assertEqual(got, [["x"], []] * len(CODES))

    def test_a_code_under_another_name(self):
        _, sink = self.parts.member(selection=codes("A", "B"))
        for aliases in (frozenset("B"), frozenset("AB")):
            told = event("x", code="Z")
            told.aliases = aliases
            self.parts.log.extend([told])
            self.parts.turn.schedule()
            self.parts.flush()
            self.assertEqual(len(self.visited), 1)
            self.visited.clear()
        self.assertEqual(sink.texts, ["x", "x"])

    def test_a_choice_that_is_made_later(self):
        member, sink = self.parts.member(selection=codes("B"))
        self.parts.say("no", code="A")  # so that it is known who wants it
        self.parts.flush()
        member.select(codes("A"))
        self.parts.flush()
        self.visited.clear()
        self.say(sink, visits=1, code="A")
        member.select(codes("B"))
        self.parts.flush()
        self.visited.clear()
        self.say(sink, visits=1, code="B")

    def test_more_codes_than_are_remembered(self):
        self.patch(views, "VALUES", 2)
        _, sink = self.parts.member(selection=codes("A", "B", "C"))
        for code in "ABCABC":
            self.say(sink, visits=1, code=code)

    def test_who_was_not_visited_is_where_the_log_is(self):
        member, sink = self.parts.member(selection=codes("A"))
        for _ in range(100):
            self.parts.say("no", code="B")
            self.parts.flush()
        log = self.parts.log
        self.assertEqual(log.tail, log.head)
        member.leave()
        self.assertEqual(member.cursor, log.head)
        self.parts.say("yes", code="A")
        member.outbox.step_aside()
        self.parts.flush()
        self.assertEqual(sink.texts, ["yes"])

    def test_who_leaves_between_two_views_misses_nothing(self):
        first, _ = self.parts.member()
        chosen, sink = self.parts.member(selection=codes("A"))
        empty, quiet = self.parts.member(selection=codes("Q"))

        def leave():
            chosen.outbox.leave()
            empty.outbox.leave()
            chosen.outbox.step_aside()
            empty.outbox.step_aside()

        first.outbox._sink.on_write = leave
        self.parts.say("a", "b", code="A")
        self.parts.flush()
        self.assertEqual(sink.texts, ["a", "b"])
        self.assertEqual(quiet.texts, [])
        self.assertFalse(self.parts.log.apart)

    def test_many_filters_that_let_the_same_through_encode_it_once(self):
        form = CountingForm()
        for name in CODES:
            self.parts.member(form, selection=codes("A", name))
        self.parts.say("a", code="A")
        self.parts.flush()
        self.assertEqual(form.calls, [1])


class IndexTests(SynchronousTestCase):
    def test_what_nobody_sends_takes_no_memory(self):
        index = views.Index()
        view = object()
        index.add(view, frozenset(CODES))
        self.assertEqual(dict(index._wanting), {})
        self.assertEqual(index.wanting("C1"), {view: None})
        self.assertEqual(index.wanting("Z"), {})
        index.remove(view)
        self.assertEqual(index._wanting, {"C1": {}, "Z": {}})

    def test_what_nobody_can_want_takes_no_memory(self):
        index = views.Index()
        index.wanting("C1")
        index.add(object(), frozenset(CODES))
        for value in ("x" * (MAX_LENGTH + 1), 1.5, True):
            self.assertEqual(index.wanting(value), {})
        self.assertEqual(index._wanting, {})
