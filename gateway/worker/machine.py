"""The worker's life-cycle, as a table.

The machine decides nothing by itself: it is told what people ask and what the process
does, and tells its `Effects` what to do.  One process at a time: `spawn` is only ever
said when the one before is `reaped`, its whole tree gone.  Every start goes through the
state `due`, where `spawn` asks the gate (`gate.py`) and says what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from automat import TypeMachineBuilder

if TYPE_CHECKING:
    from collections.abc import Callable


class Lifecycle(Protocol):
    """What may happen."""

    def start(self) -> None:
        """Someone wants a worker, no matter which."""

    def restart(self) -> None:
        """Someone wants a new worker."""

    def stop(self) -> None:
        """Someone wants no worker."""

    def spawned(self) -> None:
        """The verdict of `Effects.spawn`: there is a new process, or soon will be."""

    def settled(self) -> None:
        """The new worker lived long enough to count as started."""

    def exited(self) -> None:
        """The worker's process is gone; others of its tree may not be."""

    def reaped(self) -> None:
        """Nothing is left of the worker's tree."""

    def elapsed(self) -> None:
        """The pause is over."""

    def again(self) -> None:
        """The verdict after an unexpected exit: at once, someone is waiting."""

    def retry(self) -> None:
        """The verdict after an unexpected exit, or of `Effects.spawn`: after a pause."""

    def give_up(self) -> None:
        """The verdict of either, or on a pause that has no end: not until someone asks."""


class Effects(Protocol):
    """What the machine has done."""

    def enter(self, state: str) -> None:
        """A new state; said before what the transition does."""

    def spawn(self) -> None:
        """Start a new process if nothing stands against it now.

        It says `spawned`, `retry` or `give_up`.
        """

    def end(self) -> None:
        """Make the present process end; it is to say `exited`, then `reaped`."""

    def wait(self) -> None:
        """Arm the timer that says `elapsed`."""

    def hurry(self) -> None:
        """Disarm it."""

    def judge(self) -> None:
        """Say `again`, `retry` or `give_up`."""


def _nothing(_: Effects) -> None:
    pass


def _spawn(effects: Effects) -> None:
    effects.spawn()


def _end(effects: Effects) -> None:
    effects.end()


def _wait(effects: Effects) -> None:
    effects.wait()


def _hurry(effects: Effects) -> None:
    effects.hurry()


def _hurry_and_spawn(effects: Effects) -> None:
    effects.hurry()
    effects.spawn()


def _judge(effects: Effects) -> None:
    effects.judge()


_builder = TypeMachineBuilder(Lifecycle, Effects)  # type: ignore[type-abstract] # types, no calls
_stopped = _builder.state("stopped")
_due = _builder.state("due")
_starting = _builder.state("starting")
_running = _builder.state("running")
_stopping = _builder.state("stopping")
_replacing = _builder.state("replacing")
_exited = _builder.state("exited")
_backoff = _builder.state("backoff")
_fatal = _builder.state("fatal")

_PUBLIC = {"replacing": "stopping", "due": None}
"""`replacing` is `stopping` with a worker wanted afterwards; `due` lasts no time."""

_TABLE = (
    (_stopped, Lifecycle.start, _due, _spawn),
    (_stopped, Lifecycle.restart, _due, _spawn),
    (_stopped, Lifecycle.stop, _stopped, _nothing),
    # A start is due, and the gate is asked.
    (_due, Lifecycle.spawned, _starting, _nothing),
    (_due, Lifecycle.retry, _backoff, _wait),
    (_due, Lifecycle.give_up, _fatal, _nothing),
    # A worker is not interrupted while its interpreter starts: `restart` waits for
    # `settled`, after which whoever is still waiting says it again.
    (_starting, Lifecycle.start, _starting, _nothing),
    (_starting, Lifecycle.restart, _starting, _nothing),
    (_starting, Lifecycle.stop, _stopping, _end),
    (_starting, Lifecycle.settled, _running, _nothing),
    (_starting, Lifecycle.exited, _exited, _nothing),
    (_running, Lifecycle.start, _running, _nothing),
    (_running, Lifecycle.restart, _replacing, _end),
    (_running, Lifecycle.stop, _stopping, _end),
    (_running, Lifecycle.exited, _exited, _nothing),
    # Going down: the last wish counts.
    (_stopping, Lifecycle.start, _replacing, _nothing),
    (_stopping, Lifecycle.restart, _replacing, _nothing),
    (_stopping, Lifecycle.stop, _stopping, _nothing),
    (_stopping, Lifecycle.exited, _stopping, _nothing),
    (_stopping, Lifecycle.reaped, _stopped, _nothing),
    (_replacing, Lifecycle.start, _replacing, _nothing),
    (_replacing, Lifecycle.restart, _replacing, _nothing),
    (_replacing, Lifecycle.stop, _stopping, _nothing),
    (_replacing, Lifecycle.exited, _replacing, _nothing),
    (_replacing, Lifecycle.reaped, _due, _spawn),
    # Nobody asked for this exit.
    (_exited, Lifecycle.start, _replacing, _nothing),
    (_exited, Lifecycle.restart, _replacing, _nothing),
    (_exited, Lifecycle.stop, _stopping, _nothing),
    (_exited, Lifecycle.reaped, _exited, _judge),
    (_exited, Lifecycle.again, _due, _spawn),
    (_exited, Lifecycle.retry, _backoff, _wait),
    (_exited, Lifecycle.give_up, _fatal, _nothing),
    (_backoff, Lifecycle.elapsed, _due, _hurry_and_spawn),
    (_backoff, Lifecycle.start, _due, _hurry_and_spawn),
    (_backoff, Lifecycle.restart, _due, _hurry_and_spawn),
    (_backoff, Lifecycle.stop, _stopped, _hurry),
    (_backoff, Lifecycle.give_up, _fatal, _hurry),
    (_fatal, Lifecycle.start, _due, _spawn),
    (_fatal, Lifecycle.restart, _due, _spawn),
    (_fatal, Lifecycle.stop, _stopped, _nothing),
)


def _output(
    old: str | None, new: str | None, act: Callable[[Effects], None]
) -> Callable[[Lifecycle, Effects], None]:
    def output(_: Lifecycle, effects: Effects) -> None:
        if new is not None and new != old:
            effects.enter(new)
        act(effects)

    return output


for _old, _input, _new, _act in _TABLE:
    _names = [_PUBLIC.get(state.name, state.name) for state in (_old, _new)]
    _old.upon(_input).to(_new)(_output(_names[0], _names[1], _act))

machine: Callable[[Effects], Lifecycle] = _builder.build()
"""A new machine, in `stopped`."""
