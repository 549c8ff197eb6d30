"""Private ids: what a client has to know to come back as who it was.

A pid says itself who that was, and is signed: so nothing has to be stored to believe it,
and a process that continues the log knows those of the one before.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

from gateway.relay.journal import Place

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 200
"""Characters of a pid; ours are shorter, and nobody else's is read."""


class Pid(NamedTuple):
    """Who it was."""

    sid: str
    """The socket's id."""
    start: Place
    """The first event that was meant for it."""


class Pids:
    """Signs and reads the pids of `namespace`; `key()` is asked for when it is needed."""

    def __init__(self, key: Callable[[], bytes], namespace: str) -> None:
        self._key = key
        self._namespace = namespace

    def sign(self, pid: Pid) -> str:
        """The text of `pid`."""
        text = f"{pid.sid}.{pid.start}"
        return f"{text}.{self._signature(text)}"

    def read(self, text: str) -> Pid | None:
        """The pid with this text; None: it was never signed here, or is of another namespace."""
        if len(text) > MAX_LENGTH or not text.isascii():
            return None
        said, _, signature = text.rpartition(".")
        if not hmac.compare_digest(self._signature(said), signature):
            return None
        sid, _, start = said.rpartition(".")
        place = Place.parse(start)
        return None if place is None else Pid(sid, place)

    def _signature(self, text: str) -> str:
        said = f"{self._namespace} {text}".encode()
        return urlsafe_b64encode(hmac.digest(self._key(), said, "sha256")[:18]).decode()
