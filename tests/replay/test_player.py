"""What is told when, and what a command changes; by a connection and a clock of the test's own."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import OVERHEAD
from gateway.history.recorded_lines import line
from gateway.history.zstd_file import compress
from gateway.replay import player as module
from gateway.replay import tape
from gateway.replay.connection import LostError
from gateway.replay.player import OPEN, Player, ReplaySettings
from gateway.replay.tape import Tape
from gateway.replay.wishes import Place

BEGINS = 1796002200.0
"""2026-11-30 09:30 in Taipei."""


MOST_ASKED = 10_000


class Over(Exception):
    """The test has seen enough."""


class FakeConnection:
    """A gateway: time passes while it is waited for."""

    waiting = 0

    def __init__(self, world: PlayerTests) -> None:
        self.world = world
        self.unanswered = 0
        self.is_closed = False

    def send(self, payload: bytes, attachments: Any = ()) -> None:
        self.world.heard.append((self.world.clock.seconds(), payload, *attachments))

    def ask(self, name: str, question: dict[str, Any]) -> None:
        self.unanswered = 1 if self.world.answers else self.unanswered + 1
        self.world.asked.append((name, question))
        if len(self.world.asked) > MOST_ASKED:
            raise AssertionError("it asks without end")

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        return self.world.passes(self, seconds)

    def close(self) -> None:
        self.is_closed = True


class PlayerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.heard: list[tuple[Any, ...]] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.said: list[str] = []
        self.connections: list[FakeConnection] = []
        self.commands: list[tuple[float, dict[str, Any]]] = []
        """When they come, and what."""
        self.ends = 100.0
        self.answers = True
        self.patch(module.time, "sleep", self.clock.advance)

    def passes(self, connection: FakeConnection, seconds: float) -> list[dict[str, Any]]:
        now = self.clock.seconds()
        if now >= self.ends:
            raise Over
        due = self.commands[0][0] if self.commands else math.inf
        self.clock.advance(min(seconds, max(0.0, due - now)))
        if self.clock.seconds() >= due:
            command = self.commands.pop(0)[1]
            if "lost" in command:
                raise LostError("gone")
            connection.unanswered -= 1
            return [command]
        if self.answers and seconds:
            connection.unanswered = 0
        return []

    def play(self, *times: float, **settings: Any) -> list[tuple[float, int]]:
        """What was heard: when, and which event."""
        away = settings.pop("away", 0)
        path = Path(self.mktemp())
        lines = (line(BEGINS + t, b'["market_tick",{"n":%d}]' % n) for n, t in enumerate(times))
        path.write_bytes(compress(b"".join(lines)))

        def connect(address: str) -> Any:
            if self.clock.seconds() < away:
                raise LostError("nobody listens")
            self.connections.append(FakeConnection(self))
            return self.connections[-1]

        player = Player(
            Tape([path], self.said.append),
            ReplaySettings(**settings),
            "http://localhost:1",
            self.said.append,
            connect=connect,
            clock=self.clock.seconds,
            wall=lambda: 2e9 + self.clock.seconds(),
        )
        self.assertRaises(Over, player.run)
        self.assertTrue(all(each.is_closed for each in self.connections))
        return [
            (round(when, 3), int(payload[payload.index(b":") + 1 : -2]))
            for when, payload in self.heard
        ]

    def test_each_event_comes_in_its_time(self) -> None:
        self.assertEqual(self.play(0, 0.5, 0.5, 30), [(0, 0), (0.5, 1), (0.5, 2), (30, 3)])
        self.assertEqual(self.asked[-1][1]["ended"], True)
        self.assertEqual(self.asked[-1][1]["time"], BEGINS + 30)
        self.assertIn("that was the last event", self.said)

    def test_at_ten_times_the_speed(self) -> None:
        self.assertEqual(self.play(0, 5, 30, speed=10), [(0, 0), (0.5, 1), (3, 2)])

    def test_at_any_speed_with_max(self) -> None:
        self.assertEqual(self.play(0, 5, 9000, speed=math.inf), [(0, 0), (0, 1), (0, 2)])

    def test_the_gateway_is_asked_all_the_time_and_told_how_it_is(self) -> None:
        self.ends = 5
        self.play(0, 30, speed=2)
        name, question = self.asked[-1]
        self.assertEqual(name, "sjgateway:replay")
        self.assertGreaterEqual(len(self.asked), 5)
        self.assertAlmostEqual(question.pop("time"), BEGINS + 10, delta=3)
        self.assertEqual((question.pop("begins"), question.pop("pid")), (BEGINS, os.getpid()))
        wanted = {"speed": 2, "paused": False, "ended": False, "round": 1, "done": 0}
        self.assertEqual(question, wanted)

    def test_a_person_pauses_it_and_goes_on(self) -> None:
        self.commands = [(5, {"number": 1, "paused": True}), (25, {"number": 2, "paused": False})]
        self.assertEqual(self.play(0, 10), [(0, 0), (30, 1)])
        self.assertEqual(next(each["done"] for _, each in self.asked if each["paused"]), 1)

    def test_a_person_changes_the_speed(self) -> None:
        self.commands = [(5, {"number": 1, "speed": 10.0})]
        self.assertEqual(self.play(0, 25), [(0, 0), (7, 1)])

    def test_a_person_goes_forth_and_back(self) -> None:
        self.commands = [
            (1, {"number": 1, "to": "09:40"}),
            (2, {"number": 2, "to": "09:30:10"}),
        ]
        heard = self.play(0, 10, 600)
        self.assertEqual(heard, [(0, 0), (1, 2), (2, 1)])
        rounds = [(each["round"], each["done"]) for _, each in self.asked]
        self.assertEqual(rounds[0], (1, 0))
        self.assertEqual(rounds[-1], (3, 2))

    def test_beyond_the_end_there_is_nothing_and_one_can_go_back(self) -> None:
        self.commands = [(1, {"number": 1, "to": "10:00"}), (5, {"number": 2, "to": "09:30"})]
        self.assertEqual(self.play(0, 60, speed=10), [(0, 0), (5, 0), (11, 1)])

    def test_it_begins_where_it_is_told(self) -> None:
        heard = self.play(0, 10, 20, begin=Place.read("09:30:10"))
        self.assertEqual(heard, [(0, 1), (10, 2)])

    def test_what_holds_from_before_its_beginning_is_told_first_of_its_round(self) -> None:
        contract, tick = b'["market_contract",{"code":"A"}]', b'["market_tick",{"code":"A"}]'
        path = Path(self.mktemp())
        path.write_bytes(compress(line(BEGINS, contract) + line(BEGINS + 60, tick)))
        player = Player(
            Tape([path], self.said.append),
            ReplaySettings(begin=Place.read("09:31")),
            "",
            self.said.append,
            connect=lambda _: FakeConnection(self),
            clock=self.clock.seconds,
        )
        self.assertRaises(Over, player.run)
        self.assertEqual(self.heard, [(0, contract), (0, tick)])
        self.assertEqual(self.asked[0][1]["round"], 1)

    def test_it_begins_again_after_the_end(self) -> None:
        self.ends = 25
        heard = self.play(0, 10, loop=True)
        self.assertEqual(heard, [(0, 0), (10, 1), (10, 0), (20, 1), (20, 0)])
        self.assertEqual(self.asked[-1][1]["round"], 3)

    def test_a_short_one_begins_again_once_a_second_at_most(self) -> None:
        self.ends = 5
        heard = self.play(0, 0.1, loop=True, speed=math.inf)
        self.assertEqual(heard, [(t, n) for t in range(5) for n in (0, 1)])

    def test_with_nothing_to_play_again_it_ends(self) -> None:
        self.assertEqual(self.play(0, 10, loop=True, begin=Place.read("12:00")), [])
        self.assertTrue(self.asked[-1][1]["ended"])

    def test_in_a_pause_from_the_start_nothing_comes_before_it_is_asked_for(self) -> None:
        self.commands = [(50, {"number": 1, "speed": 1.0})]
        self.assertEqual(self.play(0, 10, speed=0), [(50, 0), (60, 1)])

    def test_no_more_is_sent_than_is_taken(self) -> None:
        self.answers = False
        self.ends = 10
        self.patch(module, "EVERY", 3 * OVERHEAD)
        heard = self.play(*range(1000), speed=math.inf)
        self.assertEqual(len(heard), 3 * (OPEN - 1))  # one was asked before

    def test_nothing_is_sent_while_the_system_takes_nothing(self) -> None:
        self.patch(FakeConnection, "waiting", module.FULL)
        self.ends = 10
        self.assertEqual(self.play(0, 1, speed=math.inf), [])

    def test_it_goes_on_where_it_was_when_the_gateway_is_back(self) -> None:
        self.commands = [(5, {"lost": True})]
        heard = self.play(0, 10)
        self.assertEqual(heard[0], (0, 0))
        self.assertEqual(len(self.connections), 2)
        self.assertEqual(heard[1], (10, 1))

    def test_it_gets_where_it_was_asked_to_go_when_the_gateway_goes_meanwhile(self) -> None:
        self.patch(tape, "SLICE", 2)
        self.commands = [(1, {"number": 1, "to": "10:00"}), (1, {"lost": True})]
        self.assertEqual(self.play(0, 10, 20, 30, 40, 1800), [(0, 0), (1, 5)])
        self.assertEqual(len(self.connections), 2)

    def test_a_gateway_that_is_not_there_yet_is_waited_for(self) -> None:
        heard = self.play(0, 10, away=20)
        begun = heard[0][0]
        self.assertGreaterEqual(begun, 20)
        self.assertEqual(heard[1], (round(begun + 10, 3), 1))
        self.assertEqual(sum("no gateway yet" in each for each in self.said), 1)

    def test_times_of_now_are_those_at_which_it_comes(self) -> None:
        self.clock.advance(0)
        path = Path(self.mktemp())
        payload = b'["a",{"datetime":"2026-11-30T09:30:00+08:00"}]'
        path.write_bytes(compress(line(BEGINS, payload) + line(BEGINS + 10, payload)))
        player = Player(
            Tape([path], self.said.append),
            ReplaySettings(moved=True, speed=10),
            "",
            self.said.append,
            connect=lambda _: FakeConnection(self),
            clock=self.clock.seconds,
            wall=lambda: BEGINS + 86400 + self.clock.seconds(),
        )
        self.assertRaises(Over, player.run)
        # The second one was 10 s old when it came, as it was then.
        texts = [payload.decode()[18:37] for _, payload in self.heard]
        self.assertEqual(texts, ["2026-12-01T09:30:00", "2026-12-01T09:29:51"])
