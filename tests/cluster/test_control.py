"""The worker of the cluster, from a gateway that has it and from one that has not."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.control import ClusterControl, Place
from gateway.cluster.seal import Seal
from gateway.cluster.shown import PATIENCE, Shown
from gateway.common.credentials import Credentials, CredentialsError
from gateway.contract import HeldError, NotReadyError, PausedError, WorkerError
from tests.cluster.links import NAMES, FakeRedis
from tests.cluster.test_mail import KEY, Office

KEYS = Credentials("the-key", "the-secret", "ca.pfx", "the-password")


class OwnControl:
    """The control of one gateway."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = self.ready = True
        self.lines = ["one", "two"]
        self.log_position = 2
        self.asked: list[object] = []
        self.error: Exception | None = None

    def readiness(self) -> dict[str, object]:
        return {"reason": f"the worker of {self.name} is ready"}

    def health(self) -> dict[str, object]:
        return {"state": "running", "restarts": 1}

    def status(self) -> dict[str, object]:
        return {"state": "running", "pid": 5, "running": True}

    def log_tail(self, lines: int) -> list[str]:
        return self.lines[-lines:]

    def _do(self, *asked: object, **how: object) -> Deferred[object]:
        self.asked.append((*asked, how))
        if self.error is not None:
            raise self.error
        return succeed({"newPid": 7})

    def restart(self, **how: object) -> Deferred[object]:
        return self._do("restart", **how)

    def start_worker(self) -> Deferred[object]:
        return self._do("start")

    def stop_worker(self) -> Deferred[object]:
        return self._do("stop")

    def set_credentials(self, keys: Credentials, **how: object) -> Deferred[object]:
        return self._do("keys", keys, **how)


class Gateway:
    """One with the cluster's control."""

    def __init__(self, name: str, redis: FakeRedis, clock: Clock) -> None:
        self.office = Office(name, redis, clock)
        self.own = OwnControl(name)
        self.leads = False
        self.holder = "a"
        self.shown = Shown(
            self.office.link,
            NAMES,
            Seal(KEY),
            self.own,
            gateway=name,
            leads=lambda: self.leads,
            why=lambda: "nobody has it",
            clock=clock.seconds,
        )
        place = Place(lambda: self.leads, lambda: self.holder, lambda: "nobody has it")
        self.control = ClusterControl(self.own, place, self.shown, self.office.questions)


class ControlTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.redis, self.clock = FakeRedis(), Clock()
        self.a, self.b = (Gateway(name, self.redis, self.clock) for name in "ab")
        self.a.leads = True

    def look(self, *gateways: Gateway) -> None:
        for each in gateways or (self.a, self.b):
            each.shown.look()
        self.clock.advance(1)

    def fetch(self) -> None:
        for each in (self.a, self.b):
            each.office.fetch()

    def test_all_gateways_tell_the_same(self) -> None:
        self.look()
        a, b = self.a.control, self.b.control
        for what in ("running", "ready", "log_position"):
            self.assertEqual(getattr(a, what), getattr(b, what), what)
        for told in ("readiness", "health", "status"):
            self.assertEqual(getattr(a, told)(), getattr(b, told)(), told)
        for lines in (1, 9):
            self.assertEqual(a.log_tail(lines), b.log_tail(lines))

    def test_lines_are_fetched_when_there_are_new_ones(self) -> None:
        self.look()
        self.b.office.link.asked.clear()
        self.look()
        self.assertEqual(len(self.b.office.link.asked), 1)
        self.a.own.lines.append("three")
        self.a.own.log_position += 1
        self.look()
        self.assertEqual(self.b.control.log_tail(9), ["one", "two", "three"])

    def test_nothing_can_be_read_in_redis(self) -> None:
        self.look()
        self.assertNotIn(b"two", b"".join(self.redis.texts.values()))
        self.redis.texts[NAMES.state] = Seal(b"x" * 32).close(b"", NAMES.state)
        self.look(self.b)
        self.assertTrue(self.b.control.running)

    def test_when_nobody_tells_anything_it_is_not_known_how_the_worker_is(self) -> None:
        self.look()
        for _ in range(int(PATIENCE) + 1):
            self.look(self.b)
        self.assertEqual((self.b.control.running, self.b.control.ready), (False, False))
        self.assertIn("nobody has it", self.b.control.readiness()["reason"])
        self.assertEqual(self.b.control.health(), {"state": "unknown"})
        self.assertEqual(self.b.control.status()["state"], "unknown")
        self.look()
        self.assertTrue(self.b.control.running)

    def test_a_change_is_made_where_the_worker_is(self) -> None:
        control = self.b.control
        for ask, made in (
            (lambda: control.restart(force=True), ("restart", {"force": True})),
            (control.start_worker, ("start", {})),
            (control.stop_worker, ("stop", {})),
            (
                lambda: control.set_credentials(KEYS, wait_ready=True),
                ("keys", KEYS, {"wait_ready": True}),
            ),
        ):
            answer = ask()
            self.fetch()
            self.fetch()
            self.assertEqual(self.successResultOf(answer), {"newPid": 7})
            self.assertEqual(self.a.own.asked.pop(), made)
        self.assertEqual(self.b.own.asked, [])
        self.assertNotIn(b"the-secret", str(self.redis.streams).encode())

    def test_one_is_made_here_where_the_worker_is_here(self) -> None:
        self.assertEqual(self.successResultOf(self.a.control.restart()), {"newPid": 7})

    def test_errors_are_told_as_what_they_are(self) -> None:
        for error in (
            HeldError("No worker can be started now", "today's budget is spent", "2026-11-30"),
            PausedError.until("a pause", "2026-11-30"),
            NotReadyError("not ready", "why"),
            WorkerError("message", "details"),
            CredentialsError("caCertPath", "There is no such file"),
        ):
            self.a.own.error = error
            answer = self.b.control.restart()
            self.fetch()
            self.fetch()
            found = self.failureResultOf(answer).value
            self.assertIs(type(found), type(error))
            self.assertEqual(attrs.asdict(found), attrs.asdict(error))

    def test_a_fault_there_is_logged_there(self) -> None:
        self.a.own.error = ZeroDivisionError()
        answer = self.b.control.restart()
        self.fetch()
        self.fetch()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.failureResultOf(answer, WorkerError)

    def test_when_nobody_has_the_worker_that_is_said(self) -> None:
        self.b.holder = ""
        error = self.assertRaises(WorkerError, self.b.control.restart)
        self.assertEqual(error.details, "nobody has it")

    def test_a_gateway_that_has_it_no_more_changes_nothing(self) -> None:
        self.a.leads = False
        answer = self.b.control.restart()
        self.fetch()
        self.fetch()
        self.failureResultOf(answer, WorkerError)
        self.assertEqual(self.a.own.asked, [])

    def test_nothing_else_can_be_called(self) -> None:
        for method in ("status", "__init__", "_do"):
            asked = SimpleNamespace(value={"method": method, "keys": None, "how": {}})
            told = self.successResultOf(self.a.control._asked("b", asked.value))
            self.assertEqual(told["error"], "WorkerError")

    def test_a_gateway_that_ends_in_the_middle_is_told_of(self) -> None:
        answer = self.b.control.restart()
        self.b.office.questions.gone("a")
        error = self.failureResultOf(answer, WorkerError).value
        self.assertIn("gateway a is gone", error.details)
