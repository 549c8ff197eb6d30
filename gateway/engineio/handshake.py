"""The query of a request, and the packet that opens a session.

Source: Engine.IO protocol 4, sections "Request path" to "Handshake".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

import orjson

from gateway.engineio.errors import BAD_REQUEST, BAD_VERSION, MESSAGES, EngineError
from gateway.engineio.packet import OPEN, Packet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.engineio.settings import Settings

POLLING, WEBSOCKET = "polling", "websocket"
VERSIONS = {"3": 3, "4": 4}
OWN_KEYS = frozenset(("EIO", "transport", "sid", "t", "b64"))

MOST_PARAMETERS = 64
"""Parameters of a URL that are taken; clients send a few."""

LONGEST_KEPT = 512
"""Characters of a name and value; longer ones are left out."""

OLD_VERSION = f"{MESSAGES[BAD_VERSION]}: Engine.IO 3, which the gateway takes with --eio3"
"""Some clients print the server's answer, so it says what to do."""

NOTHING: Mapping[str, str] = MappingProxyType({})
"""Shared by all sessions without parameters of their own."""


class Peer(NamedTuple):
    """Where a client comes from; a UNIX socket has no port.

    `host` and `port` are the other end of the socket, `ours` is this end: only these tell
    whose connection it is.
    """

    host: str
    port: int
    ours: tuple[str, int] = ("", 0)
    announced: str = ""
    """The client's address as a trusted proxy tells it; empty: there is no such proxy."""
    passed_on: bool = False
    """Whether a proxy, trusted or not, passed the request on."""

    @property
    def address(self) -> str:
        """The client's address, by which it is counted and shown; "" for a UNIX socket."""
        return self.announced or self.host

    def __str__(self) -> str:
        if self.announced or not self.port:
            return self.address or "unix"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_query(query: bytes) -> dict[str, str]:
    """The parameters of a URL's query; of equal names the last one counts.

    Raises `EngineError` (3) when there are more than `MOST_PARAMETERS`.
    """
    text = query.decode("utf-8", "replace")
    if "%" not in text and "+" not in text and text.count("&") < MOST_PARAMETERS:
        pairs = [each.partition("=") for each in text.split("&") if each]
        return {name: value for name, _, value in pairs}  # the same at a tenth of the cost
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS))
    except ValueError:
        raise EngineError(BAD_REQUEST, "Too many parameters") from None


def version(query: Mapping[str, str], settings: Settings) -> int:
    """The Engine.IO version a client asks for.  Raises `EngineError` (5)."""
    eio = VERSIONS.get(query.get("EIO", "3"))  # the first clients of version 3 did not say so
    if eio == 3 and not settings.eio3:
        raise EngineError(BAD_VERSION, OLD_VERSION)
    if eio is None:
        raise EngineError(BAD_VERSION)
    return eio


def wants_base64(query: Mapping[str, str]) -> bool:
    """Whether the client can't take binary."""
    return bool(query.get("b64"))


def takes_many(agent: str) -> bool:
    """Whether a client with this User-Agent takes any number of packets in an answer.

    Browsers do, and socket.io-client in Node.js with both of its ways to poll; tests with these
    clients show it.  python-engineio's clients disconnect on more than 16, and an unknown client
    may be one of them.
    """
    return agent.startswith(("Mozilla/", "node-XMLHttpRequest")) or agent == "node"


def refusal(error: EngineError, agent: str) -> bytes:
    """The body of the answer to a client with this User-Agent.

    engine.io-client gets no body with status 413, as from Node's server: its own tests want
    that.  All others are told what to do.
    """
    return b"" if error.status == 413 and takes_many(agent) else error.body


def custom(query: Mapping[str, str], kept: frozenset[str] | None = None) -> Mapping[str, str]:
    """The parameters that are not the protocol's; `kept`: names of those to keep, None: all."""
    return {
        key: value
        for key, value in query.items()
        if key not in OWN_KEYS
        and (kept is None or key in kept)
        and len(key) + len(value) <= LONGEST_KEPT
    } or NOTHING


def open_packet(sid: str, upgrades: Sequence[str], settings: Settings) -> Packet:
    """The first packet of a session; times in milliseconds."""
    return Packet(
        OPEN
        + orjson.dumps(
            {
                "sid": sid,
                "upgrades": upgrades,
                "pingInterval": _number(settings.ping_interval),
                "pingTimeout": _number(settings.ping_timeout),
                "maxPayload": settings.max_payload,
            }
        )
    )


def _number(milliseconds: float) -> float:
    return int(milliseconds) if milliseconds == int(milliseconds) else milliseconds
