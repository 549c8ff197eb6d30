"""Who comes to the guardian's door, and what is handed over there."""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

from gateway.worker.process.guarding.words import VERSION

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Sequence

DOOR_TIMEOUT = 5.0
"""Seconds in which one who comes says and takes what it wants."""
MAX_QUESTION = 16384
"""Bytes of what it says."""
_CREDENTIALS = struct.Struct("3i")


def visitor(door: socket.socket) -> contextlib.AbstractContextManager[socket.socket]:
    """Who is there; only the own user is let in.  Raises OSError."""
    came, _ = door.accept()
    try:
        came.settimeout(DOOR_TIMEOUT)
        told = came.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(told)[1] != os.getuid():
            raise PermissionError("another user")
    except BaseException:
        came.close()
        raise
    return came


def asked(came: socket.socket) -> dict[str, Any]:
    """What a visitor says: an object with `version` and `identity`.  Raises OSError, ValueError."""
    said: dict[str, Any] = json.loads(came.recv(MAX_QUESTION))
    return said


def differs(said: dict[str, Any], own: dict[str, str]) -> list[str]:
    """What is not as it would be with the one who asks; `own` is our worker's identity."""
    if said["version"] != VERSION:
        return ["version"]
    other = said["identity"]
    return [name for name in {**own, **other} if own.get(name) != other.get(name)]


def give(came: socket.socket, line: bytes, descriptors: Sequence[int]) -> None:
    """Send a line with these descriptors.  Raises OSError, also where not all was sent."""
    rights = struct.pack(f"{len(descriptors)}i", *descriptors)
    sent = came.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    if sent < len(line):  # else who has it all may be gone by now
        came.sendall(line[sent:])
