"""A guardian's door from outside: what is made, asked, believed and refused."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.system.linux import Linux
from gateway.worker.process import door
from gateway.worker.process.claim import Claim
from gateway.worker.process.door import RefusedError, ask, listen
from gateway.worker.process.guarding.words import DOOR, LOCK, VERSION
from tests.descriptors import links

GIVEN = {"argv": ["python"], "env": {"API_KEY": "secret"}}
ANSWER = {
    "version": VERSION,
    "pid": 5,
    "given": GIVEN,
    "note": {"n": 1},
    "age": 2.5,
    "reports": ["started 6"],
    "output": [[1, "words"]],
    "dropped": 0,
}


class AskTests(TestCase):
    """What is asked of a guardian that the test plays."""

    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute() / ("long" * 40)
        folder.mkdir(parents=True)
        self.path = folder / "name.guardian"
        self.door = listen(self.path)
        self.addCleanup(self.door.close)

    def answer(self, line: bytes, descriptors: int = 4) -> socket.socket:
        """The guardian answers its next visitor."""
        visitor, _ = self.door.accept()
        self.addCleanup(visitor.close)
        self.asked = json.loads(visitor.recv(9999))
        with Path(os.devnull).open("rb") as null:
            socket.send_fds(visitor, [line], [null.fileno()] * descriptors)
        return visitor

    def assert_nothing_left(self, before: list[str]) -> None:
        """Nothing is open that was not before."""
        self.assertEqual(Counter(links()) - Counter(before), Counter())

    async def test_a_worker_is_handed_over_at_a_long_path(self) -> None:
        self.assertGreater(len(bytes(self.path)), 107)
        answer = ask(reactor, self.path, {"program": "p"})
        self.answer(json.dumps(ANSWER).encode() + b"\n")
        self.assertEqual(self.asked, {"version": VERSION, "identity": {"program": "p"}})
        handed = await answer
        self.addCleanup(handed.close)
        self.assertEqual((handed.pid, handed.worker, handed.age), (5, 6, 2.5))
        self.assertEqual(handed.gone, 0, "guardians of before do not tell it")
        self.assertEqual((handed.given, handed.note), (GIVEN, {"n": 1}))
        self.assertEqual(handed.output, [(1, "words")])
        self.assertEqual([os.get_inheritable(each) for each in handed.descriptors], [False] * 4)
        self.assertNotIn("secret", repr(handed))

    async def test_a_refusal_says_what_differs(self) -> None:
        answer = ask(reactor, self.path, {})
        refusal = {"version": VERSION, "refused": ["environment", "main.py"]}
        self.answer(json.dumps(refusal).encode() + b"\n", 0)
        error = await self.assertFailure(answer, RefusedError)
        self.assertEqual(str(error), "another environment and another main.py")

    async def test_a_worker_that_ends_is_refused_but_its_keys_are_told(self) -> None:
        answer = ask(reactor, self.path, {})
        refusal = {"version": VERSION, "refused": [], "given": GIVEN, "note": {"n": 1}}
        self.answer(json.dumps(refusal).encode() + b"\n", 0)
        error: Any = await self.assertFailure(answer, RefusedError)
        self.assertEqual(
            (str(error), error.given, error.note), ("it is being ended", GIVEN, {"n": 1})
        )

    async def test_nonsense_is_refused_and_leaves_no_descriptor(self) -> None:
        await deferLater(reactor, 0)  # which has all its own by then
        before = links()
        for nonsense, error in (
            (b"x\n", ValueError),
            (b"[]\n", ValueError),
            (b"{}\n", RefusedError),
            (json.dumps({**ANSWER, "version": VERSION + 1}).encode() + b"\n", RefusedError),
            (json.dumps({**ANSWER, "reports": []}).encode() + b"\n", ValueError),
            (json.dumps({**ANSWER, "reports": ["failed 2"]}).encode() + b"\n", ValueError),
            (b'{"pid": ', ConnectionResetError),
        ):
            answer = ask(reactor, self.path, {})
            self.answer(nonsense).close()
            await self.assertFailure(answer, error)
        self.assert_nothing_left(before)

    async def test_where_there_is_no_room_for_descriptors_it_may_be_asked_again(self) -> None:
        """As where our own are used up, the kernel keeps what it can't give."""
        await deferLater(reactor, 0)
        before = links()
        answer = ask(reactor, self.path, {})
        self.answer(json.dumps(ANSWER).encode() + b"\n", 5).close()
        error = await self.assertFailure(answer, OSError)
        self.assertEqual(error.errno, errno.EMFILE)
        self.assert_nothing_left(before)

    async def test_a_guardian_that_does_not_answer_is_not_waited_for(self) -> None:
        with mock.patch.object(door, "ANSWER_TIMEOUT", 0.05):
            answer = ask(reactor, self.path, {})
        await self.assertFailure(answer, TimeoutError)
        answer = ask(reactor, self.path, {})
        answer.cancel()
        await self.assertFailure(answer, CancelledError)

    async def test_an_answer_without_end_is_refused(self) -> None:
        with mock.patch.object(door, "MAX_ANSWER", 10):
            answer = ask(reactor, self.path, {})
            self.answer(b"x" * 20)
            await self.assertFailure(answer, ValueError)

    def test_where_nobody_is(self) -> None:
        before = links()
        self.door.close()
        self.assertRaises(ConnectionRefusedError, ask, reactor, self.path, {})
        self.path.unlink()
        self.assertRaises(FileNotFoundError, ask, reactor, self.path, {})
        self.assert_nothing_left(before)


class DoorTests(SynchronousTestCase):
    """The door that is made for a guardian."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.alerts: list[str] = []

    def claim(self) -> Claim:
        run = "main.py 3001"
        made = Claim(self.folder, lambda: run, self.alerts.append, system=Linux(), keeps=True)
        self.addCleanup(made.give_up)
        self.assertTrue(made.free)
        return made

    def test_only_the_own_user_may_open_it(self) -> None:
        claim = self.claim()
        previous = os.umask(0)
        self.addCleanup(os.umask, previous)
        self.assertEqual(sorted(claim.descriptors), [LOCK, DOOR])
        mode = claim.door.stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_one_that_is_left_there_is_replaced(self) -> None:
        claim = self.claim()
        claim.door.touch()
        self.assertIn(DOOR, claim.descriptors)

    def test_what_is_not_ours_stays_and_is_told_once(self) -> None:
        claim = self.claim()
        claim.door.mkdir()
        for _ in range(2):
            self.assertEqual(list(claim.descriptors), [LOCK])
        (alert,) = self.alerts
        self.assertIn(str(claim.door), alert)
        claim.door.rmdir()
        self.assertIn(DOOR, claim.descriptors)

    def test_a_full_disk_costs_the_door_and_not_the_start(self) -> None:
        claim = self.claim()
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch("gateway.worker.process.claim.listen", side_effect=full):
            self.assertEqual(list(claim.descriptors), [LOCK])
        self.assertIn("No space left", self.alerts[0])
