"""The right to have a worker, where it can end: several gateways share it, and one has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.worker.lifecycle.gate import Hold


class Tenure(Protocol):
    """The right of this gateway; all times are in seconds of `guarding.words.now`."""

    @property
    def cluster(self) -> str:
        """Who shares it; "" where nobody does."""
        ...

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate: holds a start while we have not the right, or too little of it."""
        ...

    def lease(self) -> Mapping[str, Any] | None:
        """As a guardian takes it (`guardian.py`); None: a worker may live for ever."""
        ...

    def told(self) -> Mapping[str, Any]:
        """What a process after this one needs to go on with it, as JSON."""
        ...

    def resume(self, told: Mapping[str, Any], until: float) -> None:
        """Go on with what a process before this one was `told`, until `until` if not renewed."""
        ...


class Unshared:
    """The tenure of a single gateway: it never ends."""

    cluster: Final = ""

    def hold(self, *, person: bool = False, force: bool = False) -> None:
        """Nothing is in the way."""

    def lease(self) -> None:
        """For ever."""

    def told(self) -> Mapping[str, Any]:
        return {}

    def resume(self, told: Mapping[str, Any], until: float) -> None:
        """There is nothing to go on with."""


UNSHARED: Final = Unshared()
