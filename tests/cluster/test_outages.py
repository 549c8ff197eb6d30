"""Redis goes away, hangs, comes back, comes back with less; connections break."""

import shutil
import signal

import orjson
from twisted.internet import reactor
from twisted.internet.task import deferLater

from gateway.cluster import own, shared
from gateway.cluster.site import Keys
from tests.cluster.servers import Proxy, RedisServer
from tests.cluster.world import ClusterCase, until


def numbers(ear):
    return [orjson.loads(line[2:])[1]["n"] for line in ear.events if '"n"' in line]


class OutageCase(ClusterCase):
    """A Redis for each test, since it is killed."""

    def setUp(self):
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)

    async def talking(self, count=2, **given):
        """Gateways with an ear each, and a speaker at the first, whose first event all have got."""
        nodes = await self.nodes(count, **given)
        ears = [await node.ear(recover=True) for node in nodes]
        speaker = await nodes[0].ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        await until(lambda: all(numbers(ear) == [0] for ear in ears), "the first event")
        return nodes, ears, speaker


class AwayTests(OutageCase):
    async def test_own_clients_are_served_meanwhile_and_others_afterwards_all_once(self):
        nodes, (near, far), speaker = await self.talking(hold=0.2)
        self.redis.kill()
        for number in range(1, 6):
            speaker.emit("market_tick", {"code": "A", "n": number})
        await until(lambda: numbers(near) == list(range(6)), "the island's events")
        self.assertTrue(nodes[0].cluster.status()["island"])
        self.assertEqual(numbers(far), [0])
        last = near.events[-1]
        self.assertEqual(len(orjson.loads(last[2:])), 2, "an event without a place has no offset")
        speaker.emit("market_tick", {"code": "A", "n": 6})
        await until(lambda: numbers(near) == list(range(7)), "what is said on an island")
        self.redis.start()
        await until(lambda: numbers(far) == list(range(7)), "what waited")
        await until(lambda: not nodes[0].cluster.status()["island"])
        speaker.emit("market_tick", {"code": "A", "n": 7})
        await until(lambda: numbers(near) == numbers(far) == list(range(8)))
        self.assertEqual(near.events[-1], far.events[-1], "the same offset")

    async def test_a_server_that_hangs_is_away_too(self):
        nodes, (near, far), speaker = await self.talking(hold=0.2)
        said = []
        nodes[1].cluster.on_cut_off.append(said.append)
        self.redis.signal(signal.SIGSTOP)
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: numbers(near) == [0, 1], "the island's event")
        await until(lambda: said, "that nothing is heard any more")
        self.assertEqual(nodes[1].cluster.excuse()[:8], "cut off ")
        self.redis.signal(signal.SIGCONT)
        await until(lambda: numbers(far) == [0, 1], "what waited")
        await until(lambda: said[-1] == "", "the end of it")
        self.assertEqual(nodes[1].cluster.excuse(), "")

    async def test_offsets_of_before_a_restart_hold(self):
        nodes, (near, far), speaker = await self.talking()
        self.redis.restart()
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: numbers(near) == numbers(far) == [0, 1])
        place = orjson.loads(near.events[0][2:])[-1]
        back = await nodes[1].ear(recover=True, pid=near.reply["pid"], offset=place)
        await until(lambda: numbers(back) == [1])
        self.assertEqual(back.reply["sid"], near.reply["sid"])

    async def test_an_emptied_server_costs_no_event_and_no_snapshot(self):
        _, ears, speaker = await self.talking()
        self.redis.kill()
        shutil.rmtree(self.redis.folder / "appendonlydir")
        speaker.emit("market_tick", {"code": "B", "n": 1})
        self.redis.start()
        await until(lambda: all(numbers(ear) == [0, 1] for ear in ears), "what was under way")
        (late,) = [self.node("g9")]
        ear = await late.ear(snapshot=True)
        await until(lambda: numbers(ear) == [0, 1], "the snapshot")
        speaker.emit("market_tick", {"code": "A", "n": 2})
        await until(lambda: numbers(ear) == [0, 1, 2])
        await until(lambda: all(numbers(each) == [0, 1, 2] for each in ears))

    async def test_what_a_server_with_an_older_state_has_lost_is_said_again(self):
        _, (near, far), speaker = await self.talking()
        old = self.redis.folder / "old"
        shutil.copytree(self.redis.folder / "appendonlydir", old)
        for number in (1, 2, 3):
            speaker.emit("market_tick", {"code": "A", "n": number})
        await until(lambda: numbers(near) == numbers(far) == [0, 1, 2, 3])
        self.redis.kill()
        shutil.rmtree(self.redis.folder / "appendonlydir")
        old.rename(self.redis.folder / "appendonlydir")
        self.redis.start()
        speaker.emit("market_tick", {"code": "A", "n": 4})
        await until(lambda: numbers(near) == numbers(far) == [0, 1, 2, 3, 4])
        (late,) = [self.node("g9")]
        place = orjson.loads(near.events[0][2:])[-1]
        back = await late.ear(recover=True, pid=near.reply["pid"], offset=place)
        await until(lambda: numbers(back) == [1, 2, 3, 4], "the log is whole again")

    async def test_a_gateway_that_starts_later_shows_what_the_server_has_lost_for_good(self):
        self.patch(own, "RECENT", 0.0)
        (node, _), (near, far), speaker = await self.talking()
        node.journal._snapshots.write(node.journal._epoch, 0)
        kept = Keys.of(node.cluster.names, "/").checkpoint
        await until(lambda: self.redis.ask("EXISTS", kept) == b":1", "a snapshot in Redis")
        old = self.redis.folder / "old"
        shutil.copytree(self.redis.folder / "appendonlydir", old)
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: numbers(near) == numbers(far) == [0, 1])
        self.redis.kill()
        shutil.rmtree(self.redis.folder / "appendonlydir")
        old.rename(self.redis.folder / "appendonlydir")
        self.redis.start()
        speaker.emit("market_tick", {"code": "B", "n": 2})
        await until(lambda: numbers(near) == numbers(far) == [0, 1, 2])
        late = await self.node("g9").ear(snapshot=True)
        await until(lambda: numbers(late) == [1, 2], "the snapshot")

    async def test_who_was_away_during_an_island_gets_all_that_it_told(self):
        nodes, (near, far), speaker = await self.talking(hold=0.1)
        away = await nodes[0].ear(recover=True)
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: numbers(away) == [0, 1])
        away.lose()
        self.redis.kill()
        for number in (2, 3, 4):
            speaker.emit("market_tick", {"code": "A", "n": number})
        await until(lambda: numbers(near) == [0, 1, 2, 3, 4], "the island's events")
        self.redis.start()
        await until(lambda: numbers(far) == [0, 1, 2, 3, 4], "what waited")
        await until(lambda: not nodes[0].journal.is_island, "the end of the island")
        speaker.emit("market_tick", {"code": "A", "n": 5})
        await until(lambda: numbers(near) == numbers(far) == [0, 1, 2, 3, 4, 5])
        back = await nodes[0].ear(recover=True, pid=away.reply["pid"], offset=away.place)
        self.assertEqual(back.reply["sid"], away.reply["sid"])
        await until(lambda: numbers(back) == [2, 3, 4, 5])
        three = orjson.loads(far.events[3][2:])
        self.assertEqual(three[1]["n"], 3)
        moved = await nodes[0].ear(recover=True, pid=far.reply["pid"], offset=three[-1])
        await until(lambda: numbers(moved) == [4, 5], "from the middle of what an island told")

    async def test_clients_that_wait_for_a_log_that_goes_away_are_let_in(self):
        self.patch(shared, "PATIENCE", 0.1)
        (node,) = await self.nodes(1)
        node.journal._begin()  # as after entries were missed
        self.redis.kill()
        ear, speaker = await node.ear(), await node.ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        await until(lambda: numbers(ear) == [0])

    async def test_without_redis_a_gateway_starts_as_an_island_and_joins_later(self):
        self.redis.kill()
        node, tapped, listened = self.node("g1", hold=0.1), [], []
        node.log.taps.append(tapped.extend)
        node.hub.listen("market_tick", listened.append)
        ear, speaker = await node.ear(), await node.ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        await until(lambda: numbers(ear) == [0])
        self.redis.start()
        await until(lambda: not ear.is_open, "the end of what has no place in the log")
        other = self.node("g2")
        late = await other.ear(snapshot=True)
        await until(lambda: numbers(late) == [0])
        last = await other.ear()
        last.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: len(tapped) > 1, "the next event")
        for heard in (tapped, listened):
            last = [event.packets[0].data[-7:] for event in heard]
            self.assertEqual(last, [b'"n":0}]', b'"n":1}]'], "each once")


class RefusalTests(OutageCase):
    """A server that answers and does not do what it is asked."""

    async def test_a_server_without_memory_is_told_as_any_outage(self):
        nodes, (near, far), speaker = await self.talking(hold=0.1)
        self.redis.ask("CONFIG", "SET", "maxmemory", "1")
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: "OOM" in nodes[0].cluster.cut_off, "the word that nothing is written")
        await until(lambda: numbers(near) == [0, 1], "the island's event")
        self.assertEqual(numbers(far), [0])
        self.redis.ask("CONFIG", "SET", "maxmemory", "0")
        await until(lambda: numbers(far) == [0, 1], "what waited")
        await until(lambda: not nodes[0].cluster.cut_off)

    async def test_a_log_that_can_not_be_read_is_told_as_any_outage(self):
        (one,) = await self.nodes(1)
        keys = Keys.of(one.cluster.names, "/")
        self.redis.ask("DEL", keys.checkpoint)
        self.redis.ask("RPUSH", keys.checkpoint, "no text")
        two = self.node("g2")
        await until(lambda: "WRONGTYPE" in two.cluster.cut_off, "the word that it is not read")
        self.redis.ask("DEL", keys.checkpoint)
        await until(lambda: two.journal.reading.is_attached)


class QueueTests(OutageCase):
    async def test_what_waits_for_redis_is_bounded(self):
        nodes, (near, far), speaker = await self.talking(hold=0.1, log_bytes=20_000)
        self.redis.kill()
        for number in range(1, 400):
            speaker.emit("market_tick", {"code": f"C{number % 5}", "n": number})
            if number == 1:
                await until(lambda: nodes[0].journal.is_island)
        speaker.emit("order", {"n": 400})
        await until(lambda: numbers(near)[-1] == 400)
        self.assertLess(nodes[0].cluster.status()["waiting"], 20_000)
        self.redis.start()
        await until(lambda: numbers(far)[-1] == 400, "what waited")
        kept = numbers(far)
        self.assertEqual(kept, sorted(kept))
        self.assertTrue(set(range(395, 401)) <= set(kept), "the newest of each code")
        self.assertEqual(nodes[0].cluster.status()["dropped"], 0)


class BrokenConnectionTests(OutageCase):
    async def test_batches_whose_answers_are_lost_are_taken_once(self):
        (far_node,) = await self.nodes(1)
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.close)
        node = self.node("g2", proxy.url, hold=60)
        ear, far = await node.ear(), await far_node.ear()
        speaker = await node.ear()
        for number in range(300):
            speaker.emit("order", {"n": number})
            if number % 20 == 10:
                proxy.left = 150 + number
                await until(lambda: proxy.left == 0 and not proxy.ends, "the cut")
                proxy.left = None
            await deferLater(reactor, 0)
        await until(lambda: len(far.events) >= 300 and len(ear.events) >= 300, "all events")
        self.assertEqual(numbers(far), list(range(300)))
        self.assertEqual(numbers(ear), list(range(300)))

    async def test_a_gateway_that_missed_what_the_log_forgot_begins_anew(self):
        (node,) = await self.nodes(1, log_records=20)
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.close)
        slow = self.node("g2", proxy.url, log_records=20)
        ear, speaker = await slow.ear(), await node.ear()
        proxy.holds = True
        listener = await node.ear()
        for number in range(400):
            speaker.emit("market_tick", {"code": "A", "n": number, "text": "x" * 500})
            if number % 10 == 9:
                await until(lambda number=number: len(listener.events) == number + 1)
        proxy.holds = False
        proxy.cut()
        await until(lambda: not ear.is_open, "the end of who has missed something")
        late = await slow.ear(snapshot=True)
        await until(lambda: numbers(late) == [399])
