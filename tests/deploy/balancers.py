"""A balancer of `deploy/` in a process on loopback, with gateways behind it in this one."""

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
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
from tests.deploy.running import DEPLOY, until
from tests.optional import package
from tests.patience import PATIENCE
from tests.ports import free_port

NAME = "gateway.example.com"
PINGS = (25.0, 26.0)
"""The ping interval of each gateway, by which a handshake tells where it arrived."""
CLIENTS = [f"127.0.0.{number}" for number in range(2, 14)]
ENOUGH = 6
"""So many new sessions in a row show to which gateways they go."""

Session = Callable[..., tuple[int, bytes]]
"""Posts a body, or without one polls; status and body of the answer."""


class BalancerCase(TestCase):
    """`snippet` is a file of `deploy/`; `command` starts the program with it."""

    timeout = 2 * PATIENCE
    snippet: str
    bind: str
    """Where the snippet listens, as it says that."""
    gateways: list[Service]

    def command(self, snippet: str) -> list[str]:
        """The program, with `snippet` in a file of `self.folder`."""
        raise NotImplementedError

    def begin(self, ports: list[int]) -> Deferred[None]:
        """Start it before gateways at these ports."""
        self.port = free_port()
        snippet = (DEPLOY / self.snippet).read_text().replace("# server ", "server ")
        before = snippet
        ours = re.sub(":?80", f"127.0.0.1:{self.port}", self.bind)
        snippet = snippet.replace(self.bind, ours)
        assert snippet != before, self.bind
        for number, port in enumerate(ports, 1):
            assert f"127.0.0.1:300{number}" in snippet, number
            snippet = snippet.replace(f"127.0.0.1:300{number}", f"127.0.0.1:{port}")
        process = subprocess.Popen(
            self.command(snippet), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return deferToThread(until, self.listens)

    def setUp(self) -> object:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.gateways = []
        return self.begin([self.gateway(ping) for ping in PINGS])

    def gateway(self, ping: float, port: int = 0, **given: Any) -> int:
        """The port of a new gateway, told what the snippet's head says; 0: any port."""
        port = port or free_port()
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

    def begun(self, client: str) -> tuple[float, Session]:
        """A new session: the ping interval of the gateway that has it, and how it is asked."""
        path = "/socket.io/?EIO=4&transport=polling"
        status, body = self.ask(client, path, Origin=f"https://{NAME}")
        assert status == 200, body
        opened = json.loads(body[1:])
        return opened["pingInterval"] / 1000, partial(
            self.ask, client, f"{path}&sid={opened['sid']}", Content_Type="text/plain"
        )

    def poll(self, client: str) -> tuple[float, list[int]]:
        """A session from handshake to namespace: whose it is, and each status."""
        ping, session = self.begun(client)
        entered, _ = session(b"40")
        answered, body = session()
        assert body.startswith(b"40{"), body
        return ping, [entered, answered]

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


class ClusterCase(BalancerCase):
    """Two gateways of a cluster; the third one of the snippet is not there, but may come."""

    def setUp(self) -> object:
        package("hiredis")
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)
        self.key = self.redis.folder / "key"
        self.key.write_text("k" * 32)
        return super().setUp()

    def gateway(self, ping: float, port: int = 0, **given: Any) -> int:
        return super().gateway(
            ping,
            port,
            cluster=self.cluster_url(len(self.gateways) + 1),
            cluster_key_file=self.key,
            gateway_name=f"g{len(self.gateways) + 1}",
            **given,
        )

    def begin(self, ports: list[int]) -> Deferred[None]:
        self.third = free_port()
        return super().begin([*ports, self.third])

    def cluster_url(self, number: int) -> str:
        """Where the gateway with this number finds the log."""
        return self.redis.url

    async def new_ones_go_to(self, *pings: float) -> None:
        """Begin sessions until those of a while have been at these gateways, and at no other."""
        found: list[float] = []
        while len(found) < ENOUGH or set(found[-ENOUGH:]) != set(pings):
            ping, statuses = await deferToThread(self.poll, CLIENTS[0])
            self.assertEqual(statuses, [200] * 2)
            found.append(ping)


class From(HTTPHandler):
    """Connections from one address of this machine."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def http_open(self, request: Request) -> object:
        from http.client import HTTPConnection

        source = partial(HTTPConnection, source_address=(self._address, 0))
        return self.do_open(source, request)
