"""The image: its Dockerfile linted, and its start command run as process 1, without an engine."""

import contextlib
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import SkipTest

import psutil
import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.deploy.programs import require
from tests.deploy.running import BIN, DEPLOY, ROOT, WORKER, environment, until
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.system.this import linux_only

STATE = "/var/lib/sjgateway"
NAMESPACE = ("--pid", "--fork", "--mount-proc", "--kill-child")


class Instruction(NamedTuple):
    name: str
    value: str


def instructions() -> Iterator[Instruction]:
    """What the Dockerfile says: continued lines are joined, comments left out."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, value = line.strip().partition(" ")
            yield Instruction(name, value.strip())


class DockerfileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.all = list(instructions())
        last = max(n for n, each in enumerate(self.all) if each.name == "FROM")
        self.stage = self.all[last:]

    def values(self, name: str) -> list[str]:
        """Of one instruction in the last stage."""
        return [each.value for each in self.stage if each.name == name]

    def variables(self) -> dict[str, str]:
        return dict(
            pair.split("=", 1) for value in self.values("ENV") for pair in shlex.split(value)
        )

    def test_only_instructions_that_there_are(self) -> None:
        known = "FROM ARG WORKDIR RUN ENV COPY USER VOLUME EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT"
        self.assertEqual({each.name for each in self.all} - set(known.split()), set())

    def test_bases_have_a_version(self) -> None:
        for each in self.all:
            if each.name == "FROM":
                self.assertRegex(each.value, r"^python:\d+\.\d+-slim( AS \w+)?$")

    def test_the_last_of_several_stages_takes_what_was_built(self) -> None:
        self.assertGreater(len([each for each in self.all if each.name == "FROM"]), 1)
        self.assertTrue(any("--from=build" in value for value in self.values("COPY")))
        self.assertFalse(any("pip" in value for value in self.values("RUN")))

    def test_what_is_copied_is_there_and_not_ignored(self) -> None:
        lines = (ROOT / ".dockerignore").read_text().split()
        for each in self.all:
            if each.name == "COPY" and "--from" not in each.value:
                for source in each.value.split()[:-1]:
                    self.assertTrue((ROOT / source).exists(), source)
                    self.assertIn(f"!{source}", lines)
        for secret in (".env", "deploy/gateway.env", ".git"):
            allowed = [line[1:] for line in lines if line.startswith("!")]
            self.assertFalse(any(fnmatch.fnmatch(secret, line) for line in allowed))
        self.assertEqual(lines[0], "*")

    def test_its_user_has_no_privileges_and_owns_the_state(self) -> None:
        (user,) = self.values("USER")
        self.assertGreater(int(user), 0)
        (made,) = [value for value in self.values("RUN") if "useradd" in value]
        self.assertIn(f"--uid {user} --create-home --home-dir {STATE}", made)
        self.assertEqual(self.values("VOLUME"), [STATE])
        self.assertEqual(self.variables()["SJGATEWAY_STATE_DIR"], STATE)
        names = [each.name for each in self.stage]
        self.assertNotIn("RUN", names[names.index("USER") :])

    def test_signals_reach_the_gateway_itself(self) -> None:
        (entry,) = self.values("ENTRYPOINT")
        self.assertEqual(json.loads(entry)[0], "twistd", "no shell between")
        self.assertIn("-n", json.loads(entry))
        self.assertEqual(self.values("STOPSIGNAL"), ["SIGTERM"])

    def test_its_options_are_options(self) -> None:
        from gateway.options import Settings, load

        settings = load({}, self.variables())
        self.assertEqual((settings.port, settings.host), (3001, "0.0.0.0"))
        self.assertNotEqual(settings, Settings())
        self.assertEqual(self.values("EXPOSE"), ["3001"])

    def test_compose_gives_it_time_and_takes_its_privileges(self) -> None:
        compose = (DEPLOY / "compose.yaml").read_text()
        (seconds,) = re.findall(r"^    stop_grace_period: (\d+)s$", compose, re.MULTILINE)
        self.assertGreaterEqual(int(seconds), 60)
        for line in ("read_only: true", "cap_drop: [ALL]", "dockerfile: deploy/Dockerfile"):
            self.assertIn(line, compose)
        self.assertIn(f":{STATE}", compose)

    def test_compose_files_ask_for_its_health_as_the_image_does(self) -> None:
        (said,) = self.values("HEALTHCHECK")
        flags, _, command = said.partition("CMD ")
        asked = [
            service["healthcheck"]
            for name in ("compose.yaml", "compose-cluster.yaml")
            for service in yaml.safe_load((DEPLOY / name).read_text())["services"].values()
            if "build" in service
        ]
        self.assertEqual(len(asked), 4)
        for health in asked:
            self.assertEqual(health["test"], ["CMD", *json.loads(command)])
            given = [
                f"--{name.replace('_', '-')}={value}"
                for name, value in health.items()
                if name != "test"
            ]
            self.assertEqual(flags.split(), given)


class ComposeClusterTests(SynchronousTestCase):
    """The compose file of a cluster; `tests.interop.test_compose_cluster` runs it."""

    def setUp(self) -> None:
        self.services = yaml.safe_load((DEPLOY / "compose-cluster.yaml").read_text())["services"]
        self.gateways = {name: each for name, each in self.services.items() if "build" in each}

    def test_balancers_know_its_gateways_by_their_names_and_ports(self) -> None:
        nginx = (DEPLOY / "nginx-cluster.conf").read_text()
        haproxy = (DEPLOY / "haproxy.cfg").read_text()
        for name, service in self.gateways.items():
            given = service["environment"]
            self.assertEqual(given["SJGATEWAY_GATEWAY_NAME"], name)
            place = f"127.0.0.1:{given['PORT']}"
            self.assertIn(f"upstream sjgateway_{name} {{ server {place}; }}", nginx)
            self.assertIn(f"backend {name}\n    retries 0\n    server {name} {place}\n", haproxy)

    def test_its_variables_are_options_and_its_gateways_one_cluster(self) -> None:
        from gateway.options import load

        image = DockerfileTests()
        image.setUp()
        found = [
            load({}, {**image.variables(), **each["environment"]})
            for each in self.gateways.values()
        ]
        self.assertEqual({each.host for each in found}, {"127.0.0.1"})
        self.assertEqual(len({each.port for each in found}), len(found))
        self.assertEqual({each.cluster for each in found}, {"redis://127.0.0.1:6379"})
        self.assertEqual([each.no_worker for each in found], [False, False, True])

    def test_they_have_time_to_log_out_keep_their_state_and_have_no_privileges(self) -> None:
        for name, service in self.gateways.items():
            self.assertGreaterEqual(int(service["stop_grace_period"].removesuffix("s")), 60)
            self.assertTrue(service["read_only"])
            self.assertEqual(service["cap_drop"], ["ALL"])
            kept = any(volume.endswith(f":{STATE}") for volume in service["volumes"])
            self.assertEqual(kept, "SJGATEWAY_NO_WORKER" not in service["environment"], name)


class ProcessOneTests(SynchronousTestCase):
    """In a process namespace of its own, where the gateway is process 1."""

    def setUp(self) -> None:
        unshare = require("unshare", "util-linux")
        allowed = subprocess.run(
            [unshare, *NAMESPACE, "true"], capture_output=True, text=True, check=False
        )
        if allowed.returncode:
            # Not even CI=true can demand what the kernel refuses.
            raise SkipTest(f"no process namespace may be made here: {allowed.stderr.strip()}")
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "main.py").write_text(WORKER)
        stage = DockerfileTests()
        stage.setUp()
        self.variables = stage.variables()
        self.entry = json.loads(stage.values("ENTRYPOINT")[0])
        self.probe = json.loads(stage.values("HEALTHCHECK")[0].partition("CMD ")[2])
        self.start(unshare)

    def start(self, unshare: str) -> None:
        """As an engine would, but for the folders and the port."""
        given = {
            name: text.replace(STATE, str(self.folder / "state"))
            for name, text in self.variables.items()
            if name != "PATH"
        }
        given |= {"PORT": str(free_port()), "SJGATEWAY_PYTHON": sys.executable}
        self.environ = environment(**given)
        self.process = subprocess.Popen(
            [unshare, *NAMESPACE, sys.executable, BIN / self.entry[0], *self.entry[1:]],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.output = self.process.stdout

    def read_to(self, words: str) -> None:
        """Read the log until a line has `words`."""
        for line in self.output:
            if words in line:
                return
        raise AssertionError(f"{words} was not said")

    def is_healthy(self) -> bool:
        """By the image's own health check, which knows no proxy: engines name one to all."""
        proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
        done = subprocess.run(
            [sys.executable, *self.probe[1:]],
            env=self.environ | proxy,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def adopted(self, gateway: psutil.Process) -> list[psutil.Process]:
        """The orphan that it was given, dead or alive."""
        found = []
        for each in gateway.children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it was collected meanwhile
                if each.name() == "sleep":
                    found.append(each)
        return found

    @linux_only
    def test_it_is_healthy_collects_orphans_and_stops_its_worker(self) -> None:
        self.read_to("worker up")
        until(self.is_healthy)  # an engine asks again, too
        (gateway,) = psutil.Process(self.process.pid).children()
        nsenter = require("nsenter", "util-linux")
        enter = [nsenter, f"--target={gateway.pid}", "--pid"]
        subprocess.run([*enter, "sh", "-c", "sleep 600 &"], check=True)
        until(lambda: self.adopted(gateway))
        (orphan,) = self.adopted(gateway)
        orphan.kill()
        until(lambda: not self.adopted(gateway))
        gateway.send_signal(signal.SIGTERM)
        self.read_to("logged out")
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertFalse(self.is_healthy())

    def test_a_second_signal_ends_it_at_once(self) -> None:
        self.read_to("worker up")
        (gateway,) = psutil.Process(self.process.pid).children()
        os.kill(gateway.pid, signal.SIGTERM)
        self.read_to("Stopping")
        os.kill(gateway.pid, signal.SIGTERM)
        self.assertEqual(self.process.wait(PATIENCE), 128 + signal.SIGTERM)
