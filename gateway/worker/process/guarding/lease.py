"""The time past which nothing of the tree may live: another machine may start a worker then."""

from __future__ import annotations

import contextlib
import math
import subprocess
from typing import Any

from gateway.worker.process.guarding.words import now, raw

AFTER_TIMEOUT = 10.0
"""Seconds in which the lease is given back."""


class Lease:
    """As the first line says it; without one the tree may live for ever."""

    def __init__(self, told: dict[str, Any] | None) -> None:
        self.until: float | None = told["until"] if told else None
        """By `now`; None: for ever."""
        self.patience: list[float] = told["patience"] if told else [0.0, 0.0, 0.0]
        """At the end of it: after SIGINT, after SIGTERM, after SIGKILL."""
        self.expired = False
        """Whether that has begun."""
        self._after = (told or {}).get("after")

    def renew(self, until: float) -> None:
        """It ends at `until` now; in vain once its end has begun: the gateway was told so."""
        if not self.expired:
            self.until = until

    def left(self) -> float:
        """Seconds until the tree is to end because of it."""
        until = math.inf if self.until is None else self.until
        return until - sum(self.patience) - now()

    def due(self) -> float:
        """Seconds until something is to be done because of it."""
        if self.expired and self.until is not None:
            return self.until - self.patience[-1] - now()
        return self.left()

    def give_back(self) -> None:
        """Nothing is left of the tree: let another machine have a worker."""
        if self._after is None:
            return
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - the gateway's own command
                [raw(word) for word in self._after["argv"]],
                cwd=raw(self._after["cwd"]),
                env={},
                input=self._after["input"].encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=AFTER_TIMEOUT,
                check=False,
            )
