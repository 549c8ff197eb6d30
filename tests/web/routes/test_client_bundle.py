"""The browsers' library at `/socket.io/socket.io.js`."""

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.site import Mount, make_site
from gateway.web.routes.client_bundle import bundle_routes
from gateway.web.routes.router import mounts
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.web.site import Memory

PATHS = ("/socket.io/", "/feed/")


def engine(request: object) -> bytes:
    return b"engine"


class BundleTests(SynchronousTestCase):
    def ask(self, bundle: bytes | None, path: str, *lines: str) -> tuple[int, str, bytes]:
        """Status, head and body of the answer."""
        clock = Clock()
        site = make_site(
            clock,
            Guard(GuardSettings(view_token="a-view-token")),
            mounts(bundle_routes(PATHS, bundle)),
            engine=Mount(engine),
            engine_path=b"/socket.io/",
        )
        asked = "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *lines, "", ""))
        head, _, body = Memory(site, clock).send(asked.encode()).partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode(), body

    def test_it_is_served_to_everybody_below_each_path(self) -> None:
        for path in PATHS:
            status, head, body = self.ask(b"var io;", f"{path}socket.io.js")
            self.assertEqual((status, body), (200, b"var io;"))
            self.assertIn("Content-Type: text/javascript", head)

    def test_a_page_of_an_allowed_origin_may_load_it(self) -> None:
        """By `crossorigin`, so that it says where it comes from."""
        origin = "http://localhost:8000"
        status, head, _ = self.ask(b"var io;", "/socket.io/socket.io.js", f"Origin: {origin}")
        self.assertEqual(status, 200)
        self.assertIn(f"Access-Control-Allow-Origin: {origin}\r\n", head)

    def test_without_one_the_answer_says_how(self) -> None:
        status, _, body = self.ask(None, "/socket.io/socket.io.js")
        self.assertEqual(status, 404)
        self.assertIn("--client-bundle", json.loads(body)["details"])

    def test_all_else_below_the_path_is_the_protocols(self) -> None:
        for path in ("/socket.io/", "/socket.io/socket.io.js.map", "/socket.io/?EIO=4"):
            self.assertEqual(self.ask(b"var io;", path)[2], b"engine", path)
