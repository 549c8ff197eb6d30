"""Who is behind a session: asked once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.identity import Identities, known_as_worker


class IdentityTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[Any] = []
        self.answer: bool | None = False
        self.identities = Identities(self.owns)
        self.session: Any = SimpleNamespace(data=None)

    def owns(self, session: Any) -> bool | None:
        self.asked.append(session)
        return self.answer

    def test_a_yes_and_a_no_are_both_remembered(self) -> None:
        for answer in (True, False):
            self.setUp()
            self.answer = answer
            for _ in range(3):
                self.assertIs(self.identities.is_worker(self.session), answer)
            self.assertEqual(self.asked, [self.session])

    def test_each_session_is_asked_about(self) -> None:
        self.answer = True
        self.identities.is_worker(self.session)
        self.answer = False
        self.assertFalse(self.identities.is_worker(SimpleNamespace(data=None)))  # type: ignore[arg-type]
        self.assertTrue(self.identities.is_worker(self.session))

    def test_while_there_is_no_worker_nothing_is_decided(self) -> None:
        self.answer = None
        self.assertFalse(self.identities.is_worker(self.session))
        self.answer = True
        self.assertTrue(self.identities.is_worker(self.session))

    def test_nobody_is_asked_about_who_only_is_looked_at(self) -> None:
        self.assertFalse(known_as_worker(self.session))
        self.identities.of(self.session)
        self.assertFalse(known_as_worker(self.session))
        self.assertEqual(self.asked, [])
        self.answer = True
        self.identities.is_worker(self.session)
        self.assertTrue(known_as_worker(self.session))
