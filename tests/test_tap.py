"""The gateway as a whole: made in this process, and run by twistd and twist in others."""

import io
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import treq
from twisted.application.service import Application, IServiceCollection
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, Logger, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.app.assembly import GatewayAssembly
from gateway.app.build import version
from gateway.app.command_line import Options
from gateway.app.service import StartError
from gateway.engineio.handshake import Peer
from gateway.options import Settings
from gateway.tap import makeService
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.web.certificates import write_certificate

ROOT = Path(__file__).parents[1]
RUNNERS = {
    "twistd -n": ("from twisted.scripts.twistd import run; run()", "-n", "--pidfile="),
    "twistd": ("from twisted.scripts.twistd import run; run()", "--pidfile=twistd.pid"),
    "twist": ("from twisted.application.twist._twist import Twist; Twist.main()",),
}
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


class WholeTests(TestCase):
    """Over real sockets, in this process and without a worker."""

    runner: dict[str, Any] | None = None

    def start(self, **settings: object) -> str:
        """A running gateway's URL."""
        gateway = GatewayAssembly(
            Settings(port=0, no_worker=True, **settings), reactor, self.runner
        ).gateway
        events: list[dict] = []
        globalLogPublisher.addObserver(events.append)
        gateway.startService()
        globalLogPublisher.removeObserver(events.append)
        self.addCleanup(gateway.stopService)
        (said,) = [each["addresses"] for each in events if "addresses" in each]
        return f"http://{said.partition(', ')[0]}"

    async def get(self, url: str) -> tuple[int, bytes]:
        answer = await treq.get(url, persistent=False)
        return answer.code, await answer.content()

    async def test_rest_and_socket_io_are_served(self) -> None:
        url = self.start()
        status, body = await self.get(f"{url}/health")
        self.assertEqual((status, json.loads(body)["pythonRunning"]), (200, False))
        status, body = await self.get(f"{url}/socket.io/?EIO=4&transport=polling")
        self.assertEqual((status, body[:1]), (200, b"0"))
        self.assertEqual(json.loads(body[1:])["pingInterval"], 25000)
        status, body = await self.get(f"{url}/nothing")
        self.assertEqual((status, json.loads(body)["error"]), (404, "Not found"))

    async def test_options_reach_their_layers(self) -> None:
        url = self.start(ping_interval=0.3, max_payload=1000, view_token="let me see")
        _, body = await self.get(f"{url}/socket.io/?EIO=4&transport=polling")
        opened = json.loads(body[1:])
        self.assertEqual((opened["pingInterval"], opened["maxPayload"]), (300, 1000))
        status, _ = await self.get(f"{url}/status")
        self.assertEqual(status, 401)
        answer = await treq.get(
            f"{url}/status", headers={"Authorization": "Bearer let me see"}, persistent=False
        )
        self.assertEqual((answer.code, (await answer.json())["state"]), (200, "disabled"))

    def refused(self, **settings: Any) -> str:
        """The one line that is said instead of starting."""
        said = io.StringIO()
        self.patch(sys, "__stderr__", said)
        said.fileno = lambda: 1  # type: ignore[method-assign]
        gateway = GatewayAssembly(Settings(no_worker=True, **settings), reactor).gateway
        self.assertRaises(StartError, gateway.startService)
        return said.getvalue()

    def test_a_port_in_use_is_said(self) -> None:
        port = int(self.start().rpartition(":")[2])
        self.assertEqual(
            self.refused(port=port),
            f"sjgateway: port {port} on 127.0.0.1 is in use; choose another with --port\n",
        )

    def test_so_when_another_place_is_open_already(self) -> None:
        taken = f"tcp:{self.start().rpartition(':')[2]}:interface=127.0.0.1"
        self.assertIn(taken, self.refused(listen=("tcp:0:interface=127.0.0.1", taken)))

    async def test_a_hangup_reads_certificates_again(self) -> None:
        handlers: dict[int, Any] = {}
        self.patch(signal, "signal", handlers.__setitem__)
        self.patch(reactor, "seconds", reactor.seconds)  # put back at the end
        self.patch(reactor, "addSystemEventTrigger", lambda *given: None)
        self.runner = {"nodaemon": True, "logfile": None, "syslog": False}
        pem = Path(self.mktemp())
        write_certificate(pem, "localhost")
        self.start(listen=(f"ssl:0:interface=127.0.0.1:privateKey={pem}",))
        said: Deferred[str] = Deferred()

        def observe(event: dict) -> None:
            if "certificate" in event.get("log_format", ""):
                said.callback(event["log_format"])

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        handlers[signal.SIGHUP](signal.SIGHUP, None)
        self.assertIn("was read again", await said)


class LimitTests(SynchronousTestCase):
    """Who may send how much, without a worker."""

    def setUp(self) -> None:
        settings = Settings(no_worker=True, token="to control all", state_dir=Path(self.mktemp()))
        self.assembly = GatewayAssembly(settings, MemoryReactorClock())

    def session(self, host: str, *, passed_on: bool = False) -> Any:
        peer = Peer(host, 5000, ("127.0.0.1", 3001), "", passed_on)
        return SimpleNamespace(data=None, peer=peer, query={})

    def test_size(self) -> None:
        session = self.session("127.0.0.1")
        self.assertEqual(self.assembly.access.allowance.limit(session), 1_000_000)
        token = self.assembly.access.guard.token("to control all")
        assert token is not None
        self.assembly.access.worker_sessions.identities.remember(session, token)
        self.assertEqual(self.assembly.access.allowance.limit(session), 16 << 20)

    def test_a_hangup_reads_the_tokens_again(self) -> None:
        file = Path(self.mktemp())
        file.write_text("desk sesame-open control\n")
        settings = Settings(no_worker=True, token_file=file, state_dir=Path(self.mktemp()))
        assembly = GatewayAssembly(settings, MemoryReactorClock())
        file.write_text("desk another-one control\n")
        self.assertIsNone(assembly.access.guard.token("another-one"))
        assembly.reloads()
        self.assertIsNotNone(assembly.access.guard.token("another-one"))
        self.assertIsNone(assembly.access.guard.token("sesame-open"))
        self.assertNotIn("another", assembly.redact("it is another-one"))

    def test_who_is_the_worker_is_asked_of_the_socket(self) -> None:
        """Whatever a proxy announces."""
        asked: list[Any] = []
        senders = self.assembly.access.worker_sessions
        self.patch(senders.connections, "owned", lambda ends: asked.extend(ends) or set())
        peer = Peer("127.0.0.1", 4000, ("127.0.0.1", 3001), "127.0.0.2")
        session: Any = SimpleNamespace(data=None, peer=peer, query={})
        self.assertEqual(senders.owned([session]), [])
        self.assertEqual(asked, [(("127.0.0.1", 3001), ("127.0.0.1", 4000))])

    def test_rate(self) -> None:
        exempt = self.assembly.access.worker_sessions.is_exempt
        self.assertTrue(exempt(self.session("127.0.0.1")))
        self.assertFalse(exempt(self.session("192.0.2.1")))
        self.assertFalse(exempt(self.session("127.0.0.1", passed_on=True)))
        session = self.session("192.0.2.1")
        token = self.assembly.access.guard.token("to control all")
        assert token is not None
        self.assembly.access.worker_sessions.identities.remember(session, token)
        self.assertTrue(exempt(session))


class MakeServiceTests(SynchronousTestCase):
    def refused(self, *arguments: str) -> str:
        """The one line that is said instead of starting."""
        options = Options()
        options.parseOptions(["--port=0", "--state-dir", self.mktemp(), *arguments])
        error = self.assertRaises(SystemExit, makeService, options, MemoryReactorClock())
        line = str(error.code)
        self.assertEqual(line.splitlines(), [line])
        self.assertTrue(line.startswith("sjgateway: "), line)
        return line

    def test_what_a_layer_refuses_is_one_line(self) -> None:
        empty = Path(self.mktemp())
        empty.write_text("\n")
        for arguments, words in [
            (["--allowed-origins", "https://a.example/path"], "is not an origin"),
            (["--allowed-hosts", "a.example:80"], "is not a host name"),
            (["--token-file", str(empty)], "is empty"),
            (["--token-file", "/nowhere/at/all"], "can't be read"),
            (["--namespaces", "chat"], "begin with '/'"),
            (["--ping-interval", "0"], "ping_interval"),
            (["--schedule", "every day"], "every day"),
            (["--timezone", "Mars/Olympus"], "Mars/Olympus"),
            (["--host", "example.com"], "is not an address"),
        ]:
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.refused(*arguments))


class MadeTests(SynchronousTestCase):
    """What is made has done nothing yet."""

    def make(self, **parent: Any) -> tuple[Any, MemoryReactorClock]:
        (self.folder / "main.py").write_text("pass\n")
        reactor = MemoryReactorClock()
        options = Options()
        options.parent = parent or None
        options.parseOptions(
            ["--port=0", f"--state-dir={self.folder}/state", f"--main={self.folder}/main.py"]
        )
        return makeService(options, reactor), reactor

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def process(self) -> list[object]:
        """All that a service must leave alone while it is made."""
        return [
            [signal.getsignal(each) for each in signal.valid_signals()],
            [resource.getrlimit(each) for each in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE)],
            list(globalLogPublisher._observers),
            (sys.stdout, sys.stderr, Path.cwd(), os.umask(os.umask(0o022))),
        ]

    def held(self) -> set[object]:
        """Its threads and open files: those of tests before may end meanwhile.

        A file without a name is of libffi, which opens one when it is first called back.
        """
        files = Path("/proc/self/fd").iterdir()
        links = {(str(each), str(each.readlink())) for each in files if each.is_symlink()}
        named = {link for link in links if not link[1].endswith(" (deleted)")}
        return {*threading.enumerate(), *named}

    def test_no_port_thread_timer_file_or_signal(self) -> None:
        self.make()  # some modules are imported late
        for parent in ({}, {"nodaemon": True, "logfile": None, "syslog": False}):
            before, held = self.process(), self.held()
            gateway, reactor = self.make(**parent)
            self.assertEqual(self.process(), before)
            self.assertEqual(self.held() - held, set())
            self.assertEqual(reactor.getDelayedCalls(), [])
            self.assertEqual((reactor.tcpServers, reactor.unixServers), ([], []))
            self.assertEqual(reactor.triggers, {})
            self.assertEqual(reactor.whenRunningHooks, [])
            self.assertNotIn("seconds", vars(reactor))
            self.assertEqual([each.name for each in self.folder.iterdir()], ["main.py"])
            self.assertFalse(gateway.running)

    def test_one_application_may_have_two(self) -> None:
        """For two accounts, each on a port of its own."""
        application = Application("somebody's")
        guests = [self.make()[0] for _ in range(2)]
        for guest in guests:
            guest.setServiceParent(application)
        self.assertEqual(list(IServiceCollection(application)), guests)

    def test_files_are_looked_at_where_there_may_be_some(self) -> None:
        """So are tokens; but for its memory nothing wakes a gateway that has neither."""
        for listen, token, looks in (
            ((), "", set()),
            (("unix:/tmp/a",), "", {"Looking at the certificates"}),
            ((), "a-token-of-the-test", {"Looking at the tokens"}),
        ):
            settings = Settings(no_worker=True, listen=listen, token=token, state_dir=self.folder)
            names = {each.name for each in GatewayAssembly(settings, MemoryReactorClock()).gateway}
            looks |= {"Looking at the memory"}
            self.assertEqual({each for each in names if each.startswith("Looking")}, looks)

    def test_a_guest_leaves_signals_clock_and_log_alone_for_good(self) -> None:
        own = {"the process of our own"}
        alone, _ = self.make(nodaemon=True, logfile=None, syslog=False)
        guest, _ = self.make()
        names = [{each.name for each in gateway} for gateway in (alone, guest)]
        # Orphans are collected where a process begins with children, as trial's own may.
        self.assertEqual(names[0] - names[1] - {"Collecting orphans"}, own)
        application = Application("somebody's")
        guest.setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), None)


class LogTests(SynchronousTestCase):
    def test_twist_logs_by_our_observer(self) -> None:
        path = Path(self.mktemp())
        assembly = GatewayAssembly(
            Settings(no_worker=True, token="a-secret-token"), MemoryReactorClock()
        )
        with path.open("w") as stream:
            runner = {"logFile": stream, "fileLogObserverFactory": None, "logLevel": None}
            observer = assembly.log_by(runner)
            self.assertIs(runner["fileLogObserverFactory"](stream), observer)
            self.assertEqual(runner["logLevel"], LogLevel.debug)
            log = Logger(namespace="gateway.web", observer=observer)
            log.info("a-secret-token in {a}", a="台積電", tag="Socket")
            log.debug("unheard")
        self.assertTrue(path.read_text().endswith(" [Socket] [redacted] in 台積電\n"))

    def test_json_and_the_level_of_development(self) -> None:
        path = Path(self.mktemp())
        settings = Settings(no_worker=True, dev=True, log_format="json", log_file=path)
        observer = GatewayAssembly(settings, MemoryReactorClock()).log_by({})
        Logger(namespace="gateway.web", observer=observer).debug("heard", tag="Relay")
        line = json.loads(path.read_text())
        self.assertEqual((line["level"], line["tag"]), ("debug", "Relay"))


class RunnerTests(SynchronousTestCase):
    """In processes of their own, as users start them."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.port = free_port()

    def command(self, runner: str, *options: str) -> dict:
        """Arguments for subprocess that start the gateway."""
        script, *own = RUNNERS[runner]
        given = ("sjgateway", f"--port={self.port}", f"--state-dir={self.folder}/state", *options)
        return {
            "args": [sys.executable, "-c", script, *own, *given],
            "cwd": self.folder,
            "env": {**os.environ, "PYTHONPATH": str(ROOT)},
            "text": True,
        }

    def start(self, runner: str, *options: str) -> subprocess.Popen[str]:
        """The gateway, once it answers; its log comes from stdout."""
        process = subprocess.Popen(
            **self.command(runner, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.until(self.answers)
        return process

    def answers(self) -> bytes:
        """The answer to a GET of /health; nothing while it does not listen."""
        try:
            client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        except OSError:
            return b""
        with client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: client.recv(4096), b""))

    def until(self, condition) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it does not come")
            time.sleep(0.02)

    def test_a_port_in_use_is_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            for runner in RUNNERS:
                done = subprocess.run(
                    **self.command(runner), capture_output=True, timeout=PATIENCE, check=False
                )
                self.assertEqual((done.returncode, done.stdout), (1, ""), runner)
                (line,) = done.stderr.splitlines()
                self.assertTrue(
                    line.startswith(f"sjgateway: port {self.port} on 127.0.0.1 is in use"), line
                )
                self.assertIn("choose another with --port", line)
        self.assertFalse((self.folder / "twistd.pid").exists())
        self.assertFalse((self.folder / "twistd.log").exists())

    def test_a_bad_value_is_one_line(self) -> None:
        for runner in RUNNERS:
            done = subprocess.run(
                **self.command(runner, "--log-level=loud"),
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(
                done.stderr,
                "sjgateway: --log-level: 'loud' is none of debug, info, warn, error, critical\n",
            )

    def test_it_logs_by_tags_and_ends_by_its_signal(self) -> None:
        for runner in ("twistd -n", "twist"):
            with self.subTest(runner=runner):
                state = self.folder / runner  # else the log of the one before goes on
                process = self.start(runner, "--no-worker", f"--state-dir={state}")
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual((process.returncode, err), (-signal.SIGTERM, ""))
                self.assertEqual(
                    [line.partition(" ")[2] for line in out.splitlines()],
                    [
                        f"[Gateway] Listening on 127.0.0.1:{self.port}, [::1]:{self.port}",
                        f"[Gateway] This is {version()}",
                        "[Gateway] Only this machine can reach the gateway; "
                        "--host 0.0.0.0 opens it to others. Whoever puts a proxy in front of it "
                        "sets a token: what a proxy passes on may look like this machine's own.",
                        "[Gateway] Stopping",
                    ],
                )

    def test_a_daemon_logs_to_twistds_file(self) -> None:
        done = subprocess.run(
            **self.command("twistd", "--no-worker"),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        pid = int((self.folder / "twistd.pid").read_text())
        self.until(self.answers)
        os.kill(pid, signal.SIGTERM)
        self.until(lambda: not (self.folder / "twistd.pid").exists())
        log = (self.folder / "twistd.log").read_text()
        self.assertIn(f"[Gateway] Listening on 127.0.0.1:{self.port}", log)
        self.assertNotIn("Traceback", log)

    def test_a_second_signal_ends_it_at_once_and_the_port_is_free(self) -> None:
        (self.folder / "main.py").write_text(STUBBORN)
        process = self.start("twistd -n", "--patience-terminate=1", f"--python={sys.executable}")
        assert process.stdout is not None
        while "[Python stdout] ready" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        while "[Gateway] Stopping" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)
        socket.create_server(("127.0.0.1", self.port)).close()

    def test_a_log_that_can_not_be_written_is_one_line(self) -> None:
        done = subprocess.run(
            **self.command("twistd -n", "--no-worker", "--log-file=/nowhere/at/all"),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        (line,) = done.stderr.splitlines()
        self.assertTrue(line.startswith("sjgateway: ") and "/nowhere/at/all" in line, line)

    def test_it_lives_without_anybody_who_reads_its_log(self) -> None:
        process = self.start("twistd -n", "--no-worker")
        assert process.stdout is not None
        process.stdout.close()
        self.assertIn(b"200 OK", self.answers())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGTERM)
