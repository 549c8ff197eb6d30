"""A request for a WebSocket, as long as nothing but its head is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.web.http.channel import HttpChannel
    from gateway.web.http.plain_headers import PlainHeaders


class UpgradeRequest:
    """What a `Request` has until it is answered.

    Most become a WebSocket and never have an answer.  For any other a `Request` is made, which is
    judged again.
    """

    __slots__ = ("channel", "client", "path", "requestHeaders", "transport", "uri")

    method = b"GET"
    clientproto = b"HTTP/1.1"
    announced = ""

    def __init__(self, channel: HttpChannel, uri: bytes, headers: PlainHeaders) -> None:
        self.channel: Any = channel
        self.uri = uri
        self.path = uri.partition(b"?")[0]
        self.requestHeaders = headers
        self.client = channel.getPeer()
        self.transport: Any = channel.transport

    @property
    def peer(self) -> str | None:
        """As `Request.peer`."""
        return getattr(self.client, "host", None)
