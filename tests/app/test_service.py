"""How the gateway's services start and stop."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.application.service import Application, MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.app.access_parts import AccessParts
from gateway.app.child_services import PortService
from gateway.app.service import Gateway, Part, StartError, periodic, refused
from gateway.engineio.deadlines import Deadlines
from gateway.options import Settings
from gateway.system.linux import Linux
from gateway.web.http.listen_plan import ListenError


class ServiceTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.done: list[str] = []
        self.gateway = Gateway(list, lambda: None)

    def add(self, name: str, stopped: Deferred[None] | None = None) -> None:
        def stop() -> Any:
            self.done.append(f"stop {name}")
            return stopped

        self.part(name, start=lambda: self.done.append(f"start {name}"), stop=stop)

    def part(self, name: str, **given: Any) -> None:
        Part(name, **given).setServiceParent(self.gateway)


class GatewayTests(ServiceTestCase):
    def test_children_stop_in_the_opposite_order_and_wait_for_each_other(self) -> None:
        worker: Deferred[None] = Deferred()
        self.add("sessions")
        self.add("worker", worker)
        self.add("ports")
        self.gateway.startService()
        stopped = self.gateway.stopService()
        self.assertEqual(
            self.done,
            ["start sessions", "start worker", "start ports", "stop ports", "stop worker"],
        )
        self.assertNoResult(stopped)
        worker.callback(None)
        self.assertEqual(self.done[5:], ["stop sessions"])
        self.successResultOf(stopped)

    def test_a_child_that_fails_is_logged_and_the_others_go_on(self) -> None:
        self.add("sessions")
        self.part("broken", start=lambda: 1 / 0, stop=lambda: 1 / 0)
        self.add("ports")
        self.gateway.startService()
        self.successResultOf(self.gateway.stopService())
        self.assertEqual(
            self.done, ["start sessions", "start ports", "stop ports", "stop sessions"]
        )
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_what_never_started_is_not_stopped(self) -> None:
        self.add("ports")
        self.successResultOf(self.gateway.stopService())
        self.assertEqual(self.done, [])

    def test_a_second_stop_waits_for_the_same_end(self) -> None:
        """As where an application stops the gateway, and then the reactor stops everything."""
        worker: Deferred[None] = Deferred()
        self.add("sessions")
        self.add("worker", worker)
        self.gateway.startService()
        stops = [self.gateway.stopService(), self.gateway.stopService()]
        for stop in stops:
            self.assertNoResult(stop)
        self.assertEqual(self.done[2:], ["stop worker"])
        worker.callback(None)
        for stop in stops:
            self.successResultOf(stop)
        self.assertEqual(self.done[2:], ["stop worker", "stop sessions"])

    def test_a_second_start_is_an_error_that_says_what_to_do(self) -> None:
        self.add("worker")
        self.gateway.startService()
        for stopped in (False, True):
            for start in (self.gateway.privilegedStartService, self.gateway.startService):
                error = self.assertRaises(RuntimeError, start)
                self.assertIn("make another one with makeService", str(error))
            if not stopped:
                self.successResultOf(self.gateway.stopService())
        self.assertEqual(self.done, ["start worker", "stop worker"])

    def test_it_starts_in_a_service_that_runs_already(self) -> None:
        """As one that an application adds later, and as twist starts it."""
        opened: list[int] = []

        async def listen(*places: object) -> None:
            opened.append(1)

        self.ports(listen)
        application = MultiService()
        application.startService()
        self.gateway.setServiceParent(application)
        self.assertEqual(opened, [1])
        self.successResultOf(application.stopService())

    def ports(self, listen: Any) -> None:
        async def close() -> None:
            pass

        listeners: Any = SimpleNamespace(open=listen, close=close, exposed=False, addresses=[])
        access = AccessParts(Settings(), {}, Deadlines(Clock().seconds), lambda: None, Linux())
        PortService(listeners, Settings(), access).setServiceParent(self.gateway)

    def test_a_port_in_use_is_one_line_and_ends_the_start(self) -> None:
        async def listen(*places: object) -> None:
            raise ListenError("port 1 is in use")

        self.add("worker")
        self.ports(listen)
        said = io.StringIO()
        said.fileno = lambda: 1  # type: ignore[method-assign]
        self.patch(sys, "__stderr__", said)
        error = self.assertRaises(StartError, self.gateway.startService)
        self.assertEqual((error.code, str(error)), (1, "sjgateway: port 1 is in use"))
        self.assertIsInstance(error, SystemExit)
        self.assertEqual(said.getvalue(), "sjgateway: port 1 is in use\n")
        self.assertEqual(self.done, [])

    def test_a_daemon_has_the_reason_in_its_log(self) -> None:
        events: list[dict] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        with Path("/dev/null").open("w") as nowhere:
            self.patch(sys, "__stderr__", nowhere)
            refused(ListenError("port 1 is in use"))
        (event,) = events
        self.assertEqual(event["line"], "sjgateway: port 1 is in use")


class LogTests(SynchronousTestCase):
    def test_our_own_application_logs_by_our_observer(self) -> None:
        application, observer = Application("sjgateway"), [].append
        Gateway(lambda: observer, lambda: None, is_alone=True).setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), observer)

    def test_another_keeps_its_own(self) -> None:
        application = Application("somebody's")
        Gateway(list, lambda: None).setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), None)


class PeriodicTests(SynchronousTestCase):
    def test_an_error_costs_one_call_and_is_logged(self) -> None:
        clock, calls = Clock(), []

        def look() -> None:
            calls.append(clock.seconds())
            raise ZeroDivisionError

        service: Service = periodic(clock, "Looking", 5, look)
        service.startService()
        clock.pump([5, 5])
        self.assertEqual(calls, [0, 5, 10])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)
        self.successResultOf(service.stopService())
        clock.advance(60)
        self.assertEqual(len(calls), 3)
