"""Clients that come back to another gateway of the cluster, with a real Redis."""

import orjson

from gateway.cluster import reading
from gateway.relay import entrance
from tests.cluster.test_log import names
from tests.cluster.world import ClusterCase, Ear, until


class RecoveryTests(ClusterCase):
    async def left(self, **auth):
        """Two gateways, of which the first is killed when its client has got one event."""
        one, two = await self.nodes(2)
        client = await one.ear(recover=True, **auth)
        speaker = await two.ear()
        speaker.emit("market_tick", {"code": "A", "n": 0})
        await until(lambda: len(client.events) == 1)
        return one, two, client, speaker

    async def back(self, node, client, **auth):
        return await node.ear(recover=True, pid=client.reply["pid"], offset=client.place, **auth)

    async def test_who_was_cut_off_from_one_gateway_goes_on_at_another(self):
        one, two, client, speaker = await self.left()
        client.emit("mine", {})
        await until(lambda: len(speaker.events) == 1)
        one.close()
        for number in range(1, 4):
            speaker.emit("market_tick", {"code": "A", "n": number})
        await until(lambda: two.log.head == 5)
        back = await self.back(two, client)
        speaker.emit("market_tick", {"code": "A", "n": 4})
        await until(lambda: len(back.events) == 4)
        self.assertEqual([value["n"] for _, value in names(back.events)], [1, 2, 3, 4])
        self.assertEqual(back.reply["sid"], client.reply["sid"])

    async def test_a_gateway_that_starts_later_knows_what_was_said_before(self):
        one, two, client, speaker = await self.left()
        one.close()
        speaker.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: two.log.head == 2)
        (three,) = [self.node("g3")]
        back = await self.back(three, client)
        await until(lambda: len(back.events) == 1)
        self.assertEqual(names(back.events), [["market_tick", {"code": "A", "n": 1}]])

    async def test_who_was_elsewhere_for_long_comes_back_to_where_it_was_first(self):
        one, two = await self.nodes(2, recovery_time=0.001)
        client, speaker = await one.ear(recover=True), await two.ear()
        for number, node in enumerate((two, one)):
            speaker.emit("market_tick", {"code": "A", "n": number})
            await until(lambda client=client: client.events)
            client.lose()
            again = await self.back(node, client)
            self.assertEqual(again.reply["sid"], client.reply["sid"])
            client = again

    async def test_who_comes_to_a_gateway_that_is_slower_waits_until_it_has_read_so_much(self):
        one, two, client, speaker = await self.left()
        takes, log, held = two.cluster.tail._takes, two.cluster.names.log("/"), []
        take, takes[log] = takes[log], lambda *entry: held.append(entry)
        other = await one.ear()
        other.emit("market_tick", {"code": "A", "n": 1})
        await until(lambda: len(client.events) == 2)
        one.close()
        back = Ear(two, recover=True, pid=client.reply["pid"], offset=client.place)
        self.assertFalse(back.is_in)
        await until(lambda: held)
        for entry in held:
            take(*entry)
        takes[log] = take
        await until(lambda: back.is_in)
        self.assertEqual(back.reply["sid"], client.reply["sid"])
        speaker.emit("market_tick", {"code": "A", "n": 2})
        await until(lambda: [value["n"] for _, value in names(back.events)] == [2])

    async def test_what_never_comes_is_not_waited_for_for_ever(self):
        self.patch(entrance, "SOON", 0.001)
        _, two, client, _ = await self.left()
        epoch, _, position = client.place.rpartition("-")
        ahead = f"{epoch}-{int(position) + 1000}"
        back = await two.ear(recover=True, pid=client.reply["pid"], offset=ahead)
        self.assertNotEqual(back.reply["sid"], client.reply["sid"])

    async def test_what_the_log_forgets_while_a_gateway_reads_it_is_not_passed_over(self):
        (one,) = await self.nodes(1)
        speaker, ear = await one.ear(), await one.ear(recover=True)
        for number in range(12):
            speaker.emit("market_tick", {"code": "A", "n": number})
            await until(lambda number=number: len(ear.events) == number + 1)
        self.patch(reading, "AT_ONCE", 3)
        two = self.node("g2")
        log, ask = one.cluster.names.log("/"), two.journal.reading._ask
        pages = []

        def trimmed(start):
            pages.append(start)
            if len(pages) == 2:
                place = one.journal.places.place(8)
                self.redis.ask("XTRIM", log, "MINID", f"{place.epoch}-{place.number + 1}")
            ask(start)

        two.journal.reading._ask = trimmed  # type: ignore[method-assign]
        await until(lambda: two.journal.reading.is_attached)
        places = [orjson.loads(line[2:])[-1] for line in ear.events]
        found = []
        for place in (places[1], places[7], places[9]):
            back = await two.ear(recover=True, pid=ear.reply["pid"], offset=place)
            found.append(back.reply["sid"] == ear.reply["sid"])
        self.assertEqual(found, [False, True, True])

    async def test_a_changed_filter_is_known_elsewhere(self):
        one, two, client, speaker = await self.left(codes=["A"])
        client.emit("sjgateway:subscribe", {"codes": ["B"]})
        await until(lambda: two.journal.places.read.number == 2, "the note")
        speaker.emit("market_tick", {"code": "B", "n": 1})
        await until(lambda: len(client.events) == 2)
        one.close()
        for code in "AB":
            speaker.emit("market_tick", {"code": code, "n": 2})
        await until(lambda: two.log.head == 4)
        back = await self.back(two, client, codes=["A"])
        await until(lambda: back.events)
        self.assertEqual(names(back.events), [["market_tick", {"code": "B", "n": 2}]])

    async def test_a_client_with_a_filter_that_it_never_changed_comes_back_elsewhere(self):
        one, two, client, speaker = await self.left(codes=["A"])
        one.close()
        for code in "BA":
            speaker.emit("market_tick", {"code": code, "n": 1})
        await until(lambda: two.log.head == 3)
        back = await self.back(two, client, codes=["A"])
        await until(lambda: back.events)
        self.assertEqual(names(back.events), [["market_tick", {"code": "A", "n": 1}]])

    async def test_who_left_for_good_is_new_elsewhere(self):
        _, two, client, _ = await self.left()
        client.say("41")
        await until(lambda: two.journal.places.read.number == 2, "the note")
        back = await self.back(two, client)
        self.assertNotEqual(back.reply["sid"], client.reply["sid"])

    async def test_no_command_is_sent_for_a_client_that_comes_back(self):
        one, two, client, _ = await self.left()
        one.close()
        calls = []
        two.cluster.talk.call = lambda *command, answer: calls.append(command)
        back = await self.back(two, client)
        self.assertEqual(back.reply["sid"], client.reply["sid"])
        self.assertEqual(calls, [])

    async def test_no_pid_can_be_read_in_redis(self):
        _, two, client, _ = await self.left(codes=["A"])
        client.emit("mine", {})
        client.emit("sjgateway:subscribe", {"codes": ["B"]})
        client.say("41")
        await until(lambda: two.journal.places.read.number == 4)
        signature = client.reply["pid"].rpartition(".")[2].encode()
        files = [file for file in self.redis.folder.rglob("*") if file.is_file()]
        self.assertTrue(any(b"market_tick" in file.read_bytes() for file in files))
        for file in files:
            self.assertNotIn(signature, file.read_bytes())
