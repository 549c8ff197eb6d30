"""The commands of the documents, typed as they stand there; `tests.commands` has the list."""

import shutil
import tempfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from tests.commands import listed
from tests.commands.desk import clone
from tests.deploy.programs import require

DEMONSTRATION = ".venv/bin/twistd -n sjgateway --demo --alert-file receivers"
REPLAY = ".venv/bin/twistd -n sjgateway --replay recordings/2026-11-30-day.jsonl.zst"


class Receiver(BaseHTTPRequestHandler):
    """Takes every alert."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class CommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.desk = clone(Path(tempfile.mkdtemp()))
        self.addCleanup(shutil.rmtree, self.desk.folder)

    def type_all(self, commands: Mapping[str, str]) -> None:
        for command, says in commands.items():
            self.assertIn(says, self.desk.type(command), command)

    def test_what_is_typed_alone(self) -> None:
        self.type_all(listed.ALONE)

    def test_starts_of_a_gateway(self) -> None:
        for command in ("cp main.py mine.py", "echo a-token-of-ours > token; chmod 600 token"):
            self.desk.type(command)
        for route, commands in listed.GATEWAYS.items():
            for command in commands:
                with self.desk.gateway(command, route):
                    pass

    def test_what_is_typed_beside_a_demonstration(self) -> None:
        receiver = HTTPServer(("127.0.0.1", 0), Receiver)
        self.addCleanup(receiver.server_close)
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(receiver.shutdown)
        (self.desk.folder / "receivers").write_text(f"http://127.0.0.1:{receiver.server_port}/\n")
        (self.desk.folder / "receivers").chmod(0o600)
        with self.desk.gateway(DEMONSTRATION):
            for command, says in listed.GO_ON.items():
                with self.desk.going_on(command) as running:
                    running.until(lambda says=says, running=running: says in running.said())
            self.type_all(listed.ASKED)

    def test_what_is_typed_beside_a_replay(self) -> None:
        with self.desk.gateway(REPLAY):
            self.type_all(listed.ASKED_OF_A_REPLAY)

    def test_a_cluster(self) -> None:
        require("redis-server", "redis-server")
        self.desk.type("(umask 077; openssl rand -hex 32 > cluster.key)")
        redis, first, second = listed.CLUSTER
        with self.desk.going_on(redis) as running:
            running.until(lambda: "Ready to accept connections" in running.said())
            with self.desk.gateway(first, "/healthz"), self.desk.gateway(second, "/healthz"):
                pass
