"""Every listener of the documentation, with a worker behind it, as its users run it."""

import re
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.service import ROOT, Service
from tests.ports import free_port
from tests.web.certificates import write_certificate

WORKER = """
import os, time, socketio
client = socketio.Client(request_timeout=60)
client.connect(os.environ["GATEWAY_URL"], wait_timeout=60)
client.emit("python_status", {"status": "connected"})
print("the worker is connected to", os.environ["GATEWAY_URL"])
client.wait()
"""
EXAMPLE = re.compile(r"--listen[ =]([a-z][^\s`'\")]*\d[^\s`'\")]*|unix:[^\s`'\")]+)")
PORT = re.compile(r"(?<=:)[0-9]{2,5}(?=:|$)")
TEXTS = ("*.md", "docs/*.md", "deploy/*")


def examples() -> set[str]:
    """All endpoints that the documentation names; systemd's are tested with its units."""
    files = [path for pattern in TEXTS for path in ROOT.glob(pattern) if path.is_file()]
    found = {each for path in files for each in EXAMPLE.findall(path.read_text("utf-8"))}
    return {each for each in found if not each.startswith("systemd:") and "..." not in each}


class ListeningTests(SynchronousTestCase):
    def start(self, *options: str, port: int) -> Service:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "main.py").write_text(WORKER)
        write_certificate(folder / "both.pem", "localhost")
        for name in ("key.pem", "cert.pem"):
            shutil.copy(folder / "both.pem", folder / name)
        service = Service(folder, port, *options)
        self.addCleanup(service.close)
        return service

    def connected(self, service: Service) -> str:
        """The URL by which the worker has connected."""
        service.until("connected worker", lambda: "the worker is connected to" in service.log)
        return re.search(r"the worker is connected to (\S+)", service.log)[1]

    def test_the_worker_connects_beside_those_on_other_ports(self) -> None:
        """All at once: `--listen` may be repeated."""
        found = {each for each in examples() if ":3001" not in each}
        self.assertGreaterEqual(len(found), 5, found)
        endpoints = [PORT.sub(lambda _: str(free_port()), example) for example in found]
        service = self.start(*(f"--listen={each}" for each in endpoints), port=free_port())
        self.assertEqual(self.connected(service), service.url)
        (listening,) = re.findall("Listening on (.*)", service.log)
        self.assertEqual(len(listening.split(", ")), len(endpoints) + 1 + ("[::1]" in listening))
        self.assertNotIn("holds port", service.log)

    def test_the_worker_connects_behind_those_on_its_own_port(self) -> None:
        found = {each for each in examples() if ":3001" in each}
        self.assertGreaterEqual(len(found), 1, found)
        for example in found:
            port = free_port()
            endpoint = example.replace("3001", str(port))
            service = self.start(f"--listen={endpoint}", port=port)
            url = self.connected(service)
            self.assertNotEqual(url, service.url)
            self.assertIn(
                f"--listen {endpoint} holds port {port}, so the worker has {url};", service.log
            )
            service.close()
