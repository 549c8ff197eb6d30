"""Secrets planted in every input, and looked for in every output."""

import json
import os
import re
import secrets
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import socketio
from socketio.exceptions import ConnectionError as Refused
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.interop.service import ROOT, Service
from tests.patience import PATIENCE
from tests.ports import free_port

PREFIX = 8
"""Not even so many characters may show."""


class Canaries(dict[str, str]):
    """A secret for each name, made when it is first asked for."""

    def __missing__(self, name: str) -> str:
        self[name] = secrets.token_urlsafe(18)
        return self[name]

    def found_in(self, output: bytes) -> list[str]:
        return [name for name, value in self.items() if value[:PREFIX].encode() in output]


class SecretTests(TestCase):
    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.folder = self.folder.resolve()
        self.canary = Canaries()
        self.outputs: list[bytes] = []

    def test_nothing_shows(self) -> Any:
        return deferToThread(self.session, "info")

    def test_nothing_shows_in_a_log_that_has_everything(self) -> Any:
        """But for what is in events: payloads are what the level is for."""
        return deferToThread(self.session, "debug")

    def session(self, level: str) -> None:
        token = self.folder / "token"
        token.write_text(self.canary["control token"])
        certificate = self.folder / "Sinopac.pfx"
        certificate.touch()
        service = Service(
            self.folder,
            free_port(),
            f"--main={ROOT / 'tests' / 'children' / 'leaky.py'}",
            f"--token-file={token}",
            f"--log-level={level}",
            cold=True,
            SJGATEWAY_VIEW_TOKEN=self.canary["view token"],
            SJGATEWAY_ALERT_URLS=f"https://127.0.0.1:{free_port()}/{self.canary['webhook']}",
            API_KEY=self.canary["key in the environment"],
            SECRET_KEY=self.canary["other key in the environment"],
        )
        try:
            service.until("answer", service.answers)
            self.hear(service.url, "an order" if level == "debug" else self.canary["event"])
            service.until("crash", lambda: "login failed" in service.log)
            self.post_keys(service, certificate)
            service.until("second crash", lambda: service.log.count("RuntimeError") > 1)
            self.attack(service)
            self.look_around(service)
        finally:
            service.close()
        for name, shown in (("origin", "its Origin http://"), ("host", "its Host ")):
            # These tell what to list to let somebody in; they stand there, and nowhere else.
            self.assertEqual(service.log.lower().count(self.canary[name].lower()), 1)
            self.assertIn(f"{shown}{self.canary[name].lower()}: ", service.log)
        self.outputs.append(self.without_names(service.log_path.read_bytes()))
        self.outputs += [
            path.read_bytes() for path in (self.folder / "state").rglob("*") if path.is_file()
        ]
        for output in self.outputs:
            self.assertEqual(self.canary.found_in(output), [], output[-3000:])
        self.assertIn("[redacted]", service.log)
        self.assertIn("An alert waits: 127.0.0.1 could not be reached", service.log)

    def without_names(self, log: bytes) -> bytes:
        """`log` without the two lines that may name who was refused."""
        return re.sub(rb"by its (Host|Origin) .*", rb"\1", log)

    def hear(self, url: str, note: str) -> None:
        """Keep every event; a stranger who does not know the token is refused."""
        client = socketio.Client(reconnection=False, handle_sigint=False, request_timeout=PATIENCE)
        client.on("*", lambda *event: self.outputs.append(repr(event).encode()))
        client.connect(url, auth={"token": self.canary["view token"]}, wait_timeout=PATIENCE)
        self.addCleanup(client.disconnect)
        stranger = socketio.Client(
            reconnection=False, handle_sigint=False, request_timeout=PATIENCE
        )
        stranger.on("connect_error", lambda *error: self.outputs.append(repr(error).encode()))
        self.assertRaises(
            Refused, stranger.connect, url, auth={"token": self.canary["wrong socket token"]}
        )
        client.emit("order", {"note": note})

    def post_keys(self, service: Service, certificate: Path) -> None:
        keys = {
            "apiKey": self.canary["api key"],
            "secretKey": self.canary["secret key"],
            "caCertPath": str(certificate),
            "caPassword": self.canary["certificate password"],
        }
        self.ask(
            service, "POST", "/set-sj-key", json.dumps(keys).encode(), Authorization=self.bearer
        )

    @property
    def bearer(self) -> str:
        return f"Bearer {self.canary['control token']}"

    def attack(self, service: Service) -> None:
        """Wrong requests of all kinds, each with something secret in it."""
        secret = self.canary
        bodies: list[bytes] = [
            b'{"apiKey": "%s' % secret["broken json"].encode(),
            json.dumps({"apiKey": secret["missing"]}).encode(),
            json.dumps({"apiKey": [secret["type"]], "secretKey": "b", "caCertPath": "c",
                        "caPassword": "d"}).encode(),
            json.dumps({"apiKey": secret["feed"] + "\n", "secretKey": "b", "caCertPath": "c",
                        "caPassword": "d"}).encode(),
            json.dumps({"apiKey": "a", "secretKey": "b", "caPassword": "d",
                        "caCertPath": f"/nowhere/{secret['no such file']}"}).encode(),
            json.dumps([secret["list"]]).encode(),
            secret["no json"].encode() * 10,
        ]  # fmt: skip
        for body in bodies:
            for content_type in ("application/json", "application/x-www-form-urlencoded", "text/x"):
                self.ask(
                    service, "POST", "/set-sj-key", body,
                    Authorization=self.bearer, Content_Type=content_type,
                )  # fmt: skip
        for headers in (
            {"Authorization": f"Bearer {secret['wrong token']}"},
            {"Authorization": f"Basic {secret['basic']}"},
            {"Cookie": secret["cookie"]},
            {"Origin": f"http://{secret['origin']}"},
            {"Origin": f"http://{secret['user']}:{secret['password']}@localhost"},
            {"Host": secret["host"]},
            {"X-Forwarded-For": secret["forwarded"]},
        ):
            self.ask(service, "POST", "/restart-python", b"", **headers)
        for path in (
            f"/{secret['path']}",
            f"/logs?lines={secret['query']}",
            f"/restart-python?force={secret['flag']}",
            f"/socket.io/?EIO=4&transport={secret['transport']}",
            f"/socket.io/?EIO=4&transport=polling&sid={secret['sid']}",
        ):
            self.ask(service, "GET", path)
            self.ask(service, "POST", path, b"x", Authorization=self.bearer)

    def look_around(self, service: Service) -> None:
        token = f"Bearer {self.canary['view token']}"
        for path in ("/health", "/status", "/logs?lines=10000", "/metrics", "/openapi.json"):
            self.assertEqual(self.ask(service, "GET", path, Authorization=token), 200)
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(ROOT).encode() in command or process.name == str(os.getpid()):
                self.outputs.append(command)

    def ask(
        self, service: Service, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> int:
        """The status; whatever is answered is an output."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(service.url + path, body, fields, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                self.outputs.append(str(answer.headers).encode() + answer.read())
                return int(answer.status)
        except urllib.error.HTTPError as error:
            self.outputs.append(str(error.headers).encode() + error.read())
            return error.code
