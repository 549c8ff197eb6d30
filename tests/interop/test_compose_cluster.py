"""The compose file of a cluster: each service run as it says, without an engine for containers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from secrets import token_hex
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.cluster.servers import RedisServer
from tests.deploy import test_docker, test_nginx
from tests.deploy.programs import require
from tests.deploy.running import BIN, DEPLOY, ROOT, environment, until
from tests.optional import package
from tests.patience import PATIENCE
from tests.ports import free_port

COMPOSE = yaml.safe_load((DEPLOY / "compose-cluster.yaml").read_text("utf-8"))["services"]
GATEWAYS = ("g1", "g2", "g3")
NAME = "gateway.example.com"
TOKEN = "the token of the test"


class ComposeClusterTests(SynchronousTestCase):
    def setUp(self) -> None:
        package("hiredis")
        self.nginx = require("nginx", "nginx-light")
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "cluster.key").write_text(token_hex(32))
        _, *options = shlex.split(COMPOSE["redis"]["command"])
        self.redis = RedisServer(*options)
        self.addCleanup(self.redis.close)
        self.redis.vacate()
        self.ports = {COMPOSE[name]["environment"]["PORT"]: free_port() for name in GATEWAYS}
        self.front = free_port()
        self.gateways = {name: self.gateway(name) for name in GATEWAYS}
        self.balancer()

    def here(self, text: str) -> str:
        """The same with our ports and files."""
        ours = {**self.ports, "6379": self.redis.port}
        text = re.sub("|".join(ours), lambda found: str(ours[found[0]]), text)
        return text.replace("/run/", f"{self.folder}/")

    def run_it(self, name: str, command: list[str], **env: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def gateway(self, name: str) -> subprocess.Popen[bytes]:
        """The image's entry, with its variables, and those of the service over them."""
        image = test_docker.DockerfileTests()
        image.setUp()
        entry = json.loads(image.values("ENTRYPOINT")[0])
        given = {
            **image.variables(),
            **COMPOSE[name]["environment"],
            "SJGATEWAY_TOKEN": TOKEN,
        }
        del given["PATH"]
        state = str(self.folder / name)
        given = {
            key: self.here(text).replace(test_docker.STATE, state) for key, text in given.items()
        }
        command = [sys.executable, str(BIN / entry[0]), *entry[1:]]
        return self.run_it(name, command, **environment(**given))

    def balancer(self) -> None:
        """nginx, with the file that is mounted into its folder."""
        (volume,) = COMPOSE["nginx"]["volumes"]
        mounted = (DEPLOY / volume.partition(":")[0]).read_text("utf-8")
        snippet = self.here(mounted).replace("listen 80;", f"listen 127.0.0.1:{self.front};")
        (self.folder / "nginx.conf").write_text(test_nginx.AROUND.format(snippet=snippet))
        command = [self.nginx, "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log"]
        self.run_it("nginx", command, PATH=os.defpath)

    def status(self) -> dict[str, Any]:
        """What whichever gateway says that nginx asks; nothing while nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.front}/status")
        request.add_header("Host", NAME)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(request, timeout=PATIENCE) as answer,
        ):
            told: dict[str, Any] = json.load(answer)["cluster"]
            return told
        return {}

    def worker(self, among: tuple[str, ...]) -> str:
        """The gateway that has the worker, once all of `among` are there and nobody else is.

        For a moment one that is gone is still told as the one that has it.
        """
        found: list[str] = []

        def agreed() -> bool:
            told = self.status()
            found[:] = [told.get("worker") or ""]
            members = tuple(each["name"] for each in told.get("members", ()))
            return members == among and found[0] in among

        until(agreed)
        return found[0]

    def test_its_services_are_a_cluster_that_outlives_a_gateway(self) -> None:
        first = self.worker(GATEWAYS)
        self.assertIn(first, ("g1", "g2"), "the third one has no worker")
        self.gateways[first].send_signal(signal.SIGTERM)
        self.assertEqual(self.gateways[first].wait(PATIENCE), -signal.SIGTERM, "a clean end")
        left = tuple(name for name in GATEWAYS if name != first)
        second = self.worker(left)
        self.assertIn(second, {"g1", "g2"} - {first})
