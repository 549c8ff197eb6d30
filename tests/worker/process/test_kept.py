"""A guardian keeps its worker for the next gateway; spoken to by its descriptors and its door."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.guarding.printed import KEPT_OUTPUT, PIECE, PIECE_COST
from gateway.worker.process.guarding.words import VERSION, now
from tests.patience import PATIENCE
from tests.system.this import linux_only
from tests.worker.real import alive

from .test_guardian import Guarded

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = json.dumps({"version": VERSION, "identity": {"program": "p"}}).encode()
WORKER = """
import os, sys
orders = os.fdopen(os.open(sys.argv[1], os.O_RDWR))
os.write(1, b"ready\\n")
try:
    for line in iter(orders.readline, ""):
        exec(line)
except KeyboardInterrupt:
    open(sys.argv[1] + ".over", "w")
"""
"""A worker that does what it is told through a named pipe."""


class Taken:
    """What came through the door: the answer, and the four descriptors."""

    def __init__(self, answer: dict[str, Any], descriptors: list[int]) -> None:
        self.answer = answer
        self.descriptors = descriptors
        if descriptors:
            self.lifeline, self.output, self.errors, self.reports = descriptors

    def say(self, line: str) -> None:
        os.write(self.lifeline, line.encode() + b"\n")

    def rest(self) -> list[str]:
        """All reports until the guardian is gone."""
        with os.fdopen(os.dup(self.reports)) as reports:
            return reports.read().splitlines()

    def close(self) -> None:
        while self.descriptors:
            os.close(self.descriptors.pop())


@linux_only
class KeptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.lock = self.folder / "lock"
        self.address = os.path.relpath(self.folder / "door")
        self.orders = self.folder / "orders"
        os.mkfifo(self.orders)

    def guarded(self, **changes: Any) -> Guarded:
        """A guardian whose worker has begun."""
        lock = os.open(self.lock, os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(self.address)
            door.listen(4)
            errors, worker_errors = os.pipe()
            guarded = Guarded(lock, door.fileno(), errors=worker_errors)
        for descriptor in (lock, errors, worker_errors):
            os.close(descriptor)
        self.addCleanup(guarded.close)
        given = {"keep": 999, "identity": {"program": "p"}, "note": {"n": 1}}
        given["patience"] = [20, 9, 9]
        given["argv"] = [sys.executable, "-u", "-c", WORKER, str(self.orders)]
        guarded.start("", **{**given, **changes})
        self.worker = int(guarded.report().split()[1])
        self.assertEqual(guarded.report(), f"started {self.worker}")
        self.assertEqual(os.read(guarded.output, 10), b"ready\n")
        return guarded

    def order(self, line: str) -> None:
        with self.orders.open("w") as orders:
            orders.write(line + "\n")

    def kill_the_gateway(self, guarded: Guarded) -> None:
        guarded.process.stdin.close()
        guarded.reports.close()
        os.close(guarded.output)
        guarded.output = os.open(os.devnull, os.O_RDONLY)

    def visit(self) -> socket.socket:
        visitor = socket.socket(socket.AF_UNIX)
        self.addCleanup(visitor.close)
        visitor.settimeout(PATIENCE)
        visitor.connect(self.address)
        return visitor

    def ask(self, question: bytes = QUESTION) -> Taken:
        """Come to the door."""
        with self.visit() as visitor:
            visitor.sendall(question)
            data, descriptors = b"", []
            while not data.endswith(b"\n"):
                part, rights, _, _ = visitor.recvmsg(65536, socket.CMSG_SPACE(64))
                for _, _, given in rights:
                    descriptors += struct.unpack(f"{len(given) // 4}i", given)
                if not part:
                    break
                data += part
        taken = Taken(json.loads(data or b"{}"), descriptors)
        self.addCleanup(taken.close)
        return taken

    def looked(self) -> dict[str, Any]:
        """What one is told who goes before it says that it has the worker."""
        taken = self.ask()
        taken.close()
        return taken.answer

    def wait_until(self, condition: Callable[[], bool]) -> None:
        for _ in range(100 * PATIENCE):
            if condition():
                return
            time.sleep(0.01)
        self.fail("it never came")

    def adopted(self) -> Taken:
        taken = self.ask()
        taken.say("adopted")
        return taken

    def is_free(self) -> bool:
        with self.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def test_a_worker_is_handed_over_as_if_just_started(self) -> None:
        until = now() + 1000
        guarded = self.guarded(env={"KEY": "secret"}, lease={"until": until, "patience": [9, 9, 1]})
        guarded.say('note {"n": 2}')
        guarded.say("patience 0.1 0.1 0.1")
        self.kill_the_gateway(guarded)
        taken = self.adopted()
        answer = taken.answer
        self.assertEqual(answer["given"]["env"], {"KEY": "secret"})
        self.assertEqual(answer["note"], {"n": 2})
        self.assertEqual(answer["lease"], until)
        self.assertEqual(answer["pid"], guarded.process.pid)
        self.assertEqual(answer["reports"], [f"started {self.worker}"])
        self.assertEqual((answer["output"], answer["dropped"]), ([], 0))
        self.assertGreater(answer["age"], 0)
        self.assertEqual(answer["gone"], 0)
        self.order("os.write(1, b'hello\\n')")
        select.select([taken.output], [], [], PATIENCE)
        self.assertEqual(os.read(taken.output, 100), b"hello\n")
        taken.say("stop")
        self.assertEqual(taken.rest()[0], "sent SIGINT")
        self.assertFalse(alive(self.worker))

    def test_it_is_kept_again_when_the_next_gateway_dies_too(self) -> None:
        self.kill_the_gateway(self.guarded())
        for _ in range(3):
            self.adopted().close()
        self.assertTrue(alive(self.worker))

    def test_what_it_prints_meanwhile_is_told_until_somebody_has_it(self) -> None:
        self.kill_the_gateway(self.guarded())
        self.order("os.write(1, b'one\\n'); os.write(2, b'\\xff')")
        told = [[1, "one\n"], [2, "\xff"]]
        self.wait_until(lambda: sorted(self.looked()["output"]) == told)
        self.adopted().close()
        self.assertEqual(self.looked()["output"], [])

    def test_of_much_output_the_newest_is_kept(self) -> None:
        self.kill_the_gateway(self.guarded())
        size = 3 * KEPT_OUTPUT
        self.order(f"os.write(1, b'x' * {size} + b'last'); os.write(2, b'done')")
        self.wait_until(lambda: self.looked()["output"][-1:] == [[2, "done"]])
        told = self.looked()
        kept = "".join(text for output, text in told["output"] if output == 1)
        self.assertTrue(kept.endswith("xlast"))
        self.assertLessEqual(len(kept), KEPT_OUTPUT)
        self.assertEqual(len(kept) + told["dropped"], size + 4)

    def test_many_small_writes_cost_no_more_than_a_large_one(self) -> None:
        self.kill_the_gateway(self.guarded())
        self.order("for _ in range(20_000): os.write(1, b'x')")
        self.order("for n in range(20_000): os.write(1 + n % 2, b'y')")
        self.order("os.write(2, b'done')")
        self.wait_until(lambda: "done" in str(self.looked()["output"][-1:]))
        told = self.looked()
        self.assertEqual(sum(len(text) for _, text in told["output"]) + told["dropped"], 40_004)
        self.assertLessEqual(len(told["output"]), KEPT_OUTPUT // PIECE_COST)
        firsts = [text for _, text in told["output"] if text.startswith("x")]
        self.assertLessEqual(len(firsts), 20_000 // PIECE + 1)

    def test_an_exit_meanwhile_is_told_to_the_next_gateway(self) -> None:
        guarded = self.guarded()
        self.kill_the_gateway(guarded)
        self.order("os.write(1, b'last words\\n'); sys.exit(3)")
        reports = [f"started {self.worker}", f"exited {3 << 8}"]
        self.wait_until(lambda: self.looked()["reports"] == reports)
        before = self.looked()
        taken = self.adopted()
        self.assertEqual(taken.answer["age"], before["age"], "its life is over")
        self.assertGreater(taken.answer["gone"], before["gone"])
        self.assertEqual(taken.answer["reports"], reports)
        self.assertEqual(taken.answer["output"], [[1, "last words\n"]])
        self.assertEqual(taken.rest(), [])
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())

    def test_a_worker_that_nobody_wants_is_ended_politely(self) -> None:
        guarded = self.guarded(keep=0.2)
        self.kill_the_gateway(guarded)
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())
        self.assertTrue(Path(f"{self.orders}.over").exists())

    def test_a_lease_ends_a_worker_that_is_kept(self) -> None:
        lease = {"until": now() + 1000, "patience": [PATIENCE, 5, 1]}
        guarded = self.guarded(keep=1000, lease=lease)
        guarded.say(f"lease {now() + PATIENCE + 6.5}")
        self.kill_the_gateway(guarded)
        guarded.process.wait(PATIENCE)
        self.assertTrue(Path(f"{self.orders}.over").exists())

    def test_a_worker_that_is_ending_is_nobodys_but_its_keys_are_known(self) -> None:
        """Also when it is gone: the next gateway takes some time to start."""
        guarded = self.guarded(env={"KEY": "secret"})
        guarded.process.send_signal(signal.SIGSTOP)
        guarded.say("stop")
        self.kill_the_gateway(guarded)
        guarded.process.send_signal(signal.SIGCONT)
        self.wait_until(lambda: not alive(self.worker))
        self.assertFalse(self.is_free())
        taken = self.ask()
        self.assertEqual(taken.descriptors, [])
        self.assertEqual(taken.answer["refused"], [])
        self.assertEqual(taken.answer["given"]["env"], {"KEY": "secret"})
        self.assertEqual(taken.answer["note"], {"n": 1})
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())
        self.assertRaises(ConnectionRefusedError, self.ask)

    def test_nobody_comes_for_the_keys(self) -> None:
        guarded = self.guarded(keep=0.2)
        guarded.say("stop")
        self.kill_the_gateway(guarded)
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())

    def test_who_takes_a_worker_over_and_ends_it_is_not_waited_for(self) -> None:
        guarded = self.guarded()
        self.kill_the_gateway(guarded)
        taken = self.ask()
        taken.say("keep 0")
        taken.say("stop")
        taken.close()
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())

    def test_signals_end_a_kept_worker(self) -> None:
        guarded = self.guarded()
        self.kill_the_gateway(guarded)
        guarded.process.terminate()
        guarded.process.wait(PATIENCE)
        self.assertTrue(self.is_free())

    def test_nobody_is_answered_while_there_is_a_gateway(self) -> None:
        """Who comes too early is answered when the gateway has gone."""
        guarded = self.guarded()
        with self.visit() as visitor:
            visitor.sendall(QUESTION)
            visitor.settimeout(0.3)
            self.assertRaises(TimeoutError, visitor.recv, 1)
            self.kill_the_gateway(guarded)
            visitor.settimeout(PATIENCE)
            self.assertEqual(visitor.recv(1), b"{")

    def test_who_would_run_something_else_gets_no_worker(self) -> None:
        for question, refused in (
            ({"version": VERSION, "identity": {"program": "q"}}, ["program"]),
            ({"version": VERSION, "identity": {"program": "p", "more": ""}}, ["more"]),
            ({"version": VERSION + 1, "anything": 1}, ["version"]),
        ):
            with self.subTest(refused=refused):
                guarded = self.guarded()
                self.kill_the_gateway(guarded)
                taken = self.ask(json.dumps(question).encode())
                self.assertEqual(taken.answer["refused"], refused)
                more = set() if refused == ["version"] else {"given", "note"}
                told = {"version", "refused", *more}
                self.assertEqual(set(taken.answer), told)
                self.assertEqual(taken.descriptors, [])
                guarded.process.wait(PATIENCE)
                self.assertTrue(self.is_free())
                (self.folder / "door").unlink()

    def test_who_talks_nonsense_harms_nobody(self) -> None:
        self.kill_the_gateway(self.guarded())
        for nonsense in (b"x", b"[]", b"{}", b"[" * 9000, b'{"version": 1, "identity": 1}'):
            self.assertEqual(self.ask(nonsense).answer, {})
        self.visit().close()
        self.assertTrue(alive(self.worker))
        self.assertEqual(self.looked()["reports"], [f"started {self.worker}"])

    def test_who_does_not_take_what_it_asked_for_harms_nobody(self) -> None:
        self.kill_the_gateway(self.guarded())
        self.order("os.write(1, b'x' * 200_000); os.write(2, b'done')")
        self.wait_until(lambda: self.looked()["output"][-1:] == [[2, "done"]])
        for said in (QUESTION, b"", QUESTION):
            with self.visit() as visitor:
                visitor.sendall(said)
                visitor.recv(1) if said else None
        self.assertEqual(self.looked()["output"][-1], [2, "done"])

    def test_another_user_gets_nothing(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("needs root, to become somebody else")
        self.kill_the_gateway(self.guarded())
        place = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, place)
        place.chmod(0o755)
        (self.folder / "door").chmod(0o777)
        (self.folder / "door").rename(place / "door")
        self.address = str(place / "door")
        program = (
            "import os, socket, sys; os.setuid(10001); s = socket.socket(socket.AF_UNIX);"
            "s.connect(sys.argv[1])\n"
            "try: s.sendall(sys.argv[2].encode()); print(s.recv(1))\n"
            "except (BrokenPipeError, ConnectionResetError): print(b'')"
        )
        stranger = subprocess.run(
            [sys.executable, "-c", program, self.address, QUESTION.decode()],
            check=False,
            capture_output=True,
            text=True,
        )
        self.assertEqual(stranger.stdout, "b''\n", stranger.stderr)
        self.assertTrue(alive(self.worker))
        self.assertEqual(self.looked()["reports"], [f"started {self.worker}"])

    def test_a_worker_that_can_not_be_found_is_not_kept(self) -> None:
        """Without the lock's file the next gateway would not wait for it."""
        for early in (True, False):
            with self.subTest(early=early):
                guarded = self.guarded()
                if early:
                    shutil.rmtree(self.folder)
                self.kill_the_gateway(guarded)
                if not early:
                    self.assertTrue(self.looked())
                    shutil.rmtree(self.folder)
                guarded.process.wait(PATIENCE)
                self.folder.mkdir()
                os.mkfifo(self.orders)
