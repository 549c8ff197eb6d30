"""The nginx snippet, in a real nginx on loopback with two gateways behind it."""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPHandler, Request, build_opener

from twisted.application.service import Service
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from gateway.app.assembly import GatewayAssembly
from gateway.options import Settings
from tests.cluster.servers import RedisServer
from tests.deploy.programs import require
from tests.deploy.running import DEPLOY, until
from tests.optional import package
from tests.patience import PATIENCE
from tests.ports import free_port

NAME = "gateway.example.com"
PINGS = (25.0, 26.0)
"""The ping interval of each gateway, by which a handshake tells where it arrived."""
CLIENTS = [f"127.0.0.{number}" for number in range(2, 14)]
AROUND = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
{snippet}
}}
"""


class NginxCase(TestCase):
    timeout = 2 * PATIENCE
    snippet: str
    gateways: list[Service]

    def begin(self, ports: list[int]) -> Deferred[None]:
        """Start nginx before gateways at these ports."""
        nginx = require("nginx", "nginx-light")
        self.port = free_port()
        snippet = (DEPLOY / self.snippet).read_text()
        snippet = snippet.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for number, port in enumerate(ports, 1):
            assert f"127.0.0.1:300{number}" in snippet, number
            snippet = snippet.replace(f"127.0.0.1:300{number}", f"127.0.0.1:{port}")
        (self.folder / "nginx.conf").write_text(AROUND.format(snippet=snippet))
        process = subprocess.Popen(
            [nginx, "-p", self.folder, "-c", "nginx.conf", "-e", "error.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return deferToThread(until, self.listens)

    def setUp(self) -> object:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.gateways = []
        return self.begin([self.gateway(ping) for ping in PINGS])

    def gateway(self, ping: float, **given: Any) -> int:
        """The port of a new gateway, told what the snippet's head says."""
        port = free_port()
        settings = Settings(
            port=port,
            no_worker=True,
            ping_interval=ping,
            trusted_proxies=("127.0.0.1",),
            allowed_hosts=(NAME,),
            allowed_origins=(f"https://{NAME}",),
            **given,
        )
        gateway = GatewayAssembly(settings, reactor).gateway
        gateway.startService()
        self.gateways.append(gateway)
        self.addCleanup(gateway.stopService)
        return port

    def listens(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
            return True
        return False

    def ask(
        self, client: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body, for a client at the address `client`; blocks."""
        opener = build_opener(From(client))
        given = {"Host": NAME, **{name.replace("_", "-"): text for name, text in headers.items()}}
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, given)
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def poll(self, client: str) -> tuple[float, list[int]]:
        """A session from handshake to namespace: whose it is, and each status."""
        path = "/socket.io/?EIO=4&transport=polling"
        status, body = self.ask(client, path, Origin=f"https://{NAME}")
        opened = json.loads(body[1:])
        session = partial(self.ask, client, f"{path}&sid={opened['sid']}")
        entered, _ = session(b"40", Content_Type="text/plain")
        answered, body = session()
        assert body.startswith(b"40{"), body
        return opened["pingInterval"] / 1000, [status, entered, answered]

    def upgrade(self, client: str) -> bytes:
        """What the gateway answers to a new WebSocket, up to its handshake."""
        lines = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
            f"Host: {NAME}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "\r\n",
        )
        place = ("127.0.0.1", self.port)
        with socket.create_connection(place, PATIENCE, source_address=(client, 0)) as peer:
            peer.sendall("\r\n".join(lines).encode())
            answer = b""
            while b'"sid"' not in answer and (data := peer.recv(4096)):
                answer += data
            return answer


class NginxTests(NginxCase):
    """Each client has one gateway, by its address."""

    snippet = "nginx.conf"

    async def test_each_client_polls_one_gateway_and_both_have_some(self) -> None:
        found = [await deferToThread(self.poll, client) for client in CLIENTS]
        self.assertEqual([statuses for _, statuses in found], [[200] * 3] * len(CLIENTS))
        self.assertEqual({ping for ping, _ in found}, set(PINGS))
        again = [await deferToThread(self.poll, client) for client in CLIENTS]
        self.assertEqual([ping for ping, _ in again], [ping for ping, _ in found])

    async def test_websockets_pass(self) -> None:
        for client in CLIENTS[:3]:
            answer = await deferToThread(self.upgrade, client)
            self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
            self.assertIn(b'0{"sid":', answer)

    async def test_what_a_client_says_of_its_address_counts_for_nothing(self) -> None:
        # Our own machine's client may control the worker, of which there is none ...
        ask = partial(deferToThread, self.ask, CLIENTS[0], "/restart-python", b"")
        status, body = await ask()
        self.assertEqual(status, 500, body)
        # ... and the gateway was told that it is ours by nginx alone.
        status, body = await ask(X_Forwarded_For="192.0.2.1")
        self.assertEqual(status, 500, body)

    async def test_a_foreign_host_is_refused(self) -> None:
        status, _ = await deferToThread(self.ask, CLIENTS[0], "/status", Host="evil.example")
        self.assertEqual(status, 403)


class ClusterTests(NginxCase):
    """Each session has one gateway, by its id; the third gateway is not there."""

    snippet = "nginx-cluster.conf"

    def setUp(self) -> object:
        package("hiredis")
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)
        self.key = self.redis.folder / "key"
        self.key.write_text("k" * 32)
        return super().setUp()

    def gateway(self, ping: float, **given: Any) -> int:
        return super().gateway(
            ping,
            cluster=self.redis.url,
            cluster_key_file=self.key,
            gateway_name=f"g{len(self.gateways) + 1}",
            **given,
        )

    def begin(self, ports: list[int]) -> Deferred[None]:
        return super().begin([*ports, free_port()])

    async def test_a_session_stays_where_it_began_and_new_ones_go_where_a_gateway_is(self) -> None:
        client = CLIENTS[0]
        found = [await deferToThread(self.poll, client) for _ in range(12)]
        self.assertEqual([statuses for _, statuses in found], [[200] * 3] * 12)
        self.assertEqual({ping for ping, _ in found}, set(PINGS))
        await self.gateways[0].stopService()
        found = [await deferToThread(self.poll, client) for _ in range(6)]
        self.assertEqual(found, [(PINGS[1], [200] * 3)] * 6)
        answer = await deferToThread(self.upgrade, client)
        self.assertIn(b'0{"sid":"g2.', answer)


class From(HTTPHandler):
    """Connections from one address of this machine."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def http_open(self, request: Request) -> object:
        from http.client import HTTPConnection

        source = partial(HTTPConnection, source_address=(self._address, 0))
        return self.do_open(source, request)
