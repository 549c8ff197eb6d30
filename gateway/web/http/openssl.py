"""OpenSSL's own functions, for connections of pyOpenSSL that read and write memory.

pyOpenSSL's own cost several times as much a record: they make a buffer for each call, and an
exception each time that there is nothing more to read.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

from gateway.web.http.writer import CHUNK

RECORD = 2 * CHUNK
"""Bytes that are read at a time; a full record has a few more than `CHUNK`."""

_openssl: Any = SSL
lib: Any = _openssl._lib
room: Any = _openssl._ffi.new("char[]", RECORD)  # one for all connections
record = memoryview(_openssl._ffi.buffer(room))
"""What is in `room`."""


def encrypted(connection: Any) -> bytes:
    """What `connection` has for the peer; empty: nothing."""
    found = b""
    while (size := lib.BIO_read(connection._from_ssl, room, RECORD)) > 0:
        found += record[:size]
    return found


def decrypted(connection: Any) -> tuple[bytes, bool]:
    """What the peer said, and whether that is all for now.

    False: the connection can't be read any more; the next `recv` says why.
    """
    ssl, read, found = connection._ssl, lib.SSL_read, []
    while (size := read(ssl, room, RECORD)) > 0:
        found.append(bytes(record[:size]))
    whole = found[0] if len(found) == 1 else b"".join(found)
    return whole, lib.SSL_get_error(ssl, size) == lib.SSL_ERROR_WANT_READ
