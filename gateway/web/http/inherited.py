"""Listening sockets that the gateway before this one left open in the same process.

A hand-over replaces the program of the process: connections end with the old one, listening
sockets stay open, and who connects meanwhile waits in their queues.  The new program learns their
numbers by an environment variable, and each place of `listen_plan` takes its own:

    VARIABLE={"pid": 123, "sockets": [["127.0.0.1", 9], ["ssl:3443:...", 11]]}

The same variable tells a child of the old program, which checks whether the new one could start,
which places need not be free, and whether there is a worker to lose.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.unix import Port as UnixPort
from twisted.protocols.tls import TLSMemoryBIOFactory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, MutableMapping

VARIABLE = "_SJGATEWAY_HAND_OVER"
"""No option: those begin with SJGATEWAY_."""


class Held(msgspec.Struct, frozen=True):
    """The listening sockets that process `pid` keeps open over a hand-over."""

    pid: int
    sockets: tuple[tuple[str, int], ...] = ()
    """The text of a place, and the number of its descriptor."""
    memo: int = -1
    """The descriptor of what else the old program has to say; -1: nothing."""
    has_worker: bool = True
    """Whether a worker runs, which would be lost if the new program could not start it."""

    @classmethod
    def told(cls, environ: Mapping[str, str]) -> Held:
        """What the variable says; process 0 without any where there is none, or none of ours."""
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(environ.get(VARIABLE, ""), type=cls)
        return cls(0)

    @property
    def text(self) -> str:
        """What the variable has to say."""
        return msgspec.json.encode(self).decode()

    @property
    def is_ours(self) -> bool:
        """Whether this process holds them: it was the old program, and is the new one."""
        return self.pid == os.getpid()

    @property
    def own_memo(self) -> int:
        """The memo, where this process was the old program; else -1."""
        return self.memo if self.is_ours else -1

    @property
    def is_our_parents(self) -> bool:
        """Whether this process is the child that checks a start."""
        return self.pid == os.getppid()

    @property
    def places(self) -> frozenset[str]:
        """The places that need not be free."""
        return frozenset(place for place, _ in self.sockets)


class Inherited:
    """Listening sockets by the text of their place, until somebody takes them."""

    def __init__(self, sockets: Iterable[tuple[str, int]] = ()) -> None:
        self._sockets = [(place, number) for place, number in sockets if _listens(number)]
        for _, number in self._sockets:
            os.set_inheritable(number, False)  # no child of ours shall hold them

    @classmethod
    def taken_from(
        cls, environ: MutableMapping[str, str], early: Iterable[tuple[str, int]] = ()
    ) -> Inherited:
        """Those of this process by the variable, which is removed: children must not see it.

        And those of `early`, which are nobody else's.
        """
        held = Held.told(environ)
        environ.pop(VARIABLE, None)
        return cls((*(held.sockets if held.is_ours else ()), *early))

    def take(self, place: str) -> int | None:
        """The descriptor of `place`, which is the caller's from now on; None: there is none."""
        for each in self._sockets:
            if each[0] == place:
                self._sockets.remove(each)
                return each[1]
        return None

    def close_others(self, places: Collection[str]) -> None:
        """Close those of no place in `places`: they would keep others from listening there."""
        for each in [each for each in self._sockets if each[0] not in places]:
            self._sockets.remove(each)
            os.close(each[1])


def _listens(number: int) -> bool:
    """Whether a descriptor is a listening socket, and none of something else."""
    try:
        held = socket.socket(fileno=number)
    except OSError:
        return False
    try:
        return bool(held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
    finally:
        held.detach()


class InheritingReactor:
    """A reactor for the endpoint of one place, which listens by the socket `number`.

    Each method fires as the reactor's own does, and takes the socket, whose place the arguments
    named when it was opened.
    """

    def __init__(self, reactor: Any, number: int) -> None:
        self._reactor = reactor
        self._number = number

    def listenTCP(self, port: int, factory: Any, *args: Any, **more: Any) -> Any:
        with socket.socket(fileno=self._number) as held:  # the port gets a copy
            return self._reactor.adoptStreamPort(held.fileno(), held.family, factory)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, *args: Any, **more: Any
    ) -> Any:
        return self.listenTCP(port, TLSMemoryBIOFactory(contextFactory, False, factory))

    def listenUNIX(
        self,
        address: str,
        factory: Any,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: int = 0,
    ) -> Any:
        """As the reactor's own: `adoptStreamPort` would let everybody open the socket."""
        port = UnixPort(os.fsencode(address), factory, backlog, mode, self._reactor, wantPID)
        if wantPID:  # a link beside the socket that names our process, which would look taken
            with suppress(OSError):
                lock = f"{address}.lock"
                if os.readlink(lock) == str(os.getpid()):  # noqa: PTH115
                    os.unlink(lock)  # noqa: PTH108
        if not os.path.lexists(address):  # somebody removed it, so it leads to nobody
            os.close(self._number)
        else:
            port._preexistingSocket = socket.socket(fileno=self._number)
        port.startListening()
        return port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


def descriptor_family(number: int) -> int:
    """The address family of the socket `number`, such as AF_INET."""
    held = socket.socket(fileno=number)
    family = held.family
    held.detach()
    return family
