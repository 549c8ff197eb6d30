"""Links to a Redis in memory, which does what the scripts of the worker's half do."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from attrs import astuple

from gateway.cluster.election import Record, Request
from gateway.cluster.inheritance import KEEP
from gateway.cluster.lease_script import WRITE
from gateway.cluster.members import PRESENT
from gateway.cluster.resp import LostError, RedisError
from gateway.cluster.scripts import Names
from tests.cluster.elections import write

NAMES = Names("test")


class FakeRedis:
    """What several gateways have in common."""

    def __init__(self) -> None:
        self.runs = 1
        self.record: Record | None = None
        self.texts: dict[str, bytes] = {}
        self.members: dict[str, bytes] = {}
        self.streams: dict[str, list[dict[bytes, bytes]]] = defaultdict(list)

    def run_script(self, script, arguments):
        if script is WRITE:
            return self._write(arguments)
        if script is KEEP:
            holder, token, text = arguments
            now = self.record
            if now is None or (now.holder, str(now.token)) != (holder, token):
                return 0
            self.texts[NAMES.keys] = text
            return 1
        assert script is PRESENT
        name, text, *old = arguments
        before = self.members.get(name)
        self.members[name] = text
        for gone, word in zip(old[::2], old[1::2], strict=True):
            if self.members.get(gone) == word:
                del self.members[gone]
        return [
            before,
            [part for name, text in self.members.items() for part in (name.encode(), text)],
        ]

    def _write(self, arguments):
        how, *fields = arguments
        records = [
            Record(holder, int(token), int(beat), run, int(lasts))
            for holder, token, beat, run, lasts in zip(*[iter(fields)] * 5, strict=True)
        ]
        new, expected = (*records, None, None)[:2]
        self.record = write(self.record, Request(0.0, "", new, expected, renews=how == "renew"))
        found = self.record
        if found is None:
            return None
        return [str(field).encode() for field in astuple(found)]

    def call(self, command, key, *words):
        if command == "GET":
            return self.texts.get(key)
        if command == "SET":
            self.texts[key] = words[0]
        elif command == "HDEL":
            self.members.pop(words[0], None)
        elif command == "DEL":
            self.streams.pop(key, None)
        else:
            assert command == "XADD"
            self.streams[key].append({words[-2].encode(): words[-1]})
        return b"OK"


class FakeLink:
    """Answers at once, unless the test holds the answers back."""

    def __init__(self, redis: FakeRedis | None = None) -> None:
        self.redis = redis or FakeRedis()
        self.is_up = False
        self.run = ""
        self.scripts: list[Any] = []
        self.on_up: list[Any] = []
        self.on_down: list[Any] = []
        self.asked: list[Any] = []
        self.error: RedisError | None = None
        self.holds = False
        self.waiting: list[tuple[Any, Any]] = []

    def run_script(self, script, keys, arguments, answer) -> None:
        assert script in self.scripts
        self._do(arguments, lambda: self.redis.run_script(script, arguments), answer)

    def call(self, *command, answer) -> None:
        self._do(command, lambda: self.redis.call(*command), answer)

    def _do(self, asked, do, answer) -> None:
        if not self.is_up:
            answer(LostError("LOST there is no connection"))
            return
        self.asked.append(asked)
        reply = self.error or do()
        if self.holds:
            self.waiting.append((answer, reply))
        else:
            answer(reply)

    # -- what the test does -----------------------------------------------------------------

    def up(self) -> None:
        self.is_up, self.run = True, f"run-{self.redis.runs}"
        for heed in self.on_up:
            heed()

    def down(self) -> None:
        self.is_up, self.run = False, ""
        waiting, self.waiting = self.waiting, []
        for answer, _ in waiting:
            answer(LostError("LOST it is gone"))
        for heed in self.on_down:
            heed()

    def let_go(self) -> None:
        """Give the answers that were held back."""
        self.holds = False
        waiting, self.waiting = self.waiting, []
        for answer, reply in waiting:
            answer(reply)
