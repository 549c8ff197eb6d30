"""Pages of other origins in a real Chromium, with the clients that they load."""

import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.browser import chromium
from tests.interop.node import node_modules
from tests.interop.service import Service
from tests.ports import free_port

CLIENTS = {
    "4": Path("socket.io-client", "dist", "socket.io.min.js"),
    "2": Path("socket.io-client-v2", "dist", "socket.io.js"),
}
CONNECT = """
    const socket = io(%r, {transports: %s, reconnection: false, withCredentials: true});
    return await new Promise((resolve) => {
        socket.on("connect", () => resolve("connected"));
        socket.on("connect_error", () => resolve("refused"));
    });
"""


class OriginTests(SynchronousTestCase):
    def gateway(self, *options: str) -> Service:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        given = ("--no-worker", "--eio3", *options)
        service = Service(Path(tempfile.mkdtemp(dir=folder)), free_port(), *given)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def outcomes(self, service: Service, origin: str, clients: tuple[str, ...] = ("4",)) -> dict:
        """What a page of `origin` gets to hear that connects with credentials."""
        context = chromium(self).context(permissions=["local-network-access"])
        self.addCleanup(context.close)
        page = context.new_page()
        answer = {"content_type": "text/html", "body": "<!doctype html>"}
        page.route(f"{origin}/**", lambda route: route.fulfill(**answer))
        page.goto(f"{origin}/")
        heard = {}
        for client in clients:
            page.evaluate((node_modules() / CLIENTS[client]).read_text())
            for transport in ("polling", "websocket"):
                script = CONNECT % (service.url, [transport])
                heard[client, transport] = page.evaluate(f"async () => {{ {script} }}")
        return heard

    def test_named_origins_connect_with_credentials(self) -> None:
        service = self.gateway("--allowed-origins", "https://app.example.com")
        for origin in ("http://localhost:5173", "https://app.example.com"):
            heard = self.outcomes(service, origin, tuple(CLIENTS))
            self.assertEqual(set(heard.values()), {"connected"}, (origin, heard))
        heard = self.outcomes(service, "https://evil.example.net")
        self.assertEqual(set(heard.values()), {"refused"})

    def test_with_the_star_polls_have_none(self) -> None:
        service = self.gateway("--allowed-origins", "*")
        heard = self.outcomes(service, "https://app.example.com")
        self.assertEqual(heard, {("4", "polling"): "refused", ("4", "websocket"): "connected"})
