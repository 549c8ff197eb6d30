"""Answers those who wait at ports that stayed open, before the gateway is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.web.http.backlog import answer_waiting
from gateway.web.routes.old_polls import OldPolls
from gateway.web.security.addresses import is_loopback
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from socket import socket

    from gateway.options import Settings
    from gateway.web.http.backlog import Accepted


def answered(sockets: Mapping[str, socket], settings: Settings) -> dict[str, Sequence[Accepted]]:
    """Of each listening socket the connections that are left.

    The guard needs no tokens: who polls a session that is over gets nothing else with one.  Raises
    ValueError where `settings` make no sense.
    """
    guard = Guard(
        GuardSettings(
            allowed_hosts=settings.allowed_hosts, allowed_origins=settings.allowed_origins
        )
    )
    guard.exposed = any(not is_loopback(each.getsockname()[0]) for each in sockets.values())
    paths = {b"/socket.io/", *((settings.path.encode(),) if settings.path else ())}
    polls = OldPolls(guard, paths)
    return {text: answer_waiting(each, polls.answer) for text, each in sockets.items()}
