"""Questions that the gateway answers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.trial.unittest import SynchronousTestCase

from tests.relay.world import RelayWorld

if TYPE_CHECKING:
    from collections.abc import Callable

ASK = "sjgateway:bars"


class ServicesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld()
        self.world.hub.services.by_name[ASK] = self.serve
        self.asked: list[tuple[dict[str, Any], Any, Callable[[bytes], object]]] = []
        self.cancelled = 0

    def serve(
        self, question: dict[str, Any], client: Any, answer: Callable[[bytes], object]
    ) -> Any:
        self.asked.append((question, client, answer))
        if question.get("at once"):
            answer(b'{"ok":1}')
        return self.cancel

    def cancel(self) -> None:
        self.cancelled += 1

    def test_the_answer_is_the_acknowledgment(self) -> None:
        client, other = self.world.client(snapshot=True), self.world.client()
        client.emit(ASK, {"code": "A"}, id=7)
        client.emit(ASK, {"at once": True}, id=8)
        self.world.flush()
        self.assertEqual(client.heard, ['438[{"ok":1}]'])
        ((question, asker, answer), _) = self.asked
        self.assertEqual((question, asker.socket.session), ({"code": "A"}, client.session))
        for _ in range(2):
            answer(b"[1]")
        self.world.flush()
        self.assertEqual(client.heard, ["437[[1]]"])
        self.assertEqual(other.heard, [])
        self.assertEqual(self.world.hub.services._waiting, {})

    def test_from_a_client_without_a_key_of_ours_it_is_relayed(self) -> None:
        client, other = self.world.client(), self.world.client(snapshot=True)
        client.emit(ASK, {"code": "A"})
        self.world.flush()
        self.assertEqual(other.heard, [f'42["{ASK}",{{"code":"A"}}]'])
        self.assertEqual(self.asked, [])

    def test_one_that_may_not_publish_may_ask(self) -> None:
        self.patch(self.world.watcher, "admit", lambda session, auth: False)
        client = self.world.client(token="view")
        client.emit(ASK, {"at once": True}, id=1)
        self.world.flush()
        self.assertEqual(client.heard, ['431[{"ok":1}]'])

    def test_what_is_no_question_is_told_what_to_send(self) -> None:
        client = self.world.client(snapshot=True)
        for arguments in ((), ("x",), ({}, {}), ([],)):
            client.emit(ASK, *arguments, id=1)
            self.world.flush()
            (answer,) = client.heard
            self.assertIn("send one object", answer)
        client.emit(ASK, {"code": "A"})  # nobody waits for an answer
        self.world.flush()
        self.assertEqual((client.heard, self.asked), ([], []))

    def test_a_client_that_leaves_cancels_what_it_asked(self) -> None:
        client = self.world.client(snapshot=True)
        client.emit(ASK, {"code": "A"}, id=1)
        client.emit(ASK, {"code": "B"}, id=2)
        self.world.flush()
        client.lose()
        self.world.flush()
        self.assertEqual(self.cancelled, 2)
        self.asked[0][2](b"[1]")  # too late
        self.world.flush()

    def test_questions_and_answers_count_for_the_rate(self) -> None:
        client = self.world.client(snapshot=True)
        meter = client.session.meter
        meter.settle()
        before = meter.spent
        client.emit(ASK, {"code": "A"}, id=1)
        self.assertGreaterEqual(meter.spent - before, 20)
        before = meter.spent
        self.asked[0][2](b'"' + b"x" * 51_200 + b'"')
        self.assertGreaterEqual(meter.spent - before, 100)
