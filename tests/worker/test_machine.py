"""The life-cycle as a table: every state, every input."""

from __future__ import annotations

from automat import NoTransition
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.machine import Lifecycle, machine

INPUTS = [name for name in vars(Lifecycle) if not name.startswith("_")]

PATHS = {
    "stopped": [],
    "due": ["start"],
    "starting": ["start", "spawned"],
    "running": ["start", "spawned", "settled"],
    "stopping": ["start", "spawned", "settled", "stop"],
    "replacing": ["start", "spawned", "settled", "restart"],
    "exited": ["start", "spawned", "settled", "exited"],
    "backoff": ["start", "retry"],
    "fatal": ["start", "give_up"],
}
"""How each state is reached."""

PUBLIC = {"replacing": "stopping"}

EXPECTED = {
    ("stopped", "start"): ["spawn"],
    ("stopped", "restart"): ["spawn"],
    ("stopped", "stop"): [],
    ("due", "spawned"): ["starting"],
    ("due", "retry"): ["backoff", "wait"],
    ("due", "give_up"): ["fatal"],
    ("starting", "start"): [],
    ("starting", "restart"): [],
    ("starting", "stop"): ["stopping", "end"],
    ("starting", "settled"): ["running"],
    ("starting", "exited"): ["exited"],
    ("running", "start"): [],
    ("running", "restart"): ["stopping", "end"],
    ("running", "stop"): ["stopping", "end"],
    ("running", "exited"): ["exited"],
    ("stopping", "start"): [],
    ("stopping", "restart"): [],
    ("stopping", "stop"): [],
    ("stopping", "exited"): [],
    ("stopping", "reaped"): ["stopped"],
    ("replacing", "start"): [],
    ("replacing", "restart"): [],
    ("replacing", "stop"): [],
    ("replacing", "exited"): [],
    ("replacing", "reaped"): ["spawn"],
    ("exited", "start"): ["stopping"],
    ("exited", "restart"): ["stopping"],
    ("exited", "stop"): ["stopping"],
    ("exited", "reaped"): ["judge"],
    ("exited", "again"): ["spawn"],
    ("exited", "retry"): ["backoff", "wait"],
    ("exited", "give_up"): ["fatal"],
    ("backoff", "elapsed"): ["hurry", "spawn"],
    ("backoff", "start"): ["hurry", "spawn"],
    ("backoff", "restart"): ["hurry", "spawn"],
    ("backoff", "stop"): ["stopped", "hurry"],
    ("backoff", "give_up"): ["fatal", "hurry"],
    ("fatal", "start"): ["spawn"],
    ("fatal", "restart"): ["spawn"],
    ("fatal", "stop"): ["stopped"],
}
"""What each input does in each state: the state entered, then the effects."""


class Recorder:
    """Effects that are written down."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def enter(self, state: str) -> None:
        self.said.append(state)

    def __getattr__(self, effect: str):
        if effect.startswith("_"):
            raise AttributeError(effect)
        return lambda: self.said.append(effect)


def at(state: str) -> tuple[Recorder, Lifecycle]:
    recorder = Recorder()
    lifecycle = machine(recorder)
    for name in PATHS[state]:
        getattr(lifecycle, name)()
    recorder.said.clear()
    return recorder, lifecycle


class MachineTests(SynchronousTestCase):
    def test_every_input_in_every_state(self) -> None:
        """A pair does what the table above says, or is refused as impossible."""
        for state in PATHS:
            for name in INPUTS:
                with self.subTest(state=state, input=name):
                    recorder, lifecycle = at(state)
                    if (state, name) in EXPECTED:
                        getattr(lifecycle, name)()
                        self.assertEqual(recorder.said, EXPECTED[state, name])
                    else:
                        self.assertRaises(NoTransition, getattr(lifecycle, name))

    def test_people_may_ask_at_any_time(self) -> None:
        for state in PATHS.keys() - {"due"}:  # which lasts no time
            for name in ("start", "restart", "stop"):
                self.assertIn((state, name), EXPECTED)

    def test_a_worker_wanted_while_one_is_stopping_starts_when_that_is_reaped(self) -> None:
        for wish in ("start", "restart"):
            recorder, lifecycle = at("stopping")
            getattr(lifecycle, wish)()
            lifecycle.exited()
            self.assertEqual(recorder.said, [])
            lifecycle.reaped()
            self.assertEqual(recorder.said, ["spawn"])

    def test_the_last_wish_counts_while_one_is_stopping(self) -> None:
        recorder, lifecycle = at("replacing")
        lifecycle.stop()
        lifecycle.reaped()
        self.assertEqual(recorder.said, ["stopped"])

    def test_a_wish_after_a_crash_waits_for_the_tree_to_be_gone(self) -> None:
        recorder, lifecycle = at("exited")
        lifecycle.restart()
        lifecycle.reaped()
        self.assertEqual(recorder.said, ["stopping", "spawn"])

    def test_every_start_goes_through_the_gate(self) -> None:
        """No input but the gate's own verdict leads to `starting`."""
        starts = {pair for pair, effects in EXPECTED.items() if "starting" in effects}
        self.assertEqual(starts, {("due", "spawned")})
