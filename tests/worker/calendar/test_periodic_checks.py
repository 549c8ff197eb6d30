"""What is looked at once a second."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.calendar.periodic_checks import INTERVAL, PeriodicChecks
from gateway.worker.sources import Sources
from tests.worker.fakes import Time, settings, state


class PeriodicChecksTests(SynchronousTestCase):
    def checks(self, *, alive: bool = True, **changes: object) -> PeriodicChecks:
        self.time = Time()
        self.done: list[str] = []
        self.vitals = SimpleNamespace(hung=False, ready_for=None, lived=0)
        lifecycle = SimpleNamespace(
            worker=SimpleNamespace(vitals=self.vitals, alive=alive),
            state=state("running"),
            begin=lambda: self.done.append("begin"),
            renew=self.renew,
        )
        self.main = Path(self.mktemp()) / "main.py"
        self.main.parent.mkdir()
        return PeriodicChecks(
            self.time,
            settings(**changes),
            lifecycle=lifecycle,
            limits=SimpleNamespace(reset_pause=lambda: self.done.append("reset")),
            launcher=SimpleNamespace(main=lambda: self.main, sources=Sources),
            wall=self.time.wall,
        )

    def renew(self, reason: str, *, states: tuple[type, ...], cured: bool = False) -> None:
        self.done.append(reason)

    def test_it_looks_until_its_end(self) -> None:
        checks = self.checks()
        checks.begin()
        self.vitals.hung = True
        self.time.pump([INTERVAL] * 3)
        checks.end()
        checks.end()
        self.time.pump([INTERVAL] * 3)
        self.assertEqual(self.done, ["begin"] + ["its heartbeat is late"] * 3)

    def test_a_worker_that_was_ready_for_long_resets_the_pause(self) -> None:
        checks = self.checks()
        self.vitals.ready_for = 599
        checks.look()
        self.assertEqual(self.done, [])
        self.vitals.ready_for = 600
        checks.look()
        self.assertEqual(self.done, ["reset"])

    def test_a_worker_that_is_gone_is_not_looked_at(self) -> None:
        checks = self.checks(alive=False)
        self.vitals.hung, self.vitals.ready_for = True, 600
        checks.look()
        self.assertEqual(self.done, [])

    def test_files_are_looked_at_in_development_only(self) -> None:
        for dev, done in ((False, []), (True, ["main.py changed"])):
            checks = self.checks(dev=dev)
            self.main.write_text("")
            for _ in range(3):
                checks.look()
            self.assertEqual(self.done, done)

    def test_what_does_not_compile_stops_no_worker(self) -> None:
        checks = self.checks(dev=True)
        helper = self.main.with_name("helper.py")

        def write(path: Path, text: str) -> None:
            path.write_text(text)
            for _ in range(3):
                checks.look()

        write(helper, "def (:")
        write(self.main, "import helper")
        self.assertEqual(self.done, [], "helper.py is still wrong")
        write(helper, "def right(): ...")
        self.assertEqual(self.done, ["helper.py changed"])

    def test_status_is_that_of_the_calendar(self) -> None:
        self.assertTrue(self.checks().status()["inSession"])
