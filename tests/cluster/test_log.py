"""Several gateways with one log in a real Redis."""

import orjson

from gateway.cluster.scripts import Names
from tests.cluster.world import ClusterCase, until


def names(events):
    """What the events say, without the offsets."""
    return [orjson.loads(line[2:])[:2] for line in events]


class OneLogTests(ClusterCase):
    async def test_all_clients_of_all_gateways_get_one_order(self):
        nodes = await self.nodes(2)
        speakers = [await node.ear() for node in nodes]
        ears = [await node.ear(recover=True) for node in nodes]
        for number in range(100):
            for speaker, name in zip(speakers, "ab", strict=True):
                speaker.emit(name, {"n": number})
        await until(lambda: all(len(ear.events) == 200 for ear in ears), "all events")
        self.assertEqual(ears[0].events, ears[1].events)
        for name in "ab":
            said = [value["n"] for each, value in names(ears[0].events) if each == name]
            self.assertEqual(said, list(range(100)), "the order of each sender")
        for speaker, other in zip(speakers, "ba", strict=True):
            heard = names(speaker.events)
            self.assertEqual([each for each, _ in heard], [other] * 100, "nobody hears himself")

    async def test_a_client_that_connects_late_gets_the_same_snapshot_everywhere(self):
        given = {"log_records": 40}
        one, two = await self.nodes(2, **given)
        speaker, ear = await one.ear(), await two.ear()
        for number in range(100):
            code = f"C{number % 7 if number < 90 else 6}"  # some were not told for a long time
            speaker.emit("market_tick", {"code": code, "n": number})
            if number % 10 == 9:
                await until(lambda number=number: len(ear.events) == number + 1)
        speaker.emit("end", {})
        await until(lambda: len(ear.events) == 101)
        (three,) = [self.node("g3", **given)]
        late = [await node.ear(snapshot=True) for node in (one, two, three)]
        await until(lambda: all(len(each.events) == 7 for each in late), "the snapshots")
        self.assertEqual(late[0].events, late[1].events)
        self.assertEqual(late[0].events, late[2].events)
        log = Names(one.cluster.settings.name).log("/")
        self.assertLess(int(self.redis.ask("XLEN", log)[1:]), 100, "the log forgets")

    async def test_marks_hold_for_all(self):
        one, two = await self.nodes(2)
        speaker = await one.ear()
        speaker.emit("shioaji_ready", {"ready": True})
        speaker.emit("market_tick", {"code": "A"})
        await until(lambda: len(two.hub.continuity.snapshot()) == 2)
        one.relay.worker_gone()
        await until(lambda: len(two.hub.continuity.snapshot()) == 1)
        one.relay.quotes_gone()
        await until(lambda: not two.hub.continuity.snapshot())

    async def test_the_marks_of_a_gateway_without_the_worker_hold_for_nobody(self):
        one, two = nodes = await self.nodes(2)
        one.cluster.token = lambda: 1
        keys, read = Names(one.cluster.settings.name), one.journal.places.read
        self.redis.ask("HINCRBY", keys.meta("/"), "head", "1")
        place = f"{read.epoch}-{read.number + 1}"
        self.redis.ask("XADD", keys.log("/"), place, "k", "l", "c", "1", "t", "1")
        await until(lambda: all(node.journal.reading.lead == 1 for node in nodes))
        speaker, other = await one.ear(), await two.ear()
        speaker.emit("shioaji_ready", {"ready": True})
        await until(lambda: other.events)
        two.relay.worker_gone()
        other.emit("after the mark", {})
        await until(lambda: speaker.events)
        self.assertEqual([len(node.hub.continuity.snapshot()) for node in nodes], [1, 1])
        one.relay.worker_gone()
        await until(lambda: not any(node.hub.continuity.snapshot() for node in nodes))

    async def test_the_worker_of_another_gateway_is_heard(self):
        one, two = await self.nodes(2)
        heard = []
        two.cluster.overheard = heard.extend
        speaker, ear = await one.ear(), await two.ear()
        speaker.emit("market_tick", {"code": "A"})
        own = await two.ear()
        own.emit("market_tick", {"code": "B"})
        await until(lambda: len(ear.events) == 2)
        self.assertEqual([event.code for event in heard], ["A"])

    async def test_batches_of_another_version_are_passed_over_and_counted(self):
        one, two = await self.nodes(2)
        speaker, ear = await one.ear(), await two.ear()
        speaker.emit("a", {})
        await until(lambda: len(ear.events) == 1)
        keys, read = Names(one.cluster.settings.name), two.journal.places.read
        place = f"{read.epoch}-{read.number + 3}"
        fields = ("k", "b", "c", "3", "o", "g9 x", "n", "1", "t", "0", "v", "99", "b", "?")
        self.redis.ask("HINCRBY", keys.meta("/"), "head", "3")
        self.redis.ask("XADD", keys.log("/"), place, *fields)
        speaker.emit("b", {})
        await until(lambda: len(ear.events) == 2)
        self.assertEqual(two.cluster.status()["passedOver"], 1)

    async def test_a_gateway_that_is_slower_than_the_log_cuts_its_clients_off_and_goes_on(self):
        one, two = await self.nodes(2, log_records=40)
        missed = []
        two.journal.on_attached.append(missed.append)
        speaker, near, far = await one.ear(), await one.ear(), await two.ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        await until(lambda: far.events)
        tail, log = two.cluster.tail, Names(two.cluster.settings.name).log("/")
        last = tail._last[log]
        tail.forget(log)
        for number in range(1, 101):
            speaker.emit("market_tick", {"code": "A", "n": number})
            await until(lambda number=number: len(near.events) == number + 1)
        tail.follow(log, last, two.journal.reading.take)
        await until(lambda: not far.is_open, "the end of clients that lack something")
        await until(lambda: missed, "the end of the log")
        self.assertGreaterEqual(missed[0], 100)
        back = await two.ear(snapshot=True)
        speaker.emit("market_tick", {"code": "A", "n": 101})
        await until(lambda: len(back.events) == 2)
        self.assertEqual([value["n"] for _, value in names(back.events)], [100, 101])

    async def test_an_entry_that_no_gateway_wrote_stops_nobody(self):
        one, two = await self.nodes(2)
        names, read = one.cluster.names, one.journal.places.read
        for number, fields in enumerate((("c", "x"), ("k", "b", "c", "1")), start=1):
            place = f"{read.epoch}-{read.number + number}"
            self.redis.ask("XADD", names.log("/"), place, *fields)
            self.redis.ask("HINCRBY", names.meta("/"), "head", "1")
        await until(lambda: one.journal.places.read.number == read.number + 2)
        late = self.node("g3")
        speaker, ears = await two.ear(), [await node.ear() for node in (one, late)]
        speaker.emit("a", {})
        await until(lambda: all(len(ear.events) == 1 for ear in ears))
        self.flushLoggedErrors(KeyError)

    async def test_a_gateway_with_another_key_gets_nothing(self):
        (one,) = await self.nodes(1)
        other = self.node("g2", key=b"x" * 32)
        await until(lambda: "another key" in other.cluster.talk.trouble)
        self.assertFalse(other.journal.reading.is_attached)
        await until(lambda: "another key" in other.cluster.cut_off, "what /readyz says")
        self.assertTrue(one.journal.reading.is_attached)

    async def test_what_a_process_said_last_is_written_before_it_is_replaced(self):
        one, two = await self.nodes(2)
        speaker, ear = await one.ear(), await two.ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        one.cluster.flush()
        one.close()
        await until(lambda: ear.events)
