"""Who may come in through Socket.IO, and who may speak there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.admission import Admission, Publish
from gateway.socketio.errors import ConnectionRefused
from gateway.web.security import Guard, Settings

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
        guard = Guard(Settings(control_token=control, view_token=view))
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
