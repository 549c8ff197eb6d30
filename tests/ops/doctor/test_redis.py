"""What `--check` says of a Redis that tells this and that; `tests.cluster` asks a real one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Any

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.address import Address
from gateway.cluster.settings import ClusterSettings
from gateway.ops.doctor import redis
from gateway.ops.doctor.finding import Level

GOOD = {
    "redis_version": "7.0.15",
    "aof_enabled": "1",
    "aof_last_write_status": "ok",
    "maxmemory_policy": "noeviction",
    "role": "master",
    "connected_slaves": "0",
}
OPTIONS = {"--key-field": "code", "--new": "1"}
ADDRESS = Address(host="db", port=6379)


def settings(address: Address = ADDRESS, key: bytes = bytes(32)) -> ClusterSettings:
    return ClusterSettings(address=address, name="c", gateway="g1", key=key, alike=OPTIONS)


class RedisCheckTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.members: list[bytes] = []
        self.mark: bytes | None = None

    def found(self, *, apart: float = 0.0, slow: float = 0.0, **told: str) -> list[Any]:
        """What is found where Redis tells all of this, whatever section it is asked for."""

        @contextmanager
        def connected(_: Address):
            yield None

        def ask(_: None, command: str, *words: str) -> Any:
            time.sleep(slow)
            if command == "HGETALL":
                self.assertEqual(words, ("{sjg:c}:members",))
                return self.members
            if command == "HGET":
                self.assertEqual(words, ("{sjg:c}:meta:/", "key"))
                return self.mark
            if command == "TIME":
                seconds, rest = divmod(time.time() + apart, 1)
                return [str(int(seconds)), str(int(rest * 1e6))]
            return None

        self.patch(redis, "connected", connected)
        self.patch(redis, "ask", ask)
        self.patch(redis, "info", lambda *_: {**GOOD, **told})
        return list(redis.check_redis(settings()))

    def bad(self, **told: Any) -> list[tuple[str, str]]:
        found = [each for each in self.found(**told) if each.level is not Level.OK]
        self.assertTrue(all(each.cure for each in found))
        return [(each.level.value, each.what) for each in found]

    def test_one_in_order(self) -> None:
        self.assertEqual(self.bad(), [])
        words = " ".join(map(str, self.found()))
        self.assertIn("Redis 7.0.15 at redis://db:6379/0", words)
        self.assertIn("ms", words)

    def test_valkey_tells_its_own_version_too(self) -> None:
        valkey = {"server_name": "valkey", "valkey_version": "9.1.0", "redis_version": "7.2.4"}
        self.assertIn("Valkey 9.1.0", str(self.found(**valkey)[0]))

    def test_what_is_wrong(self) -> None:
        for told, level, words in (
            ({"redis_version": "6.2.7"}, "fail", "too old"),
            ({"aof_enabled": "0"}, "warn", "keeps nothing on the disk"),
            ({"aof_last_write_status": "err"}, "fail", "can't write to its disk"),
            ({"maxmemory_policy": "allkeys-lru"}, "warn", "allkeys-lru"),
            ({"role": "slave"}, "fail", "replica"),
            ({"connected_slaves": "1"}, "warn", "goes on without them"),
            ({"apart": 60.0}, "warn", "differs by"),
            ({"slow": 2 * redis.FAR}, "warn", "takes"),
        ):
            ((how_bad, what),) = self.bad(**told)
            self.assertEqual(how_bad, level, what)
            self.assertIn(words, what)

    def test_gateways_that_were_started_with_other_options(self) -> None:
        for name, options in (
            ("g1", {"--key-field": "of the process before"}),
            ("g2", {"--key-field": "code", "--old": "2"}),
            ("g3", {"--key-field": "symbol"}),
        ):
            told = {"process": "p", "beat": 1, "options": options}
            self.members += [name.encode(), orjson.dumps(told)]
        self.members += [b"g4", b"nonsense"]
        self.assertIn("gateways: g1, g2, g3, g4", " ".join(map(str, self.found())))
        ((level, what),) = self.bad()
        self.assertEqual(level, "warn")
        self.assertIn("g3 has other options: --key-field is 'symbol', here 'code'", what)

    def test_a_cluster_with_another_key(self) -> None:
        self.mark = settings().key_mark.encode()
        self.assertEqual(self.bad(), [])
        self.mark = settings(key=b"another" * 5).key_mark.encode()
        ((level, what),) = self.bad()
        self.assertEqual(level, "fail")
        self.assertIn("another key", what)

    def test_replicas_that_are_waited_for_are_in_order(self) -> None:
        self.assertEqual(self.bad(connected_slaves="1", min_slaves_good_slaves="1"), [])

    def test_one_that_can_not_be_asked(self) -> None:
        @contextmanager
        def connected(_: Address):
            raise ValueError("WRONGPASS invalid username-password pair")
            yield

        self.patch(redis, "connected", connected)
        (finding,) = redis.check_redis(settings(Address(host="db", port=1, password="secret")))
        self.assertIs(finding.level, Level.FAIL)
        self.assertIn("WRONGPASS", finding.what)
        self.assertNotIn("secret", str(finding))
