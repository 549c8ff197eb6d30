"""Places in a log, the journal of a single gateway, and taps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.journal import DirectJournal, Offset
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from tests.relay.world import RelayWorld, Watcher


class PlaceTests(SynchronousTestCase):
    @settings(deadline=None)
    @given(st.text("aZ09-_.密", min_size=1), st.integers(0, 10**15 - 1))
    def test_its_text_names_it(self, epoch: str, position: int) -> None:
        place = Offset(epoch, position)
        self.assertEqual(Offset.parse(str(place)), place)

    def test_other_texts_name_none(self) -> None:
        for text in ("", "-", "7", "-7", "E-", "E-x", "E--1x", "E-1.0", "E-¹", "E-" + "1" * 16):
            self.assertEqual(Offset.parse(text), None, text)


class DirectTests(SynchronousTestCase):
    def test_an_event_enters_as_soon_as_it_is_said(self) -> None:
        entered: list[Any] = []
        event: Any = object()
        DirectJournal(SimpleNamespace(enter=entered.append, mark=bool)).append(event)
        self.assertEqual(entered, [event])

    def test_each_process_and_each_namespace_begins_an_epoch(self) -> None:
        names = ("/", "/chat")
        relays = [
            Relay(
                RelaySettings(namespaces=names),
                RelayWorld().deadlines,
                _never,
                Watcher(),
                wall=_zero,
            )
            for _ in range(2)
        ]
        epochs = {hub.log.epoch for relay in relays for hub in relay.hubs.values()}
        self.assertEqual(len(epochs), 4)


class TapTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld()
        self.sender, self.other = self.world.client(), self.world.client()
        self.turns: list[list[Any]] = []
        self.world.log.taps.append(self.tap)

    def tap(self, events: Any) -> None:
        self.turns.append([event.name for event in events])
        self.assertEqual(self.other.heard, [], "taps come before anybody is written to")

    def test_it_gets_the_events_of_a_turn_once_in_their_order(self) -> None:
        for name in "abc":
            self.sender.emit(name)
        self.world.relay.publish("d", {})
        self.world.turn()
        self.assertEqual(self.turns, [["a", "b", "c", "d"]])
        self.assertEqual(len(self.other.heard), 4)
        self.world.flush()
        self.sender.emit("e")
        self.world.flush()
        self.assertEqual(self.turns[1:], [["e"]])

    def test_it_knows_where_an_event_stands(self) -> None:
        places: list[Offset] = []
        self.world.log.taps.append(
            lambda events: places.extend(Offset(each.epoch, each.position) for each in events)
        )
        self.sender.emit("a")
        self.world.flush()
        self.assertEqual(places, [Offset("E", 0)])


def _never(seconds: float, callback: object) -> None:
    """No time passes here."""


def _zero() -> float:
    return 0.0
