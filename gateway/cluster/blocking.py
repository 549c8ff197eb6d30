"""A plain conversation with Redis that waits for each answer, where there is no event loop."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRWPair

    from gateway.cluster.address import Address

PATIENCE: Final = 5.0
"""Seconds for a connection, and for each answer."""


@contextmanager
def connected(address: Address) -> Iterator[BufferedRWPair]:
    """A stream to the server, as the user and with the database of `address`.

    Raises OSError, or ValueError where the server refuses.
    """
    with _connection(address) as connection, connection.makefile("rwb") as stream:
        for command in address.greeting:
            ask(stream, *command)
        yield stream


def info(stream: BufferedRWPair, section: str) -> dict[str, str]:
    """What `INFO` tells in this section."""
    lines = ask(stream, "INFO", section).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _connection(address: Address) -> socket.socket:
    if address.path:
        bare = socket.socket(socket.AF_UNIX)
        bare.settimeout(PATIENCE)
        bare.connect(address.path)
        return bare
    bare = socket.create_connection((address.host, address.port), PATIENCE)
    if not address.tls:
        return bare
    context = ssl.create_default_context(cafile=address.ca or None)
    return context.wrap_socket(bare, server_hostname=address.host)


def ask(stream: BufferedRWPair, *words: str) -> Any:
    """Redis' answer to one command.  Raises OSError, or ValueError for an error."""
    encoded = [word.encode() for word in words]
    parts = (b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
    stream.write(b"*%d\r\n%b" % (len(words), b"".join(parts)))
    stream.flush()
    return _answer(stream)


def _answer(stream: BufferedRWPair) -> Any:
    """The next answer (RESP 2): bytes, a number, a list, or None."""
    line = stream.readline()
    kind, text = line[:1], line[1:-2]
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("Redis has ended the connection")
    if kind == b"-":
        raise ValueError(text.decode("utf-8", "replace"))
    if kind == b"+":
        return text
    number = int(text)
    if kind == b"*" and number >= 0:
        return [_answer(stream) for _ in range(number)]
    if kind == b"$" and number >= 0:
        return stream.read(number + 2)[:-2]
    return number if kind == b":" else None
