"""Clients that wait at a socket which somebody held while there was no gateway; real processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.early_answers import answered
from gateway.options import Settings
from gateway.web.http.backlog import MOST_KEPT
from tests.deploy.running import environment
from tests.interop.service import TWISTD
from tests.patience import PATIENCE

OLD = (
    b"GET /socket.io/?EIO=4&transport=polling&sid=old HTTP/1.1\r\n"
    b"Host: localhost\r\nConnection: close\r\n\r\n"
)
FRESH = OLD.replace(b"&sid=old", b"")
WEBSOCKET = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HOLD = """
import sys

def hold(event, arguments):
    if event == "import" and arguments[0] == "gateway.app.assembly":
        open("go").read()

sys.addaudithook(hold)
"""
"""Holds a start before its long imports, until somebody opens the pipe `go`."""
WITH_SOCKET = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@" 3<&0 </dev/null'
"""As systemd hands over a socket: as descriptor 3.  Here it comes as standard input."""


class HeldSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(mkdtemp())
        self.addCleanup(FilePath(str(self.folder)).remove)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.addCleanup(self.listening.close)

    def client(self, data: bytes) -> socket.socket:
        client = socket.create_connection(self.listening.getsockname(), PATIENCE)
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def start(self, *options: str, hold: str = HOLD) -> subprocess.Popen[bytes]:
        """A gateway without a worker, which is held where `hold` says."""
        (self.folder / "sitecustomize.py").write_text(hold)
        given = environment()
        given["PYTHONPATH"] = f"{self.folder}:{given['PYTHONPATH']}"
        own = ("--no-worker", f"--state-dir={self.folder}/state", "--port=1")
        twistd = [sys.executable, "-c", TWISTD, "-n", "--pidfile=", "sjgateway", *own]
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", WITH_SOCKET, "sh", *twistd, *options],
                cwd=self.folder,
                env=given,
                stdin=self.listening,
                stdout=log,
                stderr=log,
            )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_old_polls_hear_their_end_before_the_gateway_and_nobody_else_loses_anything(
        self,
    ) -> None:
        os.mkfifo(self.folder / "go")
        half = self.client(OLD[:30])
        flood = [self.client(b"") for _ in range(MOST_KEPT // 2)]
        old, fresh, websocket = map(self.client, (OLD, FRESH, WEBSOCKET))
        self.start("--listen=systemd:domain=INET:name=web")
        self.assertIn(b"Session ID unknown", old.makefile("rb").read())
        half.sendall(OLD[30:])
        later = self.client(FRESH)
        (self.folder / "go").write_text("on")
        self.assertIn(b'0{"sid":', fresh.makefile("rb").read())
        self.assertIn(b'0{"sid":', later.makefile("rb").read())
        self.assertIn(b"Session ID unknown", half.makefile("rb").read())
        self.assertTrue(websocket.recv(100).startswith(b"HTTP/1.1 101 "))
        flood[-1].sendall(FRESH)
        self.assertIn(b'0{"sid":', flood[-1].makefile("rb").read())

    def test_a_flood_that_says_nothing_is_left_in_the_kernel_s_queue(self) -> None:
        for _ in range(2 * MOST_KEPT):
            self.client(b"")
        old = self.client(OLD)
        self.start("--listen=systemd:domain=INET:index=0", hold="")
        self.assertIn(b"Session ID unknown", old.makefile("rb").read())

    def test_a_start_that_fails_says_why(self) -> None:
        self.client(FRESH)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            process = self.start(
                "--listen=systemd:domain=INET:index=0", f"--listen=tcp:{port}", hold=""
            )
            self.assertEqual(process.wait(PATIENCE), 1)
        self.assertIn(f"sjgateway: can't listen on tcp:{port}", (self.folder / "log").read_text())


class RulesTests(SynchronousTestCase):
    """The same rules as the gateway's: hosts, origins, paths."""

    def is_answered(self, data: bytes, host: str = "127.0.0.1", **options: object) -> bool:
        with socket.create_server((host, 0)) as listening:
            client = socket.create_connection(("127.0.0.1", listening.getsockname()[1]), PATIENCE)
            with client:
                client.sendall(data)
                (kept,) = answered({"a": listening}, Settings(**options)).values()
                for each, _ in kept:
                    each.close()
                return not kept

    def test_hosts(self) -> None:
        self.assertTrue(self.is_answered(OLD))
        named = OLD.replace(b"localhost", b"desk.example")
        self.assertFalse(self.is_answered(named))
        self.assertTrue(self.is_answered(named, allowed_hosts=("desk.example",)))
        address = OLD.replace(b"localhost", b"192.0.2.1")
        self.assertFalse(self.is_answered(address))
        self.assertTrue(self.is_answered(address, host="0.0.0.0"))

    def test_origins(self) -> None:
        foreign = OLD.replace(b"Host", b"Origin: https://page.example\r\nHost")
        self.assertFalse(self.is_answered(foreign))
        self.assertTrue(self.is_answered(foreign, allowed_origins=("https://page.example",)))

    def test_paths(self) -> None:
        other = OLD.replace(b"/socket.io/", b"/feed/")
        self.assertFalse(self.is_answered(other))
        self.assertTrue(self.is_answered(other, path="/feed/"))

    def test_settings_that_make_no_sense_are_told_by_the_start(self) -> None:
        self.assertRaises(ValueError, self.is_answered, OLD, allowed_hosts=("no host",))
