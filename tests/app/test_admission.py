"""Who may come in through Socket.IO, and who may speak there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.admission import Admission, Publish, Revocation
from gateway.app.identity import Identities
from gateway.engineio.handshake import Peer
from gateway.socketio.errors import ConnectionRefused
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.tokens import BURST, Role, Token, WrongTokens, parse

VIEWER, OPERATOR = "a token for viewing", "a token for control"


class AdmissionTests(SynchronousTestCase):
    def admit(
        self,
        auth: dict[str, Any],
        publish: str = "any",
        *,
        view: str = "",
        control: str = "",
        worker: bool = False,
        **query: str,
    ) -> bool:
        guard = Guard(GuardSettings(control_token=control, view_token=view))
        session: Any = SimpleNamespace(query=query)
        return Admission(guard, Publish(publish), lambda each: worker)(session, auth)

    def test_without_tokens_everybody_comes_in_and_may_speak(self) -> None:
        self.assertTrue(self.admit({}))
        self.assertTrue(self.admit({"token": "anything"}))

    def test_a_token_for_viewing_is_needed_where_one_is_set(self) -> None:
        for auth in ({}, {"token": ""}, {"token": "wrong"}, {"token": 5}, {"token": [VIEWER]}):
            error = self.assertRaises(ConnectionRefused, self.admit, auth, view=VIEWER)
            self.assertIn("token", error.message)
            self.assertNotIn(VIEWER, error.message)
        self.assertTrue(self.admit({"token": VIEWER}, view=VIEWER))
        self.assertTrue(self.admit({}, view=VIEWER, token=VIEWER))

    def test_the_token_for_control_lets_view_too(self) -> None:
        self.assertTrue(self.admit({"token": OPERATOR}, view=VIEWER, control=OPERATOR))

    def test_a_token_for_control_alone_leaves_viewing_open(self) -> None:
        self.assertTrue(self.admit({}, control=OPERATOR))

    def test_the_worker_needs_no_token(self) -> None:
        self.assertTrue(self.admit({}, view=VIEWER, worker=True))

    def test_only_the_worker_may_speak_where_that_is_wanted(self) -> None:
        self.assertFalse(self.admit({"token": OPERATOR}, "worker", control=OPERATOR))

    def test_who_brings_the_token_for_control_may_speak_where_that_is_wanted(self) -> None:
        self.assertTrue(self.admit({"token": OPERATOR}, "token", view=VIEWER, control=OPERATOR))
        self.assertFalse(self.admit({"token": VIEWER}, "token", view=VIEWER, control=OPERATOR))

    def test_what_holds_unless_something_else_is_said(self) -> None:
        self.assertIs(Publish.by_default(tokens=False), Publish.ANY)
        self.assertIs(Publish.by_default(tokens=True), Publish.TOKEN)

    def test_who_brings_a_token_for_publishing_may_speak(self) -> None:
        tokens = parse("feed speak-to-all publish\nscreen glance-only view", Role.CONTROL, "x")
        admission = Admission(
            Guard(GuardSettings(tokens=tokens)), Publish.TOKEN, lambda session: False
        )
        session: Any = SimpleNamespace(query={})
        self.assertTrue(admission(session, {"token": "speak-to-all"}))
        self.assertFalse(admission(session, {"token": "glance-only"}))


class WrongTokenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.remembered: list[Token] = []
        self.is_worker = False

    def admission(self, **settings: str) -> Admission:
        return Admission(
            Guard(GuardSettings(**settings)),
            Publish.TOKEN,
            lambda session: self.is_worker,
            remember=lambda session, token: self.remembered.append(token),
            wrong_tokens=WrongTokens(Clock().seconds),
        )

    def outcomes(self, admission: Admission, token: str, times: int) -> list[object]:
        """For each time, whether the client may publish, or how long the refusal waits."""
        session: Any = SimpleNamespace(query={}, peer=Peer("192.0.2.1", 5000))
        outcomes: list[object] = []
        for _ in range(times):
            try:
                outcomes.append(admission(session, {"token": token}))
            except ConnectionRefused as refused:
                outcomes.append(refused.delay)
        return outcomes

    def test_it_is_refused_ever_more_slowly_and_a_right_one_never(self) -> None:
        admission = self.admission(view_token=VIEWER)
        self.assertEqual(self.outcomes(admission, "guess", BURST + 2), [0.0] * BURST + [2.0, 4.0])
        self.assertEqual(self.outcomes(admission, VIEWER, 1), [False])
        self.assertEqual([token.name for token in self.remembered], ["view"])

    def test_who_guesses_is_refused_even_where_all_may_look_on(self) -> None:
        admission = self.admission(control_token=OPERATOR)
        self.assertEqual(self.outcomes(admission, "guess", BURST + 1), [False] * BURST + [2.0])
        self.assertEqual(self.outcomes(admission, "", 1), [False])
        self.assertEqual(self.outcomes(admission, OPERATOR, 1), [True])

    def test_the_worker_is_let_in_whatever_it_brings(self) -> None:
        admission = self.admission(view_token=VIEWER)
        self.is_worker = True
        self.assertEqual(self.outcomes(admission, "guess", 2 * BURST), [False] * 2 * BURST)

    def test_without_tokens_none_is_wrong(self) -> None:
        admission = self.admission()
        self.assertEqual(self.outcomes(admission, "guess", 2 * BURST), [False] * 2 * BURST)


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
        self.guard = Guard(GuardSettings(tokens=tokens(*lines)), lambda: self.now)
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
