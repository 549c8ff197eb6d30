"""What `/status` tells of the relay, its clients and the feed."""

from itertools import count
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.identity import Identities
from gateway.app.status import KEPT_FOR, MAX_CLIENTS, GatewayStatus
from gateway.engineio.handshake import Peer
from gateway.market.freshness import Freshness
from gateway.relay.subscription import Subscription
from tests.relay.world import Client, RelayWorld


class StatusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld()
        self.freshness = Freshness(
            self.world.deadlines, lambda: self.world.now, lambda market, reason: None
        )
        self.status = GatewayStatus(
            lambda: {"state": "running"},
            self.world.relay,
            self.freshness,
            self.world.server.sessions,
            count(0, KEPT_FOR).__next__,
        )

    def client(self, host: str, port: int) -> Client:
        client = self.world.client()
        client.session.peer = Peer(host, port)
        return client

    def subscription(self, client: Client) -> Subscription:
        members = self.world.hub.members.items()
        return next(each for socket, each in members if socket.session is client.session)

    def clients(self) -> dict[str, Any]:
        return {each.pop("address"): each for each in self.status()["clients"]}

    def say(self, client: Client, *arguments: Any) -> None:
        client.emit(*arguments)
        self.world.flush()

    def test_it_begins_with_what_the_worker_tells(self) -> None:
        self.assertEqual(
            list(self.status()), ["state", "relay", "clients", "freshness", "recording"]
        )

    def test_nothing_is_recorded_unless_that_is_wanted(self) -> None:
        self.assertIsNone(self.status()["recording"])

    def test_further_parts_have_their_names(self) -> None:
        def broken() -> int:
            raise ValueError

        status = GatewayStatus(
            dict,
            self.world.relay,
            self.freshness,
            self.world.server.sessions,
            count(0, KEPT_FOR).__next__,
            more={"version": lambda: "1.0", "bars": broken, "actions": list},
        )
        self.assertEqual(list(status())[-2:], ["version", "actions"])
        self.assertEqual(status()["version"], "1.0")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_what_can_not_be_read_is_left_out(self) -> None:
        def broken() -> dict[str, Any]:
            raise OSError(24, "Too many open files")

        status = GatewayStatus(
            broken,
            self.world.relay,
            self.freshness,
            self.world.server.sessions,
            count(0, KEPT_FOR).__next__,
        )
        self.assertEqual(list(status()), ["relay", "clients", "freshness", "recording"])
        self.patch(status, "_totals", broken)
        self.assertEqual(list(status()), ["clients", "freshness", "recording"])

    def test_clients_are_counted_by_transport(self) -> None:
        self.assertEqual(self.status()["relay"]["clients"], {"websocket": 0, "polling": 0})
        self.world.client()
        self.world.client()
        self.world.poller()
        self.assertEqual(self.status()["relay"]["clients"], {"websocket": 2, "polling": 1})

    def test_each_client_is_told_with_address_and_transport(self) -> None:
        self.client("192.0.2.1", 5000)
        self.client("::1", 5001)
        self.client("", 0)
        self.world.poller().session.peer = Peer("192.0.2.9", 1)
        clients = self.clients()
        self.assertEqual(set(clients), {"192.0.2.1:5000", "[::1]:5001", "unix", "192.0.2.9:1"})
        self.assertEqual(
            clients["192.0.2.1:5000"],
            {"transport": "websocket", "namespace": "/", "lag": 0, "worker": False, "name": ""},
        )
        self.assertEqual(clients["192.0.2.9:1"]["transport"], "polling")

    def test_the_worker_is_told_from_the_others(self) -> None:
        worker = self.client("127.0.0.1", 1)
        self.client("127.0.0.1", 2)
        session = self.subscription(worker).socket.session
        Identities(lambda session: True).is_worker(session)
        told = {address: each["worker"] for address, each in self.clients().items()}
        self.assertEqual(told, {"127.0.0.1:1": True, "127.0.0.1:2": False})

    def test_who_is_behind_comes_first_with_what_waits_for_him(self) -> None:
        speaker = self.client("192.0.2.1", 1)
        for number in (2, 3):
            slow = self.client("192.0.2.1", number)
            slow.wire.full = True
            self.say(speaker, "tick", {"code": "A", "text": "x" * 1000})
            self.say(speaker, "tick", {"code": "A", "text": "x" * 1000})
        lags = [(each["address"][-1], each["lag"]) for each in self.status()["clients"]]
        self.assertEqual([name for name, _ in lags], ["2", "3", "1"])
        self.assertGreater(lags[0][1], lags[1][1])
        self.assertGreater(lags[1][1], 1000)
        self.assertEqual(lags[2][1], 0)

    def test_the_list_is_bounded_and_the_count_is_not(self) -> None:
        for _ in range(MAX_CLIENTS + 5):
            self.world.client()
        status = self.status()
        self.assertEqual(len(status["clients"]), MAX_CLIENTS)
        self.assertEqual(status["relay"]["clients"]["websocket"], MAX_CLIENTS + 5)

    def test_who_has_left_is_not_told(self) -> None:
        client = self.client("192.0.2.1", 1)
        client.lose()
        self.world.flush()
        self.assertEqual(self.clients(), {})

    def test_events_and_what_became_of_them_are_counted(self) -> None:
        speaker = self.world.client()
        for number in range(3):
            self.say(speaker, "tick", {"code": "A", "n": number})
        self.subscription(speaker).may_publish = False
        self.say(speaker, "tick", {"code": "A"})
        self.world.relay.slow.counters.skipped = 7
        totals = self.status()["relay"]
        del totals["clients"]
        self.assertEqual(
            totals, {"events": 3, "refused": 1, "conflated": 0, "skipped": 7, "evicted": 0}
        )

    def test_the_age_of_everything_is_told(self) -> None:
        self.freshness.hear("market_tick", "2330")
        self.world.wait(3)
        freshness = self.status(codes=True)["freshness"]
        self.assertNotIn("codes", self.status()["freshness"], "only if asked")
        self.assertEqual(freshness["stale"], [])
        self.assertEqual(freshness["events"]["market_tick"]["age"], 3)
        self.assertEqual(freshness["codes"]["2330"]["count"], 1)

    def test_it_is_made_once_a_second_or_when_something_happened(self) -> None:
        asked: list[float] = []
        status = GatewayStatus(
            lambda: {"asked": asked.append(self.world.now)},
            self.world.relay,
            self.freshness,
            self.world.server.sessions,
            lambda: self.world.now,
        )
        for _ in range(50):
            status()
            status(codes=True)
        self.assertEqual(len(asked), 2)
        self.world.wait(KEPT_FOR)
        status()
        self.assertEqual(len(asked), 3)
        status.changed("python_status", {})
        status()
        self.assertEqual(len(asked), 4)
