"""Pauses and the end of trying."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.backoff import LONG_LIFE, Backoff
from gateway.worker.lifecycle.classification import (
    AUTHENTICATION,
    BAN,
    MAINTENANCE,
    NETWORK,
    NOT_YET,
    OTHER,
    PLANNED,
    SHORTAGE,
    TOO_MANY,
)
from gateway.worker.lifecycle.exits import Exit
from gateway.worker.settings import WorkerSettings


def backoff(random: float = 0.0, **changes: object) -> Backoff:
    return Backoff(WorkerSettings(state_dir=Path("unused"), **changes), lambda: random)


def end(lived: float = 1.0, ready_for: float | None = None, **how: object) -> Exit:
    return Exit(pid=1, lived=lived, ready_for=ready_for, **how)


class BackoffTests(SynchronousTestCase):
    def test_pauses_double_from_half_a_second(self) -> None:
        tested = backoff(fatal_after=0)
        pauses = [tested.verdict(end(), OTHER) for _ in range(5)]
        self.assertEqual(pauses, [0.5, 1.0, 2.0, 4.0, 8.0])

    def test_pauses_end_at_five_minutes(self) -> None:
        tested = backoff(random=1.0)
        for _ in range(50):
            last = tested.verdict(end(), NETWORK)
        self.assertEqual(last, 300)

    def test_jitter_only_lengthens(self) -> None:
        self.assertEqual(backoff(random=1.0).verdict(end(), OTHER), 0.625)

    def test_exit_code_zero_is_a_failure_like_any(self) -> None:
        self.assertEqual(backoff().verdict(end(code=0), OTHER), 0.5)

    def test_five_fast_failures_are_fatal(self) -> None:
        tested = backoff()
        verdicts = [tested.verdict(end(), OTHER) for _ in range(5)]
        self.assertIsNone(verdicts.pop())
        self.assertNotIn(None, verdicts)

    def test_too_many_connections_are_no_excuse(self) -> None:
        tested = backoff()
        self.assertIsNone([tested.verdict(end(), TOO_MANY) for _ in range(5)][-1])

    def test_a_slow_failure_interrupts_the_row(self) -> None:
        tested = backoff()
        for lived in (1, 1, 1, 1, 61, 1, 1, 1, 1):
            self.assertIsNotNone(tested.verdict(end(lived), OTHER))
        self.assertIsNone(tested.verdict(end(), OTHER))

    def test_what_passes_by_itself_is_never_fatal(self) -> None:
        tested = backoff()
        for cause in (NETWORK, MAINTENANCE, BAN, SHORTAGE, NOT_YET) * 300:
            self.assertIsNotNone(tested.verdict(end(), cause))

    def test_the_network_does_not_interrupt_the_row_of_others(self) -> None:
        tested = backoff()
        for cause in (OTHER, OTHER, NETWORK, OTHER, OTHER):
            self.assertIsNotNone(tested.verdict(end(), cause))
        self.assertIsNone(tested.verdict(end(), OTHER))

    def test_fatal_can_be_switched_off(self) -> None:
        tested = backoff(fatal_after=0)
        self.assertNotIn(None, [tested.verdict(end(), OTHER) for _ in range(100)])

    def test_wrong_keys_are_tried_once_and_then_a_person_is_waited_for(self) -> None:
        tested = backoff(fatal_after=0)
        self.assertIsNone(tested.verdict(end(), AUTHENTICATION))
        self.assertEqual(tested.hold().seconds, float("inf"))
        self.assertIsNone(tested.hold(person=True))
        tested.asked()
        self.assertIsNone(tested.hold())

    def test_keys_that_worked_before_are_tried_again(self) -> None:
        tested = backoff()
        self.assertEqual(tested.verdict(end(lived=300, ready_for=200), AUTHENTICATION), 0.5)
        self.assertIsNone(tested.hold())

    def test_a_planned_end_is_no_failure(self) -> None:
        tested = backoff(fatal_after=1, fast=1000)
        for _ in range(10):
            self.assertEqual(tested.verdict(end(lived=120, ready_for=100, code=0), PLANNED), 0.5)
        self.assertEqual((tested.failures, tested.fast_failures), (0, 0))

    def test_ends_that_are_not_planned(self) -> None:
        for how in (
            {"lived": 119, "ready_for": 100, "code": 0},
            {"lived": 500, "code": 0},
            {"lived": 500, "ready_for": 400, "code": 1},
            {"lived": 500, "ready_for": 400, "signal": "SIGTERM"},
            {"lived": 500, "ready_for": 400, "code": 0, "asked": True},
        ):
            self.assertFalse(end(**how).planned, how)

    def test_what_is_hopeless_is_not_tried_again(self) -> None:
        self.assertIsNone(backoff(fatal_after=0).verdict(end(permanent=True), NETWORK))

    def test_someone_who_asks_gets_five_new_tries(self) -> None:
        tested = backoff()
        for _ in range(5):
            tested.verdict(end(), OTHER)
        tested.asked()
        self.assertEqual(
            [tested.verdict(end(), OTHER) is None for _ in range(5)], [False] * 4 + [True]
        )

    def test_ready_for_ten_minutes_begins_anew(self) -> None:
        tested = backoff()
        for _ in range(4):
            tested.verdict(end(), OTHER)
        self.assertEqual(tested.verdict(end(lived=700, ready_for=600), OTHER), 0.5)

    def test_a_life_without_ready_does_not_until_it_is_long(self) -> None:
        for lived, pause in ((700, 1.0), (LONG_LIFE, 0.5)):
            tested = backoff()
            tested.verdict(end(), OTHER)
            self.assertEqual(tested.verdict(end(lived=lived), OTHER), pause)

    @hypothesis_settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.floats(0, 10_000),
                st.none() | st.floats(0, 10_000),
                st.sampled_from([OTHER, NETWORK]),
            )
        ),
        st.floats(0, 1),
    )
    def test_a_pause_is_always_within_its_bounds(self, lives, random) -> None:
        tested = backoff(random=random)
        for lived, ready_for, cause in lives:
            pause = tested.verdict(end(lived, ready_for), cause)
            self.assertTrue(pause is None or 0.5 <= pause <= 300)
            if cause == NETWORK:
                self.assertIsNotNone(pause)
