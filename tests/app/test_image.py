"""The command of this process, its check in a child, and its replacement."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.app import image as module
from gateway.app.image import CHECK_SECONDS, FAILURE, WAITING, Image, signals_wait
from gateway.contract import HandOverError
from gateway.ops.doctor.finding import Level
from gateway.web.http.held import VARIABLE, Held
from tests.worker.real import alive, soon

FOREGROUND: dict[str, Any] = {"nodaemon": True, "logfile": None}
DAEMON: dict[str, Any] = {"nodaemon": False, "logfile": None}


def image(*words: str, runner: dict[str, Any] = FOREGROUND, given: int = 1) -> Image:
    """An image of the command `words`, of which the last are the program's own arguments."""
    arguments = words[len(words) - given :]
    return Image(runner, Path.cwd(), words, ("the program", *arguments))


class CommandTests(SynchronousTestCase):
    def test_it_is_the_command_of_the_start(self) -> None:
        found = image("python3", "-X", "dev", "/bin/twistd", "-n", "sjgateway", given=2).command()
        self.assertEqual(found, [sys.executable, "-X", "dev", "/bin/twistd", "-n", "sjgateway"])

    def test_a_daemon_does_not_become_one_again_and_keeps_its_log(self) -> None:
        found = image("python3", "/bin/twistd", "sjgateway", runner=DAEMON).command()
        more = ["--nodaemon", "--logfile=twistd.log"]
        self.assertEqual(found, [sys.executable, "/bin/twistd", *more, "sjgateway"])
        named = {**DAEMON, "logfile": "mine.log"}
        found = image("python3", "/bin/twistd", "sjgateway", runner=named).command()
        self.assertEqual(found, [sys.executable, "/bin/twistd", "--nodaemon", "sjgateway"])

    def test_without_arguments(self) -> None:
        self.assertEqual(image("python3", "/bin/run", given=0).command()[1:], ["/bin/run"])

    def test_a_command_that_is_not_known(self) -> None:
        for words in (["python3", "/bin/other", "x"], []):
            unknown = Image(FOREGROUND, None, words, ["/bin/twistd", "-n", "sjgateway"])
            self.assertRaises(HandOverError, unknown.command)

    def test_in_another_application_there_is_none(self) -> None:
        self.assertIsNone(Image.of(None, None))


class Watching:
    """The reactor, which fires `ended` when a process that it started is gone."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.callLater = reactor.callLater  # type: ignore[attr-defined]

    def spawnProcess(self, protocol: Any, *words: Any, **more: Any) -> None:
        end = protocol.processEnded

        def ended(reason: Any) -> None:
            end(reason)
            self.ended.callback(None)

        protocol.processEnded = ended
        reactor.spawnProcess(protocol, *words, **more)  # type: ignore[attr-defined]


class CheckTests(TestCase):
    """A real child, which is Python itself: `--check` is its last argument."""

    def check(self, script: str, clock: Any = reactor) -> Any:
        asked = image("python3", "-c", script, given=0)
        return asked.check(clock, [("127.0.0.1", 7)], has_worker=False)

    async def test_it_passes_and_is_told_which_places_are_held(self) -> None:
        told = Held(os.getpid(), (("127.0.0.1", 7),), has_worker=False).text
        await self.check(
            f"import os, sys; sys.exit(not (sys.argv[1:] == ['--check']"
            f" and os.environ[{VARIABLE!r}] == {told!r} and os.getcwd() == {str(Path.cwd())!r}))"
        )

    async def test_what_fails_is_told_with_what_to_do(self) -> None:
        said = "ok    python: 3\\nfail  port: it is taken\\n      -> stop it\\nwarn  keys: none"
        script = f"print('{said}\\n      -> give some'); raise SystemExit(1)"
        error = await self.assertFailure(self.check(script), HandOverError)
        self.assertEqual(error.details, "port: it is taken (stop it)")
        self.assertEqual(FAILURE, Level.FAIL.value)

    async def test_code_that_can_not_even_be_imported(self) -> None:
        error = await self.assertFailure(self.check("import no_such_module"), HandOverError)
        where = 'File "<string>", line 1, in <module>'
        wrong = "ModuleNotFoundError: No module named 'no_such_module'"
        self.assertEqual(error.details, f"{wrong} ({where})")

    async def test_one_that_says_nothing(self) -> None:
        error = await self.assertFailure(
            self.check("import os; os.kill(os.getpid(), 9)"), HandOverError
        )
        self.assertIn("signal 9", error.details)

    async def test_one_that_takes_too_long_is_ended(self) -> None:
        self.patch(module, "CHECK_SECONDS", 0.2)
        watching = Watching()
        checking = self.check("import time; time.sleep(60)", watching)
        error = await self.assertFailure(checking, HandOverError)
        self.assertIn("took more than", error.details)
        await watching.ended

    async def test_a_gateway_that_stops_ends_it(self) -> None:
        watching = Watching()
        checking = self.check("import time; time.sleep(60)", watching)
        checking.cancel()
        await self.assertFailure(checking, CancelledError)
        await watching.ended

    async def test_so_do_the_pythons_that_it_asks(self) -> None:
        note = Path(self.mktemp()).absolute()  # noqa: ASYNC240
        script = (
            "import os, subprocess; os.setpgid(0, 0);"
            " asked = subprocess.Popen(['sleep', '600']);"
            f" print(asked.pid, file=open({str(note)!r}, 'w'), flush=True); asked.wait()"
        )
        watching = Watching()
        checking = self.check(script, watching)
        await soon(lambda: note.exists() and note.read_text().endswith("\n"))
        checking.cancel()
        await self.assertFailure(checking, CancelledError)
        await watching.ended
        await soon(lambda: not alive(int(note.read_text())))

    def test_a_machine_that_has_no_room_for_it(self) -> None:
        class NoProcesses(Clock):
            def spawnProcess(self, *_: Any, **__: Any) -> None:
                raise OSError(12, "no memory")

        self.assertRaises(HandOverError, self.check, "", NoProcesses())
        self.assertGreater(CHECK_SECONDS, 30)


class ReplaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls: list[Any] = []
        self.patch(os, "execve", self.exec)
        self.read, self.write = os.pipe()
        self.addCleanup(os.close, self.read)
        self.addCleanup(os.close, self.write)
        self.folder = Path.cwd()

    def exec(self, program: str, words: list[str], environ: dict[str, str]) -> None:
        self.calls.append((program, words, Held.told(environ), Path.cwd()))
        self.calls.append((os.get_inheritable(self.read), signal.getsignal(signal.SIGHUP)))
        raise OSError(2, "gone")

    def test_sockets_stay_open_and_all_is_as_before_where_it_fails(self) -> None:
        start = Path(self.mktemp())
        start.mkdir()
        replaced = Image(FOREGROUND, start.absolute(), ["python3", "twistd"], ["twistd"])
        self.assertRaises(OSError, replaced.replace, [("a", self.read)])
        (program, words, held, folder), (inheritable, _) = self.calls
        self.assertEqual((program, words), (sys.executable, [sys.executable, "twistd"]))
        self.assertEqual(held, Held(os.getpid(), (("a", self.read),)))
        self.assertEqual((folder, inheritable), (start.absolute(), True))
        self.assertFalse(os.get_inheritable(self.read))
        self.assertEqual(Path.cwd(), self.folder)
        self.assertNotIn(VARIABLE, os.environ)

    def test_what_nohup_ignores_is_ignored_by_the_next_program(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        replaced = Image(FOREGROUND, None, ["python3", "twistd"], ["twistd"])
        signal.signal(signal.SIGHUP, lambda *_: None)
        self.assertRaises(OSError, replaced.replace, [])
        self.assertEqual(self.calls[1][1], signal.SIG_IGN)


class SignalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[int] = []
        for number in WAITING:
            before = signal.signal(number, lambda number, _: self.heard.append(number))
            self.addCleanup(signal.signal, number, before)

    def test_they_wait_until_the_end(self) -> None:
        with signals_wait() as came:
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            self.assertEqual((came, self.heard), ([], []))
            self.assertIn(signal.SIGTERM, signal.sigpending())
        self.assertEqual(self.heard, [signal.SIGTERM])

    def test_one_that_another_thread_took_is_seen_and_comes_again(self) -> None:
        with signals_wait() as came:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.kill(os.getpid(), signal.SIGTERM)
            self.assertEqual((came, self.heard), ([signal.SIGTERM], []))
        self.assertEqual(self.heard, [signal.SIGTERM])

    def test_what_is_ignored_stays_so(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with signals_wait():
            self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)
