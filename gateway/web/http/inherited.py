"""Listening sockets that the gateway before this one left open in the same process.

A hand-over replaces the program of the process: connections end with the old one, listening
sockets stay open, and who connects meanwhile waits in their queues.  The new program learns their
numbers by `held`, and each place of `listen_plan` takes its own.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.unix import Port as UnixPort
from twisted.protocols.tls import TLSMemoryBIOFactory

from gateway.web.http.early import NOTHING
from gateway.web.http.held import VARIABLE, Held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence

    from gateway.web.http.backlog import Accepted
    from gateway.web.http.early import Early


class Inherited:
    """Listening sockets by the text of their place, until somebody takes them.

    `waiting`: by the same texts, connections that were accepted there already.
    """

    def __init__(
        self,
        sockets: Iterable[tuple[str, int]] = (),
        waiting: Mapping[str, Sequence[Accepted]] = NOTHING.waiting,
    ) -> None:
        self._waiting = dict(waiting)
        self._sockets = [(place, number) for place, number in sockets if _listens(number)]
        for _, number in self._sockets:
            os.set_inheritable(number, False)  # no child of ours shall hold them

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str], early: Early = NOTHING) -> Inherited:
        """Those of this process by the variable, which is removed: children must not see it.

        And those of `early`, which are nobody else's.
        """
        held = Held.told(environ)
        environ.pop(VARIABLE, None)
        return cls((*(held.sockets if held.is_ours else ()), *early.sockets), early.waiting)

    def take(self, place: str) -> int | None:
        """The descriptor of `place`, which is the caller's from now on; None: there is none."""
        for each in self._sockets:
            if each[0] == place:
                self._sockets.remove(each)
                return each[1]
        return None

    def take_waiting(self, place: str) -> Sequence[Accepted]:
        """The connections that were accepted at `place`, which are the caller's from now on."""
        return self._waiting.pop(place, ())

    def close_others(self, places: Collection[str]) -> None:
        """Close those of no place in `places`: they would keep others from listening there.

        And what was accepted there, which nobody else will answer.
        """
        for each in [each for each in self._sockets if each[0] not in places]:
            self._sockets.remove(each)
            os.close(each[1])
        for place in self._waiting.keys() - set(places):
            for client, _ in self._waiting.pop(place):
                client.close()


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
