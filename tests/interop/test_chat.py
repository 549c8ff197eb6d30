"""`examples/socketio_chat.py` with stock clients of both languages, on every transport."""

import queue

import socketio
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import node_client
from tests.interop.agents.in_order import Client
from tests.interop.echo import Example
from tests.patience import PATIENCE


class ChatTests(SynchronousTestCase):
    def setUp(self) -> None:
        example = Example("socketio_chat")
        self.addCleanup(example.close)
        self.url = f"http://127.0.0.1:{example.port}"

    def join(self, **more) -> tuple[socketio.Client, queue.SimpleQueue]:
        client = Client(reconnection=False, handle_sigint=False)
        heard: queue.SimpleQueue = queue.SimpleQueue()
        client.on("*", lambda *event: heard.put(event))
        client.connect(self.url, wait_timeout=PATIENCE, **more)
        self.addCleanup(client.disconnect)
        return client, heard

    def test_who_is_in_a_room_hears_what_is_said_there(self) -> None:
        ann, heard = self.join(auth={"name": "Ann"}, transports=["polling"])
        bob, _ = self.join(headers={"X-Name": "Bob"}, transports=["websocket"])
        cat = node_client(self.url, name="Cat")
        self.addCleanup(cat.close)
        cat.hear("connected")
        self.assertEqual(ann.call("join", "lobby", timeout=PATIENCE), ["Ann"])
        cat.tell("emit", "join", "lobby")
        self.assertEqual(heard.get(timeout=PATIENCE), ("joined", {"room": "lobby", "name": "Cat"}))
        bob.emit("say", ("lobby", "Bob is not in it"))
        bob.emit("say", "too few arguments, which cost this event only")
        self.assertEqual(set(bob.call("join", "lobby", timeout=PATIENCE)), {"Ann", "Bob", "Cat"})
        bob.emit("say", ("lobby", "hello"))
        said = {"room": "lobby", "name": "Bob", "text": "hello"}
        self.assertEqual(
            [heard.get(timeout=PATIENCE) for _ in range(2)],
            [("joined", {"room": "lobby", "name": "Bob"}), ("said", said)],
        )
        self.assertEqual(cat.events_until("said"), [["joined", {"room": "lobby", "name": "Bob"}]])
        cat.tell("close")
        self.assertEqual(heard.get(timeout=PATIENCE), ("left", {"name": "Cat"}))

    def test_who_has_no_name_is_told_so(self) -> None:
        nobody = node_client(self.url)
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.hear("refused")["refused"], "Tell your name: auth {name: ...}")
