"""Who may come in, who may publish, and how much: the guard, the tokens, the worker's sessions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gateway.app.admission import Admission, Publish, Revocation
from gateway.app.layer_settings import (
    allowance,
    guard_settings,
    publish_choice,
    token_sources,
    worker_secret,
)
from gateway.app.service import periodic
from gateway.app.worker_sessions import WorkerSessions
from gateway.web.http.counting import Caps
from gateway.web.security.guard import Guard
from gateway.web.security.token_files import LOOK_INTERVAL, TokenFiles
from gateway.web.security.tokens import WrongTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from twisted.application.service import Service

    from gateway.common.redact import Redactor
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.options import Settings
    from gateway.system.system import System
    from gateway.web.security.tokens import Token


class AccessParts:
    """Makes these parts, which know each other; `join` joins them with the rest.

    `environ` is the gateway's environment; `guardian()` is the process above the worker, None
    where there is none; `system` tells whose a connection is.  Reads the token files.  Raises
    ValueError, with one line for the user.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        deadlines: Deadlines,
        guardian: Callable[[], int | None],
        system: System,
    ) -> None:
        self._settings = settings
        self.guarding = guard_settings(settings)
        self.guard = Guard(self.guarding)
        publish = publish_choice(settings, has_tokens=self.guard.has_tokens)
        # Workers append paths to their URL, so it stays clean unless a secret is needed.
        is_secret = publish is Publish.WORKER
        self.worker_secret = worker_secret(settings, environ) if is_secret else None
        self.worker_sessions = WorkerSessions(
            guardian,
            self.worker_secret,
            deadlines,
            supervised=not settings.no_worker,
            system=system,
        )
        self.identities = self.worker_sessions.identities
        self.wrong_tokens = WrongTokens(deadlines.clock)
        self.admission = Admission(
            self.guard,
            publish,
            self.identities.is_worker,
            remember=self.identities.remember,
            wrong_tokens=self.wrong_tokens,
        )
        self.allowance = allowance(
            settings, self.worker_sessions.is_publisher, self.worker_sessions.is_exempt
        )
        self._sources = token_sources(settings)
        self.tokens = TokenFiles(
            self._sources, self.guarding.all_tokens, self._heed, wall=time.time
        )

    def join(self, sessions: Mapping[str, Session], redact: Redactor) -> None:
        """Know all sessions, and keep the tokens out of the log; before the first request."""
        self.worker_sessions.sessions = sessions
        self._revocation = Revocation(self.guard, self.identities, sessions)
        self._redact = redact
        self._learn(self.guarding.all_tokens)

    def caps(self) -> Caps:
        """Bounds on how many there are, of each address and of all."""
        most = self._settings.max_connections
        return Caps(most, self._settings.max_connections_per_address, self.guard.proxies.believes)

    def services(self, reactor: Any) -> Iterator[Service]:
        """What looks for tokens that have changed."""
        if self._sources:
            yield periodic(reactor, "Looking at the tokens", LOOK_INTERVAL, self.tokens.look)

    def _heed(self, tokens: Sequence[Token]) -> None:
        """Other tokens count from now on."""
        self._learn(tokens)
        self._revocation(tokens)

    def _learn(self, tokens: Sequence[Token]) -> None:
        self._redact.learn(*(token.secret for token in tokens))
