"""`tail`: events of a gateway as they come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from gateway.cli.conversation import LostError, RefusedError
from gateway.cli.errors import CommandError
from gateway.cli.event_text import event_text
from gateway.cli.line_writer import LineWriter
from gateway.cli.live_events import LiveEvents
from gateway.history import recorded_lines
from gateway.web.security.tokens import Role, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.cli.address import Address

GOODBYE = 1.0
"""Seconds to tell the gateway that we go, and then to write what was heard."""


def run(options: argparse.Namespace) -> int:
    """Run until Ctrl-C, or until nobody reads; returns the exit status.  Raises CommandError."""
    from twisted.internet import reactor  # noqa: PLC0415  # importing it installs one

    return Tail(reactor, options.url, _auth(options), json=options.json).run()


class Tail:
    """Writes the events of one gateway."""

    def __init__(
        self,
        reactor: Any,
        address: Address,
        auth: dict[str, Any],
        *,
        json: bool,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._wall = wall
        self._line = recorded_lines.line if json else _text_line
        self._output = LineWriter(lambda error: reactor.callFromThread(self._unwritten, error))
        self._stream = LiveEvents(reactor, address, auth, self)
        self._failure: CommandError | None = None
        self._was_here = False

    def run(self) -> int:
        self._output.start()
        self._reactor.callWhenRunning(self._follow)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._leave)
        self._reactor.run()
        self._output.close(GOODBYE)
        if self._failure is not None:
            raise self._failure
        return 0

    # -- what the stream tells ---------------------------------------------------------

    def joined(self, *, recovered: bool) -> None:
        if self._was_here:
            missed = "nothing was missed" if recovered else "events in between may be missing"
            self._output.tell(f"{self._address} is back; {missed}")
        self._was_here = True

    def heard(self, payload: bytes, attachments: Sequence[bytes]) -> None:
        self._output.write(self._line(self._wall(), payload, attachments))

    def lost(self, reason: str) -> None:
        self._output.tell(f"lost {self._address}: {reason}; trying again")

    # -- the end -----------------------------------------------------------------------

    def _follow(self) -> None:
        Deferred.fromCoroutine(self._stream.run()).addErrback(self._failed)

    def _failed(self, failure: Any) -> None:
        error = failure.value
        if isinstance(error, RefusedError):
            self._end(CommandError(f"{self._address} lets nobody in like this: {error}"))
        elif isinstance(error, LostError):
            self._end(
                CommandError(
                    f"no gateway answers at {self._address}: {error}; start it, or use --url"
                )
            )
        else:
            self._end(error)

    def _unwritten(self, error: OSError | None) -> None:
        """Nothing more can be written."""
        self._end(error and CommandError(f"the output can't be written: {error.strerror}"))

    def _end(self, failure: Any) -> None:
        self._failure = self._failure or failure
        if self._reactor.running:
            self._reactor.stop()

    def _leave(self) -> Deferred[None] | None:
        leaving = self._stream.leave()
        if leaving is not None:
            leaving.addTimeout(GOODBYE, self._reactor).addErrback(lambda _: None)
        return leaving


def _auth(options: argparse.Namespace) -> dict[str, Any]:
    auth: dict[str, Any] = {}
    if options.events:
        auth["events"] = options.events
    if options.codes:
        auth["codes"] = options.codes
    if options.trusted:
        auth["trusted"] = True
    if options.snapshot:
        auth["snapshot"] = True
    if options.token_file is not None:
        auth["token"] = _token(options.token_file)
    return auth


def _token(file: Path) -> str:
    """The token in `file` that may do least; raises CommandError."""
    now = time.time()
    try:
        tokens = [token for token in read(file, Role.CONTROL) if token.is_valid(now)]
    except ValueError as error:
        raise CommandError(str(error), status=2) from None
    if not tokens:
        raise CommandError(f"the token file {file} has no token that is valid now", status=2)
    return min(tokens, key=lambda token: token.role).secret


def _text_line(wall: float, payload: bytes, attachments: Sequence[bytes]) -> bytes:
    return event_text(wall, payload, len(attachments)).encode() + b"\n"
