"""A broker's account over many ends of the gateway at random moments: who logs in, and when."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.successors import ROOT, Gateway, Launch, Place

if TYPE_CHECKING:
    from pathlib import Path

STAND_INS = ROOT / "tests" / "stand_ins"
LOGIN, LOGOUT = 0.4, 0.3
"""Seconds that the broker takes, in which no signal reaches Python."""
MOMENTS = 2.5
"""An end comes within so many seconds after an action."""
KEEP = 30
"""Seconds for which a worker waits for the next gateway.  After a longer absence, of a gateway that
starts slowly on a busy machine, it has logged out, and another one may log in."""
ENVIRONMENT_KEY = "ENVIRONMENT-KEY-0"


def account(
    folder: Path, *options: str, launch: Launch = subprocess.Popen, **environ: str
) -> Place:
    """main.py with a broker that notes each call, and who logs in beside another one."""
    given = {
        "SJGATEWAY_KEEP_WORKER": str(KEEP),
        "RESTARTS": str(folder),
        "API_KEY": ENVIRONMENT_KEY,
        "SECRET_KEY": "environment-secret",
        "SJ_CODES": "TXFR1",
        "STAND_IN_JOURNAL": str(folder / "journal"),
        "STAND_IN_ACCOUNT": str(folder / "account"),
        "STAND_IN_BLOCK": str(LOGIN),
        "STAND_IN_LOGOUT": str(LOGOUT),
    }
    return Place(
        folder,
        ROOT / "main.py",
        "--fatal-after=0",
        "--budget=1000000",
        *options,
        paths=(ROOT, STAND_INS, STAND_INS / "shioaji_1_7"),
        environ={**given, **environ},
        launch=launch,
    )


def journal(folder: Path, call: str) -> list[dict[str, Any]]:
    """The broker's notes of `call` in `folder`, in their order."""
    path = folder / "journal"
    lines = path.read_text().splitlines() if path.exists() else []
    return [entry for entry in map(json.loads, lines) if entry["call"] == call]


@dataclass
class Asked:
    """A request that runs while its gateway ends."""

    action: str
    key: str = ""
    code: int = 0
    """Status of the answer; 0: none came, or the connection was lost."""
    body: dict[str, Any] = field(default_factory=dict)
    forgets: bool = False
    """Posted keys may be forgotten: neither a worker nor its guardian was sure to be there."""
    too_late: bool = False
    """The next gateway may have come when its worker had waited for long enough."""


class Account:
    """One account; each `round` ends the gateway once and looks at what came of it."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self._random = random.Random(seed)
        self._gateway = place.gateway()
        self._key = ENVIRONMENT_KEY
        self.wrong: list[str] = []
        """What should not have been."""
        self.kept = self.replaced = self.forgot = 0
        self._killed = 0.0
        """When a gateway was killed last, in seconds since 1970."""
        is_ready(self.place)

    def _ask(self, asked: Asked) -> None:
        path, body = {
            "restart": ("/restart-python", {}),
            "keys": ("/set-sj-key", {"apiKey": asked.key, "secretKey": "posted-secret"}),
            "stop": ("/stop-python", {}),
        }[asked.action]
        with suppress(OSError, ValueError):
            asked.code, asked.body = self.place.ask(path, body)

    def round(self, number: int, end: str) -> None:
        """Perhaps ask for something, end the gateway a moment later, and judge."""
        before = is_ready(self.place)
        logins = len(journal(self.place.folder, "login"))
        asked = Asked(
            self._random.choice(["nothing", "nothing", "restart", "restart", "keys", "stop"]),
            f"POSTED-KEY-{number:04}",
        )
        thread = threading.Thread(target=self._ask, args=(asked,))
        if asked.action != "nothing":
            thread.start()
        after = self._random.uniform(0, MOMENTS)
        time.sleep(after)
        ended = time.monotonic()
        how = self._hand_over() if end == "hand-over" else self._kill()
        if asked.action != "nothing":
            thread.join()
        if asked.action == "stop":
            self.place.until("answer", lambda: self.place.status().get("state"))
            self.place.ask("/start-python", {})
        now = is_ready(self.place)
        asked.too_late = time.monotonic() - ended > KEEP
        new = journal(self.place.folder, "login")[logins:]
        what = f"round {number}: {asked.action}, {how} after {after:.2f} s"
        outs = [
            each for each in journal(self.place.folder, "logged out") if each["time"] < self._killed
        ]
        asked.forgets = end == "kill" and before["pid"] in [each["pid"] for each in outs]
        self._judge(what, asked, before, now, new)

    def _judge(
        self,
        what: str,
        asked: Asked,
        before: dict[str, Any],
        now: dict[str, Any],
        new: list[dict[str, Any]],
    ) -> None:
        def note(problem: str) -> None:
            self.wrong.append(f"{what} (answer {asked.code}): {problem}")

        allowed = (asked.action != "nothing") + asked.too_late
        self.kept += now["pid"] == before["pid"]
        self.replaced += len(new)
        if len(new) > allowed:
            note(f"{len(new)} logins, {allowed} may be")
        if (now["pid"] == before["pid"]) != (not new):
            note(f"pid {before['pid']} became {now['pid']} with {len(new)} logins")
        if asked.code == 200 and not new:
            note("answered as done, but nobody logged in")
        if asked.code == 200 and asked.action == "restart":
            pid = asked.body.get("newPid")
            if pid != now["pid"] and not asked.too_late:
                note(f"the answer tells of pid {pid}, but {now['pid']} runs")
        wanted = {self._key} if asked.action != "keys" else {self._key, asked.key}
        if asked.action == "keys" and asked.code == 200:
            wanted = {asked.key}
        last = new[-1]["api_key"] if new else self._key
        if asked.forgets and last == ENVIRONMENT_KEY and last not in wanted:
            self.forgot += 1
            wanted.add(last)
        if new and last not in wanted:
            note(f"logged in with {last}, not with {' or '.join(sorted(wanted))}")
        self._key = last
        if not psutil.pid_exists(now["pid"]):
            note(f"/status tells of pid {now['pid']}, which is gone")
        if journal(self.place.folder, "double"):
            note("two were logged in at once")
        workers = [each for each in self.place.family() if is_worker(each)]
        if [each.pid for each in workers] != [now["pid"]]:
            note(f"there are the workers {workers}")

    def _hand_over(self) -> str:
        before = self._gateway.starts
        self._gateway.hand_over()
        self.place.until("hand-over", lambda: self._gateway.starts > before)
        return "hand-over"

    def _kill(self) -> str:
        """Kill the gateway; one, two, or one that is killed too and another one follow."""
        how = self._random.choice(["one", "one at once", "two at once", "one killed meanwhile"])
        spares = [
            self.place.gateway(prepared=True)
            for _ in range({"one": 0, "one at once": 1}.get(how, 2))
        ]
        self._gateway.kill()
        self._killed = time.time()
        if how == "one":
            spares = [self.place.gateway()]
        elif how == "one killed meanwhile":
            first, *spares = spares
            first.begin()
            time.sleep(self._random.uniform(0, 1))
            first.kill()
            self._killed = time.time()
        for each in spares:
            if how != "one":
                each.begin()
        self._gateway = self._survivor(spares)
        return f"kill -9, {how}"

    def _survivor(self, gateways: list[Gateway]) -> Gateway:
        """Of several, the one that is left: the port is for one."""

        def left() -> list[Gateway]:
            return [each for each in gateways if each.process.poll() is None]

        self.place.until("one that is left", lambda: len(left()) == 1)
        return left()[0]

    def end(self) -> float:
        """Kill the gateway for good; seconds until nothing is left of it."""
        self._gateway.kill()
        begun = time.monotonic()
        while self.place.family() and time.monotonic() < begun + KEEP + 30:
            time.sleep(0.05)
        self.wrong += [f"it is still there: {each}" for each in self.place.family()]
        seconds = time.monotonic() - begun
        outs = {entry["pid"] for entry in journal(self.place.folder, "logged out")}
        for pid in {entry["pid"] for entry in journal(self.place.folder, "logged in")} - outs:
            self.wrong.append(f"pid {pid} did not log out")
        return seconds

    def close(self) -> None:
        for process in self.place.family():
            with suppress(psutil.Error):
                process.kill()
        self._gateway.kill()


def is_ready(place: Place) -> dict[str, Any]:
    """Wait until a worker is logged in; the status then."""

    def look() -> dict[str, Any] | None:
        status = place.status()
        pids = {entry["pid"] for entry in journal(place.folder, "logged in")}
        well = status.get("state") == "running" and status["pid"] in pids
        return status if well and status.get("ready") else None

    found: dict[str, Any] = place.until("ready worker", look)
    return found


def is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "main.py" in " ".join(process.cmdline()[1:3])
    return False
