"""The life-cycle as a table: every state, every input."""

from __future__ import annotations

from automat import NoTransition
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.machine import Lifecycle, machine

INPUTS = [name for name in vars(Lifecycle) if not name.startswith("_")]

PATHS = {
    "stopped": [],
    "starting": ["start"],
    "running": ["start", "settled"],
    "stopping": ["start", "settled", "stop"],
    "replacing": ["start", "settled", "restart"],
    "exited": ["start", "settled", "exited"],
    "backoff": ["start", "settled", "exited", "reaped", "retry"],
    "fatal": ["start", "settled", "exited", "reaped", "give_up"],
}
"""How each state is reached."""

PUBLIC = {"replacing": "stopping"}

EXPECTED = {
    ("stopped", "start"): ["starting", "spawn"],
    ("stopped", "restart"): ["starting", "spawn"],
    ("stopped", "stop"): [],
    ("stopped", "postpone"): ["backoff", "wait"],
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
    ("replacing", "reaped"): ["starting", "spawn"],
    ("exited", "start"): ["stopping"],
    ("exited", "restart"): ["stopping"],
    ("exited", "stop"): ["stopping"],
    ("exited", "reaped"): ["judge"],
    ("exited", "again"): ["starting", "spawn"],
    ("exited", "retry"): ["backoff", "wait"],
    ("exited", "give_up"): ["fatal"],
    ("backoff", "elapsed"): ["starting", "spawn"],
    ("backoff", "start"): ["starting", "hurry", "spawn"],
    ("backoff", "restart"): ["starting", "hurry", "spawn"],
    ("backoff", "stop"): ["stopped", "hurry"],
    ("backoff", "postpone"): ["wait"],
    ("fatal", "start"): ["starting", "spawn"],
    ("fatal", "restart"): ["starting", "spawn"],
    ("fatal", "stop"): ["stopped"],
    ("fatal", "postpone"): ["backoff", "wait"],
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
        for state in PATHS:
            for name in ("start", "restart", "stop"):
                self.assertIn((state, name), EXPECTED)

    def test_a_worker_wanted_while_one_is_stopping_starts_when_that_is_reaped(self) -> None:
        for wish in ("start", "restart"):
            recorder, lifecycle = at("stopping")
            getattr(lifecycle, wish)()
            lifecycle.exited()
            self.assertEqual(recorder.said, [])
            lifecycle.reaped()
            self.assertEqual(recorder.said, ["starting", "spawn"])

    def test_the_last_wish_counts_while_one_is_stopping(self) -> None:
        recorder, lifecycle = at("replacing")
        lifecycle.stop()
        lifecycle.reaped()
        self.assertEqual(recorder.said, ["stopped"])

    def test_a_wish_after_a_crash_waits_for_the_tree_to_be_gone(self) -> None:
        recorder, lifecycle = at("exited")
        lifecycle.restart()
        lifecycle.reaped()
        self.assertEqual(recorder.said, ["stopping", "starting", "spawn"])
