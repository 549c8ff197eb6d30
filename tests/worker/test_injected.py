"""Whatever call fails, and whenever: the life-cycle goes on."""

from __future__ import annotations

import errno

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.credentials import Credentials
from gateway.contract import NotReadyError
from tests.untraced import untraced

from .simulated import Simulation

CODE = "shioaji.error.TokenError: StatusCode: 503, Detail: login is banned\n"


def crash(world: Simulation) -> None:
    """A worker starts, crashes, and is started again."""
    world.supervisor.start()
    world.advance(4)
    if world.child:
        world.child.say("no newline")
        world.child.say("Traceback\nValueError: x\n")
        world.child.end(256)
    world.advance(4)


def restart(world: Simulation) -> None:
    """A person restarts it, and again while that is under way."""
    world.supervisor.start()
    world.advance(4)
    for _ in range(2):
        world.answers.append(world.ask(world.supervisor.restart()))
        world.advance(0.25)
    world.advance(4)


def keys(world: Simulation) -> None:
    """New keys are posted, and the worker that has them never gets ready."""
    world.supervisor.start()
    world.advance(4)
    new = Credentials("the-key", "the-secret", "main.py", "pass")
    changed = world.supervisor.set_credentials(new, wait_ready=True)
    world.answers.append(world.ask(changed))
    world.advance(100, step=1.0)


def pause(world: Simulation) -> None:
    """The broker imposes a pause, and the worker dies of it."""
    world.supervisor.start()
    world.advance(4)
    if world.child:
        world.child.say(CODE)
    world.advance(1)
    if world.child:
        world.child.end(256)
    world.advance(70, step=1.0)


def guardian(world: Simulation) -> None:
    """The guardian is killed."""
    world.supervisor.start()
    world.advance(4)
    if world.child:
        world.child.vanish()
    world.advance(4)


def calendar(world: Simulation) -> None:
    """The schedule restarts it."""
    world.supervisor.start()
    world.advance(4)
    world.advance(120, step=5.0)
    world.reactor.offset += 3600 - 134
    world.advance(15)


LASTING = (errno.EMFILE, errno.EIO, errno.EAGAIN, errno.EACCES)
SCENARIOS = (crash, restart, keys, pause, guardian, calendar)


class InjectedTests(SynchronousTestCase):
    def play(
        self, scenario, error: int = errno.EIO, fails=lambda _: False, shortage=(0.0, 0.0)
    ) -> Simulation:
        world = Simulation(self, error)
        world.answers = []
        begins, ends = shortage
        world.faults.fails = lambda count: fails(count) or begins <= world.reactor.seconds() < ends
        world.faults.active = True
        scenario(world)
        world.advance(30, step=2.0)
        world.faults.active = False
        world.advance(660, step=20.0)
        return world

    def assertWell(self, world: Simulation, what: str) -> None:
        supervisor = world.supervisor
        said = f"{what}: {supervisor.state}; {world.faults.failed}; {world.logged}"
        self.assertEqual(supervisor.state, "running", said)
        self.assertTrue(world.child is not None and world.child.worker == supervisor.pid, said)
        self.assertLessEqual(world.reactor.most, 1, said)
        for answer in world.answers:
            self.assertEqual(len(answer), 1, said)

    @untraced
    def test_any_single_call_may_fail(self) -> None:
        """Of each place that calls the system, the first call, and the last of a scenario."""
        known: set[str] = set()
        for scenario in SCENARIOS:
            clean = self.play(scenario)
            self.assertWell(clean, scenario.__name__)
            self.assertGreater(len(clean.reactor.children), 1, scenario.__name__)
            sites = clean.faults.sites
            last = {site: number for number, site in enumerate(sites)}
            numbers = {sites.index(site) for site in last if site not in known}
            numbers |= set(sorted(last.values())[-8:])
            known.update(last)
            for number in sorted(numbers):
                world = self.play(scenario, fails=lambda count, k=number + 1: count == k)
                self.assertWell(world, f"{scenario.__name__}, {sites[number]}")

    @untraced
    def test_a_shortage_or_a_disk_that_fails_is_waited_out(self) -> None:
        """Every call fails, for 25 seconds, from any moment on."""
        for scenario in SCENARIOS:
            for number, begins in enumerate((0.0, 0.1, 2.0, 4.1, 6.0)):
                error = LASTING[number % len(LASTING)]
                world = self.play(scenario, error, shortage=(begins, begins + 25))
                what = f"{scenario.__name__}, {errno.errorcode[error]} at {begins}"
                self.assertWell(world, what)
                self.assertNotIn("fatal", [event["status"] for event in world.told], what)

    def test_the_previous_keys_come_back_when_what_is_to_be_run_can_be_looked_at_again(
        self,
    ) -> None:
        world = Simulation(self, errno.EIO)
        world.supervisor.start()
        world.advance(4)
        new = Credentials("the-key", "the-secret", "main.py", "pass")
        answer = world.ask(world.supervisor.set_credentials(new, wait_ready=True))
        world.advance(4)
        world.child.say("TokenError: StatusCode: 401, Detail: invalid api key\n")
        world.faults.fails = lambda _: True
        world.faults.active = True
        world.child.end(256)
        world.advance(5)
        world.faults.fails = lambda _: False
        world.advance(60)
        self.assertIsInstance(answer[0], NotReadyError)
        self.assertEqual(world.supervisor.state, "running")
        self.assertNotIn("the-key", world.child.asked["env"].values())
