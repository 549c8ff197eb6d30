"""Who is behind a session: asked once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.admission import Admission, Publish
from gateway.app.identity import Identities, known_as_worker
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.relay.world import RelayWorld, WebSocketClient


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


class JoiningTests(SynchronousTestCase):
    """However often a client joins, the kernel is asked once."""

    def setUp(self) -> None:
        self.world = RelayWorld()
        self.looks = 0
        identities = Identities(self.look)
        self.world.watcher.is_worker = lambda sender: identities.is_worker(sender.socket.session)
        guard = Guard(GuardSettings(view_token="a token for looking on"))
        self.admission = Admission(guard, Publish.ANY, identities.is_worker)

    def look(self, session: Any) -> bool:
        self.looks += 1
        return False

    def test_a_client_that_leaves_and_joins_all_the_time(self) -> None:
        client = self.world.client()
        for _ in range(20):
            client.say(*["41", "40"] * 50)
            self.world.flush()
        self.assertTrue(client.is_open)
        self.assertEqual(self.looks, 1)

    def test_a_client_with_wrong_tokens(self) -> None:
        self.world.watcher.admit = self.admission
        client = WebSocketClient(self.world)
        client.say(*['40{"token":"wrong"}'] * 100)
        self.world.flush()
        self.assertEqual(len([each for each in client.heard if "Unauthorized" in str(each)]), 10)
        self.assertFalse(client.session.is_open)
        self.assertEqual((self.looks, self.admission.refused), (1, 10))
