"""What a real Redis does for the election, and for what gateways tell each other."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

import gateway
from gateway.cluster.address import Address
from gateway.cluster.blocking import ask, connected
from gateway.cluster.election import Record, Request
from gateway.cluster.inheritance import KEEP
from gateway.cluster.lease_script import WRITE, read, written
from gateway.cluster.members import PRESENT
from gateway.cluster.release import release
from tests.cluster.elections import write
from tests.cluster.servers import PASSWORD, RedisServer
from tests.interop.kept import Kept

LEASE = "{sjg:test}:lease"
RECORDS = [
    Record(holder, token, beat, run)
    for holder, run in (("a.1", "r1"), ("b.1", "r1"), ("", "r1"), ("", ""))
    for token in (1, 2)
    for beat in (1_700_000_000_000_001, 1_700_000_000_000_002)
]


SERVER = Kept(RedisServer)


class RedisTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = SERVER(self, "--requirepass", PASSWORD)
        port = self.server.port
        self.address = Address(host="127.0.0.1", port=port, db=1, password=PASSWORD)
        self.stream = self.enterContext(connected(self.address))
        self.ask("FLUSHDB")

    def ask(self, *words: str):
        return ask(self.stream, *words)

    def script(self, script, keys: list[str], *arguments: str):
        return self.ask("EVAL", script.text, str(len(keys)), *keys, *arguments)

    def write(self, request: Request, *more: str) -> Record | None:
        return read(self.script(WRITE, [LEASE, *more], *written(request)))

    def test_the_script_does_what_the_election_believes(self) -> None:
        choose = random.Random(7)
        record = None
        done = 0
        for _ in range(400):
            expected = choose.choice([record, choose.choice([None, *RECORDS])])
            new = choose.choice([None, *RECORDS])
            renews = expected is not None and new is not None and choose.random() < 0.5
            request = Request(0.0, "r1", new, expected, renews=renews)
            before, record = record, write(record, request)
            self.assertEqual(self.write(request), record, (before, request))
            done += record != before
            if choose.random() < 0.05:
                self.ask("DEL", LEASE)
                record = None
        self.assertGreater(done, 40)

    def test_who_takes_the_lease_leads_from_that_place_of_the_log_on(self) -> None:
        self.ask("HSET", "meta", "epoch", "5", "head", "7")
        mine, other = Record("a.1", 3, 1, "r1"), Record("b.1", 4, 2, "r1")
        for new, expected, renews in (
            (mine, None, False),
            (attrs.evolve(mine, beat=2), mine, True),
            (other, attrs.evolve(mine, beat=2), False),
            (attrs.evolve(other, holder="", beat=3), other, True),
        ):
            self.write(Request(0.0, "r1", new, expected, renews=renews), "log", "meta", "x", "y")
        entries = self.ask("XRANGE", "log", "-", "+")
        fields = [b"k", b"l", b"c", b"1", b"t"]
        self.assertEqual(entries, [[b"5-8", [*fields, b"3"]], [b"5-9", [*fields, b"4"]]])
        self.assertEqual(self.ask("HGET", "meta", "head"), b"9")

    def test_who_has_it_leads_a_log_that_begins_anew_too(self) -> None:
        """An emptied server gets the lease again, perhaps before the log."""
        mine = Record("a.1", 3, 1, "r1")
        self.write(Request(0.0, "r1", mine), "log", "meta")
        self.assertEqual(self.ask("EXISTS", "log", "meta"), 0)
        self.ask("HSET", "meta", "epoch", "6", "head", "0")
        for beat in (2, 3):
            new = attrs.evolve(mine, beat=beat)
            self.write(Request(0.0, "r1", new, mine, renews=True), "log", "meta")
        entries = self.ask("XRANGE", "log", "-", "+")
        self.assertEqual([fields[-1] for _, fields in entries], [b"3"])

    def test_a_record_of_the_version_before_can_be_taken(self) -> None:
        self.ask("DEL", LEASE)
        self.ask("HSET", LEASE, "holder", "a.1", "token", "3", "beat", "10", "run", "r1")
        old = self.write(Request(0.0, "r1"))
        self.assertEqual(old, Record("a.1", 3, 10, "r1", 0))
        new = Record("b.1", 4, 11, "r1", 45_000)
        self.assertEqual(self.write(Request(0.0, "r1", new, old)), new)

    def released(self, address: Address, **changes: object) -> bool:
        held = Record("a.1", 3, 10, "r1")
        self.ask("DEL", LEASE)
        self.write(Request(0.0, "r1", held))
        told = {"address": attrs.asdict(address), "lease": LEASE, "holder": "a.1", "token": 3}
        return release({**told, **changes})

    def test_a_lease_is_released_for_a_gateway_that_is_gone(self) -> None:
        unix = Address(path=str(self.server.socket), db=1, password=PASSWORD)
        for address in (self.address, unix):
            self.assertTrue(self.released(address))
            record = self.write(Request(0.0, "r1"))
            self.assertEqual((record.holder, record.token, record.beat), ("", 3, 11))
            self.assertNotIn(record.run, ("", "r1"))

    def test_one_that_somebody_else_has_is_not(self) -> None:
        for changes in ({"holder": "a.2"}, {"token": 2}):
            self.assertFalse(self.released(self.address, **changes))
            self.assertEqual(self.write(Request(0.0, "r1")).holder, "a.1")

    def test_where_redis_refuses_nothing_is_released(self) -> None:
        self.assertRaises(ValueError, self.released, attrs.evolve(self.address, password="wrong"))

    def test_it_is_released_by_a_program(self) -> None:
        self.ask("DEL", LEASE)
        self.write(Request(0.0, "r1", Record("a.1", 3, 10, "r1")))
        told = {"lease": LEASE, "holder": "a.1", "token": 3, "address": attrs.asdict(self.address)}
        subprocess.run(
            [sys.executable, "-m", "gateway.cluster.release"],
            input=json.dumps(told),
            text=True,
            cwd=Path(gateway.__file__).parents[1],
            env={},
            check=True,
        )
        self.assertEqual(self.write(Request(0.0, "r1")).holder, "")

    def test_only_the_holder_leaves_something(self) -> None:
        self.write(Request(0.0, "r1", Record("a.1", 3, 10, "r1")))
        for holder, token, kept in (("b.1", "3", 0), ("a.1", "2", 0), ("a.1", "3", 1)):
            self.assertEqual(self.script(KEEP, [LEASE, "kept"], holder, token, "text"), kept)
            self.assertEqual(self.ask("EXISTS", "kept"), kept)

    def test_members_are_told_and_forgotten(self) -> None:
        there = self.script(PRESENT, ["members"], "a", "one")
        self.assertEqual(there, [None, [b"a", b"one"]])
        self.script(PRESENT, ["members"], "b", "two")
        self.ask("XADD", "mail", "*", "m", "for b")
        keys = ["members", "mail"]
        before, found = self.script(PRESENT, keys, "a", "three", "b", "changed")
        self.assertEqual((before, len(found)), (b"one", 4))
        self.assertEqual(self.ask("EXISTS", "mail"), 1)
        _, found = self.script(PRESENT, keys, "a", "four", "b", "two")
        self.assertEqual(found, [b"a", b"four"])
        self.assertEqual(self.ask("EXISTS", "mail"), 0, "nobody will read it")
