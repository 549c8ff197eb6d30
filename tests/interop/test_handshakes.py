"""What clients ask for in a handshake, by stock clients and a real browser."""

import atexit
import json
import socket
import tempfile
import urllib.request
from functools import cache
from pathlib import Path

import socketio
from twisted.trial.unittest import SynchronousTestCase

from tests.interop.browser import chromium
from tests.interop.service import PATIENCE, Service, free_port


@cache
def gateway() -> Service:
    service = Service(
        Path(tempfile.mkdtemp()),
        free_port(),
        "--no-worker",
        "--eio3",
        "--path=/feed",
        "--host=0.0.0.0",
    )
    atexit.register(service.close)
    service.until("answer to /health", service.answers)
    return service


class HandshakeTests(SynchronousTestCase):
    def test_a_browser_may_ask_for_subprotocols(self) -> None:
        url = gateway().url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        visit = chromium().visit(gateway().url)
        self.addCleanup(visit.close)
        found = visit.run(f"""
            const socket = new WebSocket("{url}", ["chat", "v2"]);
            return new Promise((resolve) => {{
                socket.onmessage = ({{ data }}) => resolve([socket.protocol, data[0]]);
                socket.onerror = () => resolve("an error");
            }});
        """)
        self.assertEqual(found, ["chat", "0"])

    def test_a_client_may_use_the_other_path(self) -> None:
        for path in ("feed", "socket.io"):
            for transports in (["polling"], ["websocket"], None):
                with socketio.SimpleClient() as client:
                    client.connect(
                        gateway().url,
                        socketio_path=path,
                        transports=transports,
                        wait_timeout=PATIENCE,
                    )
                    self.assertTrue(client.sid)

    def test_a_client_that_says_no_version_is_one_of_version_3(self) -> None:
        url = gateway().url + "/socket.io/?transport=polling"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            length, _, packet = answer.read().partition(b":")
        self.assertTrue(json.loads(packet[1 : int(length)])["sid"])

    def test_localhost_may_be_ipv6(self) -> None:
        if "[::1]" not in gateway().log:
            return  # this machine has none
        port = int(gateway().url.rpartition(":")[2])
        with socket.create_connection(("::1", port), PATIENCE) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))
