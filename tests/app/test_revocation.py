"""Sessions end with the tokens that they came with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.admission import Revocation
from gateway.app.identity import Identities
from gateway.web.security.access import Guard
from gateway.web.security.tokens import Role, Token, parse
from gateway.web.security.trust import Settings

DESK, SCREEN = "desk sesame-open control", "screen glance-only view"


def tokens(*lines: str) -> tuple[Token, ...]:
    return parse("\n".join(lines), Role.CONTROL, "the file") if lines else ()


class Session:
    data: Any = None
    peer = SimpleNamespace(address="192.0.2.1")

    def __init__(self) -> None:
        self.ended: tuple[str, int] | None = None

    def abort(self, reason: str, *, code: int) -> None:
        self.ended = reason, code


class RevocationTests(SynchronousTestCase):
    def begin(self, *lines: str) -> None:
        self.now = 0.0
        self.guard = Guard(Settings(tokens=tokens(*lines)), lambda: self.now)
        self.identities = Identities(lambda session: session is self.worker)
        self.sessions: dict[str, Any] = {}
        self.worker = self.come()
        self.revoke = Revocation(self.guard, self.identities, self.sessions)

    def come(self, *secrets: str) -> Any:
        session: Any = Session()
        self.sessions[str(len(self.sessions))] = session
        for secret in secrets:
            token = self.guard.token(secret)
            assert token is not None
            self.identities.remember(session, token)
        return session

    def test_those_of_a_revoked_name_end_and_no_others(self) -> None:
        self.begin(DESK, SCREEN)
        desk, screen, both = (
            self.come("sesame-open"),
            self.come("glance-only"),
            self.come("sesame-open", "glance-only"),
        )
        events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.revoke(tokens(DESK))
        self.assertEqual(
            [each.ended is None for each in (desk, screen, both, self.worker)],
            [True, False, False, True],
        )
        self.assertEqual(screen.ended[1], 1008)
        self.assertEqual([formatEvent(e) for e in events], ["Ended 2 sessions of token screen"])

    def test_who_has_another_role_now_comes_again(self) -> None:
        self.begin(DESK, SCREEN)
        session = self.come("sesame-open")
        self.revoke(tokens("desk sesame-open view", SCREEN))
        self.assertIsNotNone(session.ended)

    def test_another_name_or_a_later_end_changes_nothing(self) -> None:
        self.begin(DESK, SCREEN)
        session = self.come("sesame-open")
        self.revoke(tokens("desktop sesame-open control 2099-01-01", SCREEN))
        self.assertIsNone(session.ended)

    def test_a_token_that_expires(self) -> None:
        self.begin(DESK, f"{SCREEN} 2026-12-31")
        session = self.come("glance-only")
        self.now = 2e9
        self.revoke(tokens(DESK, f"{SCREEN} 2026-12-31"))
        self.assertIsNotNone(session.ended)

    def test_once_looking_on_needs_a_token_who_has_none_ends(self) -> None:
        self.begin(DESK)
        guest, desk = self.come(), self.come("sesame-open")
        self.revoke(tokens(DESK, SCREEN))
        self.assertIsNotNone(guest.ended)
        self.assertEqual((desk.ended, self.worker.ended), (None, None))
