"""The sockets behind TCP connections of this machine, by sock_diag(7)."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from gateway.system.ends import unmapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.system.ends import Ends

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 4, 20, 1
NO_COOKIE = b"\xff" * 8
ANY_STATE = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")  # nlmsghdr
REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2, up to the socket's id
INODE = struct.Struct("=68xI")  # inet_diag_msg, its inode alone


def inodes(asked: Iterable[Ends]) -> dict[Ends, int]:
    """The inodes of the other ends' sockets; without those that are gone.  Raises OSError."""
    found: dict[Ends, int] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        for ends in asked:
            netlink.send(_question(ends))
            answer = netlink.recv(4096)
            if HEADER.unpack_from(answer)[1] == SOCK_DIAG_BY_FAMILY:
                (found[ends],) = INODE.unpack_from(answer, HEADER.size)
    return found


def _question(ends: Ends) -> bytes:
    ours, theirs = (unmapped(host) for host, _ in ends)
    family = socket.AF_INET if ours.version == 4 else socket.AF_INET6
    ports = struct.pack("!HH", ends.theirs[1], ends.ours[1])
    identity = ports + theirs.packed.ljust(16, b"\0") + ours.packed.ljust(16, b"\0")
    body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, ANY_STATE)
    body += identity + b"\0\0\0\0" + NO_COOKIE
    return HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body
