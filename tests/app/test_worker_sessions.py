"""Which sessions are the worker's: few looks, however many clients come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.identity import Identities, known_as_worker
from gateway.app.worker_sessions import (
    LONGEST_PAUSE,
    PAUSE,
    SHARE,
    HoldingApplication,
    WorkerLookup,
)
from gateway.engineio.meter import SLICE
from tests.relay.world import RelayWorld, WebSocketClient

if TYPE_CHECKING:
    from collections.abc import Collection


class Kernel:
    """Whose the sessions are, told by looks that are counted."""

    def __init__(self, world: RelayWorld) -> None:
        self.looks = 0
        self.workers: set[Any] = set()
        self.running = True
        self.takes = 0.0
        self.fails = False
        self.elsewhere = False
        self._world = world

    def evident(self, session: Any) -> bool | None:
        return False if self.elsewhere else None

    def look(self, sessions: Collection[Any]) -> Collection[Any] | None:
        if not self.running:
            return None
        self.looks += 1
        if self.fails:
            raise OSError("too many open files")
        self._world.now += self.takes
        return [session for session in sessions if session in self.workers]


class AnyWorld(RelayWorld):
    """A gateway whose clients are recognised before they are heard."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.kernel = Kernel(self)
        self.lookup = WorkerLookup(self.kernel.evident, self.kernel.look, self.deadlines)
        self.identities = Identities(self.lookup.owns)
        self.watcher.is_worker = self.watcher.trusts = lambda sender: self.identities.is_worker(
            sender.socket.session
        )
        self.reception = HoldingApplication(self.sockets, self.lookup)

    def _serve(self, session: Any) -> Any:
        self.newest = session
        return self.reception(session)

    @property
    def session(self) -> Any:
        return self.newest


class CountedSet(WeakSet[Any]):
    """Counts how often it is read as a whole."""

    read = 0

    def __iter__(self) -> Any:
        self.read += 1
        return super().__iter__()


def joined(client: WebSocketClient) -> bool:
    """Whether the answer to CONNECT has come since."""
    return any(str(each).startswith("40") for each in client.heard)


class RecognitionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = AnyWorld()
        self.kernel = self.world.kernel

    def come(self, **query: str) -> WebSocketClient:
        client = WebSocketClient(self.world, **query)
        client.say("40")
        self.world.flush()
        return client

    def test_who_comes_alone_is_let_in_at_once(self) -> None:
        for number in range(1, 4):
            self.assertTrue(joined(self.come()))
            self.assertEqual(self.kernel.looks, number)
            self.world.wait(PAUSE)

    def test_a_thousand_a_second_cost_no_more_looks_than_a_hundred(self) -> None:
        for rate in (100, 1000):
            self.kernel.looks = 0
            clients = []
            for _ in range(rate):
                clients.append(self.come())
                self.world.wait(1 / rate)
            self.world.wait(PAUSE)
            self.assertTrue(all(map(joined, clients)))
            self.assertLessEqual(self.kernel.looks, 1 / PAUSE + 1)

    def test_nobody_waits_longer_than_the_pause(self) -> None:
        self.come()
        late = self.come()
        self.world.wait(PAUSE * 0.9)
        self.assertFalse(joined(late))
        self.world.wait(PAUSE * 0.11)
        self.assertTrue(joined(late))

    def test_looks_that_take_long_are_as_much_rarer(self) -> None:
        self.kernel.takes = 0.02
        self.come()
        late = self.come()
        self.world.wait(0.02 * SHARE * 0.9)
        self.assertFalse(joined(late))
        self.world.wait(0.02 * SHARE * 0.11)
        self.assertTrue(joined(late))

    def test_the_worker_is_known_before_its_first_word_counts(self) -> None:
        self.come()
        worker = WebSocketClient(self.world)
        self.kernel.workers.add(worker.session)
        heard: list[bool] = []
        self.patch(self.world.watcher, "heard", lambda sender, event, value: heard.append(True))
        worker.say("40", '42["tick",1]')
        self.world.wait(PAUSE)
        self.assertTrue(known_as_worker(worker.session))
        self.assertEqual(heard, [True])

    def test_a_no_is_never_older_than_the_question(self) -> None:
        client = WebSocketClient(self.world)
        self.come()
        self.kernel.workers.add(client.session)
        client.say("40")
        self.world.wait(PAUSE)
        self.assertTrue(known_as_worker(client.session))

    def test_what_is_said_meanwhile_is_heard_in_its_order(self) -> None:
        listener = self.come()
        self.world.wait(PAUSE)
        self.come()
        early = WebSocketClient(self.world)
        early.say("40", '42["tick",1]', '451-["tick",{"_placeholder":true,"num":0}]', b"x", "41")
        self.world.flush()
        self.assertTrue(joined(listener))
        self.world.wait(PAUSE)
        self.assertEqual(
            listener.heard, ['42["tick",1]', '451-["tick",{"_placeholder":true,"num":0}]', b"x"]
        )
        self.assertTrue(early.is_open)

    def test_who_says_too_much_meanwhile_has_to_go(self) -> None:
        self.come()
        early = WebSocketClient(self.world)
        early.say("40", *['42["tick",1]'] * (SLICE // 2))
        self.assertTrue(early.is_open)
        early.say(*['42["tick",1]'] * SLICE)
        self.assertFalse(early.is_open)
        self.world.wait(PAUSE)

    def test_an_error_in_what_was_said_meanwhile_costs_its_sender_alone(self) -> None:
        self.come()
        wrong, right = self.come(), self.come()
        wrong.say('42["tick"')
        self.world.wait(PAUSE)
        self.assertFalse(wrong.is_open)
        self.assertTrue(right.is_open)
        self.assertTrue(joined(right))

    def test_a_failure_of_ours_costs_its_client_alone(self) -> None:
        self.come()
        first, second = self.come(), self.come()
        admit = self.world.watcher.admit

        def fail(session: Any, auth: Any) -> bool:
            if session is first.session:
                raise RuntimeError("admit")
            return admit(session, auth)

        self.world.watcher.admit = fail  # type: ignore[method-assign]
        self.world.wait(PAUSE)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertFalse(first.is_open)
        self.assertTrue(joined(second))

    def test_a_look_that_fails_leaves_nobody_waiting(self) -> None:
        self.come()
        late = [self.come() for _ in range(20)]
        self.kernel.workers.add(late[0].session)
        self.kernel.fails = True
        self.world.wait(PAUSE)
        self.assertTrue(all(map(joined, late)))
        self.assertEqual(self.kernel.looks, 2)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.kernel.fails = False
        self.world.wait(PAUSE)
        late[0].emit("tick", 1)
        self.assertTrue(known_as_worker(late[0].session))

    def test_a_look_that_fails_is_not_repeated_for_each_message(self) -> None:
        self.kernel.fails = True
        clients = [self.come() for _ in range(20)]
        self.world.wait(PAUSE)
        for client in clients:
            client.emit("tick", 1)
        self.assertEqual(self.kernel.looks, 2)
        self.assertGreaterEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_nobody_waits_as_long_as_the_process_stood_still_in_a_look(self) -> None:
        self.kernel.takes = 60.0
        self.come()
        self.kernel.takes = 0.0
        late = self.come()
        self.world.wait(LONGEST_PAUSE)
        self.assertTrue(joined(late))
        self.assertLess(LONGEST_PAUSE, 1, "python-socketio waits a second for its answer")

    def test_who_leaves_while_he_waits_is_forgotten(self) -> None:
        self.come()
        late = self.come()
        late.lose()
        self.world.wait(PAUSE)
        self.assertEqual(self.world.hub.members.keys(), {*list(self.world.hub.members)[:1]})

    def test_without_a_worker_nobody_waits_and_all_are_asked_about_when_there_is_one(self) -> None:
        self.kernel.running = False
        clients = [self.come() for _ in range(20)]
        self.assertTrue(all(map(joined, clients)))
        self.kernel.running = True
        self.kernel.workers.add(clients[-1].session)
        for client in clients:
            client.emit("tick", 1)
        self.assertEqual(self.kernel.looks, 1)
        known = [known_as_worker(client.session) for client in clients]
        self.assertEqual(known, [False] * 19 + [True])

    def test_without_a_worker_a_question_costs_the_same_however_many_are_there(self) -> None:
        self.kernel.running = False
        client, *_ = [self.come() for _ in range(20)]
        undecided = CountedSet(self.world.lookup._undecided)
        self.world.lookup._undecided = undecided
        client.emit("tick", 1)
        self.assertEqual(undecided.read, 0)
        self.kernel.running = True
        client.emit("tick", 1)
        self.assertGreater(undecided.read, 0)

    def test_who_is_evidently_somebody_else_costs_no_look(self) -> None:
        self.kernel.elsewhere = True
        self.assertTrue(all(joined(self.come()) for _ in range(20)))
        self.assertEqual(self.kernel.looks, 0)

    def test_asking_in_between_is_no_reason_for_more_looks(self) -> None:
        self.come()
        strangers = [WebSocketClient(self.world) for _ in range(20)]
        for each in strangers:
            self.assertFalse(self.world.identities.is_worker(each.session))
        self.assertEqual(self.kernel.looks, 1)
        self.kernel.workers.add(strangers[0].session)
        self.world.wait(PAUSE)
        self.assertTrue(self.world.identities.is_worker(strangers[0].session))
        self.assertEqual(self.kernel.looks, 2)


class OldClientTests(SynchronousTestCase):
    """Clients of Engine.IO 3 join without a word."""

    def test_they_are_let_in_once_they_are_known(self) -> None:
        world = AnyWorld(eio3=True)
        WebSocketClient(world, EIO="3")
        world.flush()
        late = WebSocketClient(world, EIO="3")
        world.kernel.workers.add(late.session)
        late.say('42["tick",1]')
        world.flush()
        self.assertEqual((late.heard, world.log.head), ([], 0))
        world.wait(PAUSE)
        self.assertEqual([str(each)[:2] for each in late.heard], ["0{", "40"])
        self.assertTrue(known_as_worker(late.session))
        self.assertEqual(world.log.head, 1)

    def test_who_leaves_before_was_never_here(self) -> None:
        world = AnyWorld(eio3=True)
        WebSocketClient(world, EIO="3")
        told: list[Any] = []
        world.reception.application = told.append  # type: ignore[assignment]
        late = WebSocketClient(world, EIO="3")
        late.lose()
        world.wait(PAUSE)
        self.assertEqual(told, [])
