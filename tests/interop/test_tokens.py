"""Tokens over a running gateway, with stock clients: given, revoked, expired, guessed."""

import queue
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import socketio
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.service import Service
from tests.patience import PATIENCE
from tests.ports import free_port

DESK = "desk wq0Kc7mVt1hR9xZ2 control"
FEED = "feed Hx2vB9nMq4wE7rTy publish"
SCREEN = "screen Zr5bN8yLp3sD6fGh view"


class Client:
    """A stock client that keeps what happens to it."""

    def __init__(self, url: str, token: str, transport: str, *, bearer: bool = True) -> None:
        self.heard: queue.SimpleQueue[tuple] = queue.SimpleQueue()
        self.client = socketio.Client(
            reconnection=False, handle_sigint=False, request_timeout=PATIENCE
        )
        self.client.on("*", lambda *event: self.heard.put(event))
        self.client.on("disconnect", lambda *_: self.heard.put(("disconnect",)))
        headers = {"Authorization": f"Bearer {token}"} if bearer else {}
        auth = None if bearer else {"token": token}
        self.client.connect(
            url, headers=headers, auth=auth, transports=[transport], wait_timeout=PATIENCE
        )

    def hear(self, name: str) -> tuple:
        """The next event of that name."""
        while (event := self.heard.get(timeout=PATIENCE))[0] != name:
            pass
        return event


class TokenTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        self.file = folder / "tokens"
        self.give(DESK, FEED, SCREEN)
        folder = Path(tempfile.mkdtemp(dir=folder))
        self.service = Service(folder, free_port(), "--no-worker", f"--token-file={self.file}")
        self.addCleanup(self.service.close)
        self.service.until("answer", self.service.answers)

    def give(self, *lines: str) -> None:
        self.file.write_text("\n".join(lines) + "\n")
        self.file.chmod(0o600)

    def connect(self, line: str, transport: str, *, bearer: bool = True) -> Client:
        client = Client(self.service.url, line.split()[1], transport, bearer=bearer)
        self.addCleanup(client.client.disconnect)
        return client

    def post(self, path: str, token: str) -> int:
        request = urllib.request.Request(self.service.url + path, b"", method="POST")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def test_roles_revocation_and_expiry(self) -> None:
        screens = [self.connect(SCREEN, transport) for transport in ("websocket", "polling")]
        feed = self.connect(FEED, "websocket", bearer=False)
        desk = self.connect(DESK, "polling")
        screens[0].client.emit("forged", {"a": 1})
        self.assertIn("--publish", screens[0].hear("publish_refused")[1]["error"])
        feed.client.emit("price", {"a": 2})
        for client in (*screens, desk):
            self.assertEqual(client.hear("price"), ("price", {"a": 2}))
        with self.assertRaises(socketio.exceptions.ConnectionError):
            self.connect("nobody guess-again", "websocket")
        feed.client.emit("large", "x" * 1_000_001)  # more than --max-payload
        self.assertEqual(len(desk.hear("large")[1]), 1_000_001)
        greedy = self.connect(SCREEN, "websocket")
        greedy.client.emit("large", "x" * 1_000_001)
        greedy.hear("disconnect")

        self.give(DESK, FEED)
        for client in screens:
            client.hear("disconnect")
        feed.client.emit("price", {"a": 3})
        self.assertEqual(desk.hear("price"), ("price", {"a": 3}))
        with self.assertRaises(socketio.exceptions.ConnectionError):
            self.connect(SCREEN, "websocket")

        end = datetime.now() + timedelta(seconds=1)
        self.give(DESK, f"{FEED} {end.isoformat()}")
        feed.hear("disconnect")
        self.assertGreaterEqual(time.time(), end.timestamp())
        self.assertTrue(desk.client.connected)

        ended = "Ended 1 sessions of token feed"
        self.service.until(ended, lambda: ended in self.service.log)
        log = self.service.log
        self.assertIn("Ended 2 sessions of token screen", log)
        self.assertIn("A wrong token for Socket.IO from ", log)
        for line in (DESK, FEED, SCREEN, "nobody guess-again"):
            self.assertNotIn(line.split()[1], log)

    def test_control_is_audited(self) -> None:
        self.assertEqual(self.post("/restart-python", DESK.split()[1]), 500)
        self.assertEqual(self.post("/restart-python", FEED.split()[1]), 401)
        line = "POST /restart-python by token desk from "
        (said,) = [each for each in self.service.log.splitlines() if line in each]
        self.assertIn("[Audit]", said)
        self.assertIn("failed: This gateway runs no worker", said)
