"""The newest event of each key."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet
from gateway.market.codes import ContractCodes
from gateway.relay.event import Event, Subject
from gateway.relay.selection import Selection
from gateway.relay.snapshot import BUNDLES, Snapshot


def tick(code: str, text: bytes = b"42") -> Event:
    name = "market_tick"
    return Event(
        (Packet(text),),
        None,
        Subject(name, code, (name, code)),
        trusted=True,
        wall=0.0,
    )


def kept(snapshot: Snapshot) -> list[Event]:
    """What is kept, in order."""
    events: list[Event] = []
    snapshot.bundles(object(), lambda event: not events.append(event))
    return events


class SnapshotTests(SynchronousTestCase):
    def test_keeps_the_newest_of_each_key_in_the_order_last_seen(self) -> None:
        snapshot = Snapshot(max_keys=10, max_bytes=1000)
        events = [tick("a"), tick("b"), tick("a")]
        for event in events:
            snapshot.see(event)
        self.assertEqual(kept(snapshot), events[1:])

    def test_drops_what_was_not_seen_for_the_longest_time_beyond_its_keys(self) -> None:
        snapshot = Snapshot(max_keys=2, max_bytes=1000)
        for code in "abab" + "c":
            snapshot.see(tick(code))
        self.assertEqual([event.code for event in kept(snapshot)], ["b", "c"])

    def test_forgets_what_is_unwanted(self) -> None:
        snapshot = Snapshot(max_keys=10, max_bytes=1000)
        for code in "abc":
            snapshot.see(tick(code))
        snapshot.forget(lambda event: event.code == "b")
        self.assertEqual([event.code for event in kept(snapshot)], ["a", "c"])
        self.assertEqual((len(snapshot), snapshot.bytes), (2, 4))

    def test_only_what_a_filter_may_want_is_looked_at(self) -> None:
        snapshot = Snapshot(max_keys=1000, max_bytes=10**6)
        for number in (*range(100), *range(50)):
            snapshot.see(tick(str(number)))
        for selection, count in (
            (Selection(), 100),
            (Selection(codes=frozenset(("7", "70", "nobody"))), 2),
            (Selection(events=frozenset(("nothing",))), 0),
            (Selection(events=frozenset(("market_tick", "nothing"))), 100),
        ):
            looked: list[Event] = []
            snapshot.bundles(object(), lambda event, f=looked: not f.append(event), selection)
            self.assertEqual(len(looked), count, selection)
        snapshot.forget(lambda event: event.code == "7")
        looked = []
        selection = Selection(codes=frozenset("7"))
        snapshot.bundles(object(), lambda event: not looked.append(event), selection)
        self.assertEqual(looked, [])

    def test_an_event_is_found_by_its_contracts_other_codes(self) -> None:
        aliases = ContractCodes()
        aliases.learn(b'["market_contract",{"code":"TXFR1","target_code":"TXFC6"}]')
        snapshot = Snapshot(max_keys=10, max_bytes=1000)
        snapshot.rename(aliases)
        for code in ("TXFC6", "2330"):
            snapshot.see(tick(code))
        looked: list[Event] = []
        selection = Selection(codes=frozenset(("TXFR1",)))
        snapshot.bundles(object(), lambda event: not looked.append(event), selection)
        self.assertEqual([event.code for event in looked], ["TXFC6"])

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=40))
    def test_a_filter_finds_what_a_look_at_all_would(self, said: list[tuple[str, str]]) -> None:
        snapshot = Snapshot(max_keys=4, max_bytes=1000)
        for position, (key, code) in enumerate(said):
            event = tick(code)
            event.key, event.position = key, position
            snapshot.see(event)
        for selection in (Selection(codes=frozenset("xy")), Selection(codes=frozenset("z"))):
            found: list[Event] = []
            snapshot.bundles(object(), lambda event, f=found: not f.append(event), selection)
            self.assertEqual(found, [each for each in kept(snapshot) if selection.wants(each)])

    def test_one_event_over_the_bound_is_not_kept(self) -> None:
        snapshot = Snapshot(max_keys=10, max_bytes=100)
        snapshot.see(tick("a", b"4" * 101))
        self.assertEqual((len(snapshot), snapshot.bytes), (0, 0))

    def test_bundles_are_shared_until_something_changes(self) -> None:
        snapshot = Snapshot(max_keys=99, max_bytes=10_000)
        for number in range(40):
            snapshot.see(tick(str(number), b"42%d" % number))
        first = snapshot.bundles("all", lambda event: True)
        texts = [packet.data for record in first for packet in record.packets]
        self.assertEqual(texts, [b"42%d" % number for number in range(40)])
        self.assertEqual([len(record.packets) for record in first], [16, 16, 8])
        self.assertIs(snapshot.bundles("all", self.fail), first)
        snapshot.see(tick("0"))
        self.assertEqual(snapshot.bundles("all", lambda event: False), [])

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=40))
    def test_is_bounded_and_truthful(self, seen: list[tuple[str, int]]) -> None:
        snapshot = Snapshot(max_keys=4, max_bytes=100)
        newest: dict[str, Event] = {}
        for code, size in seen:
            event = newest[code] = tick(code, b"4" * size)
            snapshot.see(event)
        events = kept(snapshot)
        self.assertLessEqual(len(events), 4)
        self.assertEqual(snapshot.bytes, sum(event.size for event in events))
        self.assertLessEqual(snapshot.bytes, 100)
        self.assertTrue(all(newest[event.code or ""] is event for event in events))

    def test_what_was_made_for_ever_new_readers_is_not_collected(self) -> None:
        snapshot = Snapshot(max_keys=10, max_bytes=1000)
        snapshot.see(tick("a"))
        first = snapshot.bundles("first", lambda _: True)
        for number in range(BUNDLES):
            snapshot.bundles(number, lambda _: True)
        self.assertIsNot(snapshot.bundles("first", lambda _: True), first)
