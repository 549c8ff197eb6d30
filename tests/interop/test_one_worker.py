"""Two gateways of a cluster, one worker: with main.py and a broker that counts who is logged in."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from benchmarks.account import ENVIRONMENT_KEY, account, journal
from tests.cluster.servers import RedisServer
from tests.interop.kept import Kept
from tests.interop.test_adoption import AccountCase, forked

if TYPE_CHECKING:
    from benchmarks.successors import Gateway, Place

SERVER = Kept(RedisServer)
SAME = ("pid", "guardianPid", "generation", "state", "budget", "restarts", "program")
"""What both gateways tell of the worker in the same words."""
KEYS = {"apiKey": "POSTED-KEY-1", "secretKey": "posted-secret"}


class OneWorkerTests(AccountCase):
    def setUp(self) -> None:
        self.redis = SERVER(self)
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        (self.folder / "key").write_text(token_hex(32))
        self.cluster = token_hex(4)
        self.redis.vacate(self.cluster)

    def member(self, name: str, **environ: str) -> Place:
        """A machine with a gateway; all of them log in at one broker."""
        folder = self.folder / name
        folder.mkdir()
        place = account(
            folder,
            f"--cluster={self.redis.url}",
            f"--cluster-name={self.cluster}",
            f"--cluster-key-file={self.folder / 'key'}",
            f"--gateway-name={name}",
            "--cluster-lease=600",  # no machine is so busy that this matters
            launch=forked,
            STAND_IN_ACCOUNT=str(self.folder / "account"),
            STAND_IN_JOURNAL=str(self.folder / "journal"),
            **environ,
        )
        self.addCleanup(self.nothing_is_left, place)
        return place

    def heard(self, place: Place, condition: Any) -> dict[str, Any]:
        """The first answer of `/status` for which `condition` holds."""

        def asked() -> dict[str, Any] | None:
            told = place.status()
            return told if told and condition(told) else None

        return dict(place.until("status", asked))

    def has_worker(self, place: Place, name: str) -> dict[str, Any]:
        """What `place` tells when the gateway `name` has a worker that is ready."""
        ready = lambda told: told["ready"] and told["cluster"]["worker"] == name  # noqa: E731
        return self.heard(place, ready)

    def both(self, **environ: str) -> tuple[Place, Place, Gateway]:
        """Two gateways, of which the first has the worker."""
        a, b = self.member("a", **environ), self.member("b", **environ)
        first = a.gateway()
        self.has_worker(a, "a")
        b.gateway()
        self.has_worker(b, "a")
        return a, b, first

    def calls(self, call: str) -> list[dict[str, Any]]:
        self.assertEqual(self.entries("double"), [], "two were logged in at once")
        return self.entries(call)

    def entries(self, call: str) -> list[dict[str, Any]]:
        return journal(self.folder, call)

    def no_secret_is_in_redis(self) -> None:
        """Neither in its files, which have each command, nor in its own log."""
        key = (self.folder / "key").read_text()
        secrets = [key, *KEYS.values(), ENVIRONMENT_KEY, "environment-secret"]
        files = [file for file in self.redis.folder.rglob("*") if file.is_file()]
        written = b"".join(file.read_bytes() for file in files)
        self.assertIn(f"{{sjg:{self.cluster}}}:keys".encode(), written)
        self.assertEqual([each for each in secrets if each.encode() in written], [])

    def test_all_gateways_answer_for_it_and_one_has_it(self) -> None:
        a, b, first = self.both()
        pid = a.status()["pid"]
        first.kill()
        first = a.gateway()
        told = self.has_worker(a, "a")
        self.assertEqual(told["pid"], pid, "it is kept, and so is the lease")
        self.assertEqual(len(self.calls("login")), 1)

        there = lambda told: told["ready"] and len(told["cluster"]["members"]) == 2  # noqa: E731
        told = self.heard(b, there)
        for name in SAME:  # a second later at most
            b.until(name, lambda name=name: b.status().get(name) == a.status()[name])
        self.assertEqual([each["name"] for each in told["cluster"]["members"]], ["a", "b"])
        for path in ("/readyz", "/sj-ready", "/logs?lines=50"):
            b.until(path, lambda path=path: b.ask(path) == a.ask(path))
        own = [each.ask("/logs?source=gateway&lines=1000")[1]["lines"][0] for each in (a, b)]
        self.assertIn("[Gateway] Listening on", own[0])
        self.assertNotEqual(*(line.partition("Listening")[2] for line in own))  # other ports

        status, answer = b.ask("/restart-python", {})
        self.assertEqual((status, answer["oldPid"]), (200, told["pid"]), answer)
        self.heard(b, lambda told: told["pid"] == answer["newPid"] and told["ready"])
        self.assertEqual(b.ask("/set-sj-key?wait=ready", KEYS)[0], 200)
        self.assertEqual(b.ask("/set-sj-key", {"apiKey": "half"})[0], 400)
        used = 3
        b.until("count", lambda: b.status()["budget"]["used"] == used)
        self.no_secret_is_in_redis()

        first.close()
        told = self.has_worker(b, "b")
        self.assertEqual(told["budget"]["used"], used + 1, "the count goes on")
        out, login = self.calls("logged out")[-1], self.calls("login")[-1]
        self.assertEqual(login["api_key"], KEYS["apiKey"], "the posted keys go with it")
        self.assertLess(out["time"], login["time"])
        self.assertEqual(b.ask("/stop-python", {})[0], 200)

    def test_one_that_does_not_come_back_is_followed_as_soon_as_its_worker_is_gone(self) -> None:
        """Not after the whole lease: the guardian gives it back."""
        _, b, first = self.both(SJGATEWAY_KEEP_WORKER="0.5")
        first.kill()
        self.has_worker(b, "b")
        self.assertEqual(len(self.calls("login")), 2)
