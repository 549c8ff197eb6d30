"""What goes wrong in this layer."""

from __future__ import annotations

from gateway.engineio.errors import ProtocolError


class ParseError(ProtocolError):
    """A client sent something that is no Socket.IO packet."""


class ConnectionRefused(Exception):  # noqa: N818 - the outcome's name, as in the protocol
    """A namespace's `connect` raises it, and the client gets a CONNECT_ERROR.

    `data` is any JSON value for the client's error object; Socket.IO 2 clients get only the
    message.  `delay`: seconds after which the answer should be sent.
    """

    def __init__(self, message: str, data: object = None, *, delay: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.delay = delay
