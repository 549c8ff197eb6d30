"""Recognises the worker's connections by its process tree.

A worker's URL is often hard-coded, so it cannot carry a secret; but both ends of a
loopback connection are sockets of this machine, and the kernel knows who holds them.

Sources: sock_diag(7) for a socket's inode, proc(5) for the processes and what they hold.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 4, 20, 1
NO_COOKIE = b"\xff" * 8
ANY_STATE = 0xFFFFFFFF
HEADER = struct.Struct("=IHHII")  # nlmsghdr
REQUEST = struct.Struct("=BBBxI")  # inet_diag_req_v2, up to the socket's id
INODE = struct.Struct("=68xI")  # inet_diag_msg, its inode alone
_READ = os.O_RDONLY | os.O_CLOEXEC
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""Nothing can be opened now: that says nothing about what is there."""


class Ends(NamedTuple):
    """Both ends of a TCP connection as we see it, each `(host, port)`."""

    ours: tuple[str, int]
    theirs: tuple[str, int]

    @property
    def on_loopback(self) -> bool:
        """Whether the other end can be a socket of this machine."""
        ours, theirs = (_unmapped(host) for host, _ in self)
        return ours.is_loopback and theirs.is_loopback and ours.version == theirs.version


class Connections:
    """Finds out which connections belong to one of the processes below `root()`.

    `root()` is a process id, or None while there is none.
    """

    def __init__(self, root: Callable[[], int | None]) -> None:
        self._root = root

    def owned(self, asked: Iterable[Ends]) -> set[Ends] | None:
        """Those of `asked` whose other end a process of the tree holds; None: there is no tree.

        Raises OSError when it can't be found out, since nothing more can be opened.
        All that the tree holds is read once, however many are asked about.
        """
        root = self._root()
        if root is None:
            return None
        local = [ends for ends in asked if ends.on_loopback]
        try:
            inodes = _inodes(local)
        except OSError:  # no sock_diag here: ask slowly
            held = _ports(root)
            return {ends for ends in local if (ends.theirs[1], ends.ours[1]) in held}
        links = {f"socket:[{inode}]": ends for ends, inode in inodes.items()}
        if not links:
            return set()
        return {links[link] for pid in _tree(root) for link in _held(pid) if link in links}

    def ports(self) -> set[int]:
        """The ports of the tree's own ends of its TCP connections."""
        root = self._root()
        return set() if root is None else {port for port, _ in _ports(root)}


def _unmapped(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


def _inodes(asked: Iterable[Ends]) -> dict[Ends, int]:
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
    ours, theirs = (_unmapped(host) for host, _ in ends)
    family = socket.AF_INET if ours.version == 4 else socket.AF_INET6
    ports = struct.pack("!HH", ends.theirs[1], ends.ours[1])
    identity = ports + theirs.packed.ljust(16, b"\0") + ours.packed.ljust(16, b"\0")
    body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, ANY_STATE)
    body += identity + b"\0\0\0\0" + NO_COOKIE
    return HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body


def _tree(root: int) -> Iterator[int]:
    """`root` and all processes below it."""
    yield root
    with _suppress_gone(), _folder(f"/proc/{root}/task") as (tasks, names):
        for name in names:
            for child in _read(f"{name}/children", tasks).split():
                yield from _tree(int(child))


def _held(pid: int) -> Iterator[str]:
    """What the open descriptors of `pid` point at."""
    with _suppress_gone(), _folder(f"/proc/{pid}/fd") as (descriptors, names):
        for name in names:
            yield _link(name, descriptors)


def _link(name: str, folder: int) -> str:
    """What a link points at; nothing when it is gone."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return ""


def _read(name: str, folder: int) -> bytes:
    """A whole file; nothing when it is gone."""
    with _suppress_gone():
        file = os.open(name, _READ, dir_fd=folder)
        try:
            return b"".join(iter(partial(os.read, file, 65536), b""))
        finally:
            os.close(file)
    return b""


@contextmanager
def _suppress_gone() -> Iterator[None]:
    """Pass over a process or a file that is gone, or not ours to see."""
    try:
        yield
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise


@contextmanager
def _folder(path: str) -> Iterator[tuple[int, list[str]]]:
    """A folder's descriptor, and the names in it.

    All of the worker's threads and descriptors are looked at; by pathlib and whole paths that
    costs six times as much.
    """
    folder = os.open(path, _READ)
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        yield folder, names
    finally:
        os.close(folder)


def _ports(root: int) -> set[tuple[int, int]]:
    """The ports of the tree's TCP connections, its own end's and then the other's."""
    import psutil  # noqa: PLC0415  # by need

    found: set[tuple[int, int]] = set()
    for pid in _tree(root):
        with suppress(psutil.Error):
            found |= {
                (each.laddr.port, each.raddr.port)
                for each in psutil.Process(pid).net_connections("tcp")
                if each.raddr
            }
    return found
