"""Private names of Twisted, Autobahn and pyOpenSSL that the code uses.

Each of them is listed here with its reason; `tests/web/test_private.py` searches the source
for others.  `check` looks for them when the gateway starts: if a new version of one of them
lacks one, the user gets one line that says so.  Autobahn is imported by need only: `--check`
looks for its names, too.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from OpenSSL import SSL
from twisted.internet.abstract import FileDescriptor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.protocol import FileWrapper
from twisted.internet.unix import Port as UnixPort
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.http import HTTPChannel

if TYPE_CHECKING:
    from collections.abc import Callable


class Private(NamedTuple):
    """A private attribute: its class, its name, and why it is used."""

    owner: str
    name: str
    reason: str


HTTP, CHUNKS = "twisted.web.http.HTTPChannel", "HTTPChannel's decoder of chunks"
FILE, TLS = (
    "twisted.internet.abstract.FileDescriptor",
    "twisted.internet.endpoints.SSL4ServerEndpoint",
)
UNIX, BIO = "twisted.internet.unix.Port", "twisted.protocols.tls.TLSMemoryBIOProtocol"
OPENSSL, CONNECTION = "OpenSSL.SSL", "OpenSSL.SSL.Connection"
DEFLATE = "autobahn.websocket.compress.PerMessageDeflate"
WEBSOCKET = "autobahn.twisted.websocket.WebSocketServerProtocol"

LATER = {DEFLATE: "autobahn.websocket.compress", WEBSOCKET: "autobahn.twisted.websocket"}
"""What is imported only by need, and its module."""

NAMES = (
    Private(HTTP, "_buffer", "what is left of a line, to refuse a bare CR or LF at once"),
    Private(HTTP, "_busyReceiving", "whether a line is being taken: more of them may follow"),
    Private(HTTP, "_path", "the path before the body, which decides how large that may be"),
    Private(HTTP, "_version", "the version before the body: HTTP/1.0 has no chunks"),
    Private(HTTP, "_dataBuffer", "whether there is more behind the request that is answered"),
    Private(HTTP, "_handlingRequest", "set where a whole head is taken at once, and unset after"),
    Private(HTTP, "_receivedHeaderCount", "how many headers a request has so far"),
    Private(HTTP, "_receivedHeaderSize", "how many bytes of headers a request has so far"),
    Private(HTTP, "_transferDecoder", "the size of a chunk, before the chunk comes"),
    Private(
        HTTP, "_respondToBadRequestAndDisconnect", "overridden: the answer is JSON and arrives"
    ),
    Private(HTTP, "_send100Continue", "overridden: the answer must not overtake it"),
    Private(CHUNKS, "_buffer", "what is left of a chunk's size, to refuse a bare CR or LF at once"),
    Private(CHUNKS, "_trailerHeaders", "trailers, which Twisted takes as they come"),
    Private(FILE, "_tempDataBuffer", "whether something waits that a direct write would overtake"),
    Private(TLS, "_sslContextFactory", "to read a certificate again without closing the port"),
    Private(UNIX, "_preexistingSocket", "set: a socket that listens since before a hand-over"),
    Private(BIO, "_flushReceiveBIO", "overridden: what came in one read is handed on in one piece"),
    Private(BIO, "_flushSendBIO", "overridden: what TLS itself says is sent at once"),
    Private(BIO, "_aborted", "whether nothing is handed on any more: we ended the connection"),
    Private(BIO, "_lostTLSConnection", "the same: TLS ended it"),
    Private(OPENSSL, "_lib", "OpenSSL's own functions: pyOpenSSL's cost twice as much a record"),
    Private(OPENSSL, "_ffi", "the memory into which they write"),
    Private(CONNECTION, "_ssl", "what they encrypt with"),
    Private(CONNECTION, "_from_ssl", "where they leave what is encrypted"),
    Private(DEFLATE, "_decompressor", "dropped after each message: it is most of a connection"),
    Private(WEBSOCKET, "_fail_connection", "to end a flood of fragments or pings with a code"),
)


def missing(*, imported: bool = False) -> list[str]:
    """Which of `NAMES` the installed versions lack.

    `imported`: only those of packages that are imported by now, since a start imports no others.
    """
    return [
        f"{each.owner}.{each.name}"
        for each in NAMES
        if not (imported and each.owner in LATER and LATER[each.owner] not in sys.modules)
        and not hasattr(_sample(each.owner), each.name)
    ]


def check(*, imported: bool = False) -> None:
    """Raises ValueError, with one line for the user, where a name is missing; see `missing`."""
    names = missing(imported=imported)
    if names:
        from importlib.metadata import version  # noqa: PLC0415  # by need

        raise ValueError(
            f"Twisted {version('twisted')}, Autobahn {version('autobahn')} or pyOpenSSL"
            f" {version('pyOpenSSL')} is too new or too old for this sjgateway: there is no"
            f" {', '.join(names)}; install sjgateway again with the versions of its release, or a"
            " newer sjgateway"
        )


def _sample(owner: str) -> Any:
    """An object of the class `owner`, with the attributes that appear only in use."""
    return _SAMPLES[owner]()


def _reading_chunks() -> Any:
    channel: Any = HTTPChannel()
    channel.makeConnection(FileWrapper(BytesIO()))
    channel.dataReceived(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    return channel


def _deflate() -> Any:
    from autobahn.websocket.compress import PerMessageDeflate  # noqa: PLC0415

    return PerMessageDeflate(True, True, True, 15, 15, 8)


def _websocket() -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol  # noqa: PLC0415

    return WebSocketServerProtocol


_SAMPLES: dict[str, Callable[[], Any]] = {
    HTTP: _reading_chunks,
    CHUNKS: lambda: getattr(_reading_chunks(), "_transferDecoder", None),
    FILE: lambda: FileDescriptor(cast("Any", object())),
    TLS: lambda: SSL4ServerEndpoint(None, 0, None),
    UNIX: lambda: UnixPort(b"socket", cast("Any", None)),
    BIO: lambda: TLSMemoryBIOProtocol,
    OPENSSL: lambda: SSL,
    CONNECTION: lambda: SSL.Connection(SSL.Context(SSL.TLS_METHOD), None),
    DEFLATE: _deflate,
    WEBSOCKET: _websocket,
}
