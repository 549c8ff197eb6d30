"""`python -m gateway tail` against gateways in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.raw import RawClient
from tests.interop.service import ROOT, Service, started
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.web.certificates import write_certificate


class Tail:
    """A running `tail`; `lines` and `said` are what is on stdout and stderr so far."""

    def __init__(self, *arguments: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "tail", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.said: list[str] = []
        self._changed = threading.Condition()
        pairs = ((self.process.stdout, self.lines), (self.process.stderr, self.said))
        self._readers = [threading.Thread(target=self._read, args=pair) for pair in pairs]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def until(self, condition: Callable[[], object]) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, PATIENCE):
                raise AssertionError(f"it does not come: {self.lines} {self.said}")

    def end(self) -> int:
        """The exit status, when it has ended and all was read."""
        status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()


class Tailing(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def gateway(self, *options: str, port: int | None = None) -> Service:
        service = started(self.folder, "--no-worker", "--publish=any", *options, port=port)
        self.addCleanup(service.close)
        return service

    def tail(self, *arguments: str, **environ: str) -> Tail:
        tail = Tail(*arguments, **environ)
        self.addCleanup(tail.close)
        return tail

    def publish(self, port: int, tail: Tail, price: int = 1, **auth: str) -> None:
        """Send events until one arrives: the tail does not say when it is connected."""
        sender, before, pause = RawClient(port, **auth), len(tail.lines), threading.Event()
        for _ in range(PATIENCE * 20):
            sender.emit(
                ("market_tick", {"code": "2330", "close": price}),
                ("other", {}),
                ("market_tick", {"code": "TXFR1", "close": price}),
            )
            if len(tail.lines) > before:
                break
            pause.wait(0.05)
        else:
            raise AssertionError(f"nothing comes: {tail.said}")
        sender.close()


class TailTests(Tailing):
    def test_events_as_they_come_over_a_restart_of_the_gateway_until_ctrl_c(self) -> None:
        self.over_a_restart("nothing was missed")

    def test_a_restart_that_forgets_what_there_was_is_said(self) -> None:
        def forget() -> None:
            (ring,) = self.folder.rglob("memory-*.ring")
            ring.unlink()

        self.over_a_restart("events in between may be", meanwhile=forget)

    def over_a_restart(self, said: str, meanwhile: Callable[[], object] = bool) -> None:
        port = free_port()
        service = self.gateway(port=port)
        tail = self.tail("--url", service.url, "--codes=TXFR1", "--events", "market_tick", "--json")
        self.publish(port, tail, 1)
        service.stop()
        tail.until(lambda: any(": lost " in line for line in tail.said))
        meanwhile()
        self.gateway(port=port)
        tail.until(lambda: any(f" is back; {said}" in line for line in tail.said))
        self.publish(port, tail, 2)
        tail.process.send_signal(signal.SIGINT)
        self.assertEqual(tail.end(), 0)
        events = [json.loads(line)["e"] for line in tail.lines]
        self.assertEqual({event[0] for event in events}, {"market_tick"})
        self.assertEqual({event[1]["code"] for event in events}, {"TXFR1"})
        self.assertEqual(sorted({event[1]["close"] for event in events}), [1, 2])
        self.assertEqual(len(tail.said), 2, tail.said)

    def test_a_reader_that_has_enough_ends_it(self) -> None:
        port = free_port()
        self.gateway(port=port)
        command = f"{sys.executable} -m gateway tail --url http://127.0.0.1:{port} --snapshot"
        head = subprocess.Popen(
            ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        sender = RawClient(port)
        sender.emit(("market_tick", {"code": "TXFR1", "close": 23000.5}))
        out, err = head.communicate(timeout=PATIENCE)
        self.assertEqual((head.returncode, err), (0, ""))
        self.assertRegex(out, r"^\d\d:\d\d:\d\d\.\d{3} market_tick     TXFR1    close=23000\.5\n$")
        sender.close()


class TokenTests(Tailing):
    def assert_ends(self, expected: str, *arguments: str, **environ: str) -> None:
        tail = self.tail(*arguments, **environ)
        self.assertEqual(tail.end(), 1, tail.said)
        self.assertEqual(tail.lines, [])
        self.assertEqual(len(tail.said), 1, tail.said)
        self.assertRegex(tail.said[0], f"^sjgateway: .*{expected}")

    def test_tokens_paths_and_tls(self) -> None:
        pem, tokens, port = self.folder / "both.pem", self.folder / "tokens", free_port()
        write_certificate(pem, "localhost")
        tokens.write_text("desk wq0Kc7mVt1hR9xZ2 control\nscreen Zr5bN8yLp3sD6fGh view\n")
        tokens.chmod(0o600)
        options = (f"--view-token-file={self.view(tokens)}", "--path=/feed", "--no-worker")
        plain = free_port()
        service = Service(
            self.folder, port, *options, "--publish=any", f"--listen=tcp:{plain}",
            f"--listen=ssl:{port}:privateKey={pem}",
        )  # fmt: skip
        self.addCleanup(service.close)
        service.until("open port", lambda: service.ended() or "Listening on" in service.log)
        url = f"https://localhost:{port}/feed"
        trusting = {"SSL_CERT_FILE": str(pem)}
        self.assert_ends("certificate verify failed; SSL_CERT_FILE", "--url", url)
        self.assert_ends("Unauthorized: connect with", "--url", url, **trusting)
        tail = self.tail("--url", url, f"--token-file={tokens}", **trusting)
        self.publish(plain, tail, token="Zr5bN8yLp3sD6fGh")
        tail.process.send_signal(signal.SIGTERM)
        self.assertEqual(tail.end(), 0)

    def view(self, tokens: Path) -> Path:
        """A file with the token for viewing alone: the other one must not be used."""
        file = self.folder / "view"
        file.write_text(tokens.read_text().splitlines()[1])
        file.chmod(0o600)
        return file
