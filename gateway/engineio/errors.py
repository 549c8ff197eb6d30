"""What can be wrong with a request, and with what a client sends."""

from __future__ import annotations

import orjson

UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_HANDSHAKE_METHOD, BAD_REQUEST, FORBIDDEN, BAD_VERSION = range(6)

MESSAGES = {
    UNKNOWN_TRANSPORT: "Transport unknown",
    UNKNOWN_SID: "Session ID unknown",
    BAD_HANDSHAKE_METHOD: "Bad handshake method",
    BAD_REQUEST: "Bad request",
    FORBIDDEN: "Forbidden",
    BAD_VERSION: "Unsupported protocol version",
}
"""The words of engine.io's server: clients show them and operators search for them."""


class EngineError(Exception):
    """A request that is refused.

    `code` is the number of engine.io's server (0 to 5), `status` the HTTP status, and `body` the
    JSON object `{"code", "message"}` to answer with.
    """

    def __init__(self, code: int, message: str | None = None, *, status: int | None = None) -> None:
        super().__init__(message or MESSAGES[code])
        self.code = code
        self.status = status or (403 if code == FORBIDDEN else 400)

    @property
    def body(self) -> bytes:
        """The answer, as JSON."""
        return orjson.dumps({"code": self.code, "message": str(self)})


class ProtocolError(Exception):
    """A client sent what the protocol forbids; its session is closed for `reason`."""

    def __init__(self, message: str, reason: str = "parse error") -> None:
        super().__init__(message)
        self.reason = reason
