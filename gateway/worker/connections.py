"""Whose connection is this?  Recognises the worker by its process tree.

A worker's URL is often hard-coded, so it cannot carry a secret; but both ends of a
loopback connection are sockets of this machine, and the kernel knows who holds them.

Sources: sock_diag(7) for the socket's inode, proc(5) for the processes and what they hold.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 4, 20, 1
NO_COOKIE = b"\xff" * 8
ANY_STATE = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")  # nlmsghdr
REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2, up to the socket's id
INODE = struct.Struct("=68xI")  # inet_diag_msg, its inode alone
_READ = os.O_RDONLY | os.O_CLOEXEC


class Ends(NamedTuple):
    """Both ends of a TCP connection as we see it, each `(host, port)`."""

    ours: tuple[str, int]
    theirs: tuple[str, int]


class Connections:
    """Finds out whether a connection belongs to one of the processes below `root()`.

    `root()` is a process id, or None while there is none.
    """

    def __init__(self, root: Callable[[], int | None]) -> None:
        self._root = root

    def owns(self, ends: Ends) -> bool | None:
        """Whether a process of the tree holds the other end; None: there is no tree."""
        root = self._root()
        if root is None:
            return None
        ours, theirs = (_unmapped(host) for host, _ in ends)
        if not (ours.is_loopback and theirs.is_loopback and ours.version == theirs.version):
            return False
        try:
            inode = _inode(ends, ours, theirs)
        except OSError:  # no sock_diag here: ask slowly
            return any(_connected(pid, ends) for pid in _tree(root))
        return inode is not None and any(_holds(pid, inode) for pid in _tree(root))

    def ports(self) -> set[int]:
        """The ports of the tree's own ends of its TCP connections."""
        root = self._root()
        found: set[int] = set()
        for pid in () if root is None else _tree(root):
            with suppress(psutil.Error):
                found |= {
                    each.laddr.port
                    for each in psutil.Process(pid).net_connections("tcp")
                    if each.raddr
                }
        return found


def _unmapped(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


def _inode(
    ends: Ends, ours: IPv4Address | IPv6Address, theirs: IPv4Address | IPv6Address
) -> int | None:
    """The inode of the other end's socket; None when it is gone."""
    family = socket.AF_INET if ours.version == 4 else socket.AF_INET6
    ports = struct.pack("!HH", ends.theirs[1], ends.ours[1])
    identity = ports + theirs.packed.ljust(16, b"\0") + ours.packed.ljust(16, b"\0")
    body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, ANY_STATE)
    body += identity + b"\0\0\0\0" + NO_COOKIE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        header = HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
        netlink.send(header + body)
        answer = netlink.recv(4096)
    if HEADER.unpack_from(answer)[1] != SOCK_DIAG_BY_FAMILY:
        return None
    inode: int = INODE.unpack_from(answer, HEADER.size)[0]
    return inode


def _tree(root: int) -> Iterator[int]:
    """`root` and all processes below it."""
    yield root
    with suppress(OSError), _folder(f"/proc/{root}/task") as (tasks, names):
        for name in names:
            for child in _read(f"{name}/children", tasks).split():
                yield from _tree(int(child))


def _holds(pid: int, inode: int) -> bool:
    """Whether `pid` has the socket open."""
    wanted = f"socket:[{inode}]"
    with suppress(OSError), _folder(f"/proc/{pid}/fd") as (descriptors, names):
        return any(_link(name, descriptors) == wanted for name in names)
    return False


def _link(name: str, folder: int) -> str:
    """What a link points at; nothing when it is gone."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return ""


def _read(name: str, folder: int) -> bytes:
    """A whole file; nothing when it is gone."""
    try:
        file = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return b""
    try:
        return b"".join(iter(partial(os.read, file, 65536), b""))
    finally:
        os.close(file)


@contextmanager
def _folder(path: str) -> Iterator[tuple[int, list[str]]]:
    """A folder's descriptor, and the names in it.

    Every browser on this machine is a "no", for which all of the worker's threads and
    descriptors are looked at; by pathlib and whole paths that costs six times as much.
    """
    folder = os.open(path, _READ)
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        yield folder, names
    finally:
        os.close(folder)


def _connected(pid: int, ends: Ends) -> bool:
    with suppress(psutil.Error):
        for connection in psutil.Process(pid).net_connections("tcp"):
            if connection.raddr and connection.laddr.port == ends.theirs[1]:
                return bool(connection.raddr.port == ends.ours[1])
    return False
