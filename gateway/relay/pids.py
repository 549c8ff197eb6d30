"""Private ids, by which clients come back: signed, so that nothing has to be stored."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, NamedTuple

from gateway.relay.journal import Offset

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LENGTH = 200
"""Characters of a pid; all that are made here are shorter."""


class Pid(NamedTuple):
    """Which client it was."""

    sid: str
    """The socket's id."""
    start: Offset
    """The place of the first event that was for it."""


def unsigned(text: str) -> str:
    """All of a pid but its signature, which `Pids.sign_again` makes anew."""
    return text.rpartition(".")[0]


class Pids:
    """Signs and reads the pids of `namespace`; `key()` returns the secret, and is called late."""

    def __init__(self, key: Callable[[], bytes], namespace: str) -> None:
        self._key = key
        self._namespace = namespace

    def sign(self, pid: Pid) -> str:
        """The text of `pid`."""
        return self.sign_again(f"{pid.sid}.{pid.start}")

    def sign_again(self, said: str) -> str:
        """The text of a pid of which `said` is all but the signature."""
        return f"{said}.{self._signature(said)}"

    def read(self, text: str) -> Pid | None:
        """The pid with this text; None: it was not signed here, or is of another namespace."""
        if len(text) > MAX_LENGTH or not text.isascii():
            return None
        said, _, signature = text.rpartition(".")
        if not hmac.compare_digest(self._signature(said), signature):
            return None
        sid, _, start = said.rpartition(".")
        place = Offset.parse(start)
        return None if place is None else Pid(sid, place)

    def _signature(self, text: str) -> str:
        said = f"{self._namespace} {text}".encode()
        return urlsafe_b64encode(hmac.digest(self._key(), said, "sha256")[:18]).decode()
