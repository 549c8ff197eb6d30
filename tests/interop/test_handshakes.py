"""What clients ask for in a handshake, by stock clients and a real browser."""

import json
import socket
import tempfile
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import socketio
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.browser import chromium
from tests.interop.kept import Kept
from tests.interop.service import started
from tests.patience import PATIENCE

OPTIONS = ("--no-worker", "--eio3", "--path=/feed", "--host=0.0.0.0")
gateway = Kept(lambda: started(Path(tempfile.mkdtemp()), *OPTIONS))


class Elsewhere(BaseHTTPRequestHandler):
    """Somebody else's site: empty pages."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class HandshakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = gateway(self)

    def test_a_browser_may_ask_for_subprotocols(self) -> None:
        url = self.gateway.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        visit = chromium(self).visit(self.gateway.url)
        self.addCleanup(visit.close)
        found = visit.run(f"""
            const socket = new WebSocket("{url}", ["chat", "v2"]);
            return new Promise((resolve) => {{
                socket.onmessage = ({{ data }}) => resolve([socket.protocol, data[0]]);
                socket.onerror = () => resolve("an error");
            }});
        """)
        self.assertEqual(found, ["chat", "0"])

    def test_images_of_other_sites_open_no_session(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Thread(target=server.serve_forever, daemon=True).start()
        # To a browser 127.0.0.1 is another site than localhost.
        visit = chromium(self).visit(f"http://127.0.0.1:{server.server_port}/nothing")
        self.addCleanup(visit.close)
        before = self.gateway.log.count(" connected by ")
        source = self.gateway.url + "/socket.io/?EIO=4&transport=polling"
        visit.run(f"""
            const image = document.createElement("img");
            image.src = "{source}";
            return new Promise((resolve) => {{ image.onerror = resolve; }}).then(() => 1);
        """)
        self.gateway.until("line", lambda: "by its Sec-Fetch-Site" in self.gateway.log)
        self.assertEqual(self.gateway.log.count(" connected by "), before)

    def test_a_client_may_use_the_other_path(self) -> None:
        for path in ("feed", "socket.io"):
            for transports in (["polling"], ["websocket"], None):
                with socketio.SimpleClient(request_timeout=PATIENCE) as client:
                    client.connect(
                        self.gateway.url,
                        socketio_path=path,
                        transports=transports,
                        wait_timeout=PATIENCE,
                    )
                    self.assertTrue(client.sid)

    def test_a_client_that_says_no_version_is_one_of_version_3(self) -> None:
        url = self.gateway.url + "/socket.io/?transport=polling"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            length, _, packet = answer.read().partition(b":")
        self.assertTrue(json.loads(packet[1 : int(length)])["sid"])

    def test_localhost_may_be_ipv6(self) -> None:
        if "[::1]" not in self.gateway.log:
            return  # this machine has none
        port = int(self.gateway.url.rpartition(":")[2])
        with socket.create_connection(("::1", port), PATIENCE) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))
