"""The reactor's loop without a log context for each descriptor that is ready.

Before each read Twisted makes a context for messages of `twisted.python.log`: a dozen calls, which
is a tenth of what a poll costs.  No log of ours reads that context.
"""

from __future__ import annotations

from types import FunctionType, MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from twisted.internet import epollreactor
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.system.turn_end import TurnEnd

_log = Logger(namespace="gateway")


def poll_directly(reactor: Any, turn_end: TurnEnd) -> None:
    """Let `reactor` call what is ready directly, and then what `turn_end` has.

    Only epoll's, any other one stays as it is.  It is Twisted's own function with another `log`, so
    that nothing else can differ.
    """
    if not _is_epolls(reactor):
        return
    known = {**vars(epollreactor), "log": SimpleNamespace(callWithLogger=_call)}
    poll: Any = FunctionType(epollreactor.EPollReactor.doPoll.__code__, known)
    reactor.doIteration = turn_end.around(MethodType(poll, reactor))


def _is_epolls(reactor: object) -> bool:
    return type(reactor) is epollreactor.EPollReactor


def _call(_: object, do: Callable[..., object], *args: object) -> None:
    """Call `do`; what it raises costs nobody else anything."""
    try:
        do(*args)
    except Exception:
        _log.failure("What was ready could not be read or written")
