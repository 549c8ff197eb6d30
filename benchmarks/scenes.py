"""The states of the page that have a screenshot: what the gateway says in each of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import attrs

from benchmarks import invented
from benchmarks.invented import NOW, Event


def ago(seconds: float) -> str:
    """A moment before the one that is shown."""
    return (NOW - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def later(seconds: float) -> str:
    """A moment after it."""
    return ago(-seconds)


def names(rates: dict[str, float]) -> dict[str, Any]:
    """Of events by name: what `/status` tells, of their rates."""
    return {
        name: {"last": ago(0.2), "age": 0.2, "rate": rate, "count": round(rate * 9000)}
        for name, rate in rates.items()
    }


QUOTES = names(
    {"market_tick": 92.0, "market_bidask": 118.0, "market_snapshot": 3.4, "heartbeat": 0.2}
)
OPEN = {
    "futures": {
        "open": True,
        "closes": "2026-12-01T13:45:00+08:00",
        "opens": "2026-12-01T15:00:00+08:00",
        "stale": None,
    },
    "stocks": {
        "open": True,
        "closes": "2026-12-01T13:30:00+08:00",
        "opens": "2026-12-02T09:00:00+08:00",
        "stale": None,
    },
}
SHUT = {
    "futures": {"open": False, "closes": None, "opens": "2026-12-01T15:00:00+08:00", "stale": None},
    "stocks": {"open": False, "closes": None, "opens": "2026-12-02T09:00:00+08:00", "stale": None},
}
EXIT: dict[str, Any] = {
    "at": ago(65),
    "pid": 15921,
    "code": 1,
    "signal": None,
    "asked": False,
    "class": "too-many-connections",
    "reason": "",
    "lastLine": "ConnectionError: StatusCode: 451, Detail: Too Many Connections.",
}
UNTOLD = {"connected": None, "since": None}
"""What is known of the broker before the worker says it."""
STATUS: dict[str, Any] = {
    "state": "running",
    "running": True,
    "ready": True,
    "pid": 15880,
    "generation": 5,
    "restarts": 4,
    "uptime": 7325.0,
    "lastExit": None,
    "exits": [],
    "nextStartAt": None,
    "nextStartIn": None,
    "budget": {"day": "2026-12-01", "used": 9, "limit": 200, "saved": 1},
    "program": {
        "name": "/home/desk/feed/main.py",
        "python": "/home/desk/feed/venv/bin/python",
        "version": "3.11.7",
        "packages": {"shioaji": "1.2.5", "python-socketio": "5.11.0"},
    },
    "broker": {"connected": True, "since": ago(7300)},
    "overriddenKeys": [],
    "unready": False,
    "unconnected": None,
    "adoptedAt": None,
    "cpuPercent": 3.1,
    "memoryBytes": 148_000_000,
    "startedAt": ago(6 * 86400 + 2 * 3600),
    "schedule": {
        "nextRestart": "2026-12-01T14:54:00+08:00",
        "restarts": [f"2026-12-01T{at}:00+08:00" for at in ("06:30", "08:40", "14:54")],
        "nextSession": None,
    },
    "time": NOW.timestamp(),
    "timezone": "Asia/Taipei",
    "version": "2.0.0",
    "access": {"name": "desk-2", "role": "control"},
    "actions": [],
    "alerting": [],
    "relay": {
        "clients": {"websocket": 6, "polling": 1},
        "events": 4_182_004,
        "refused": 0,
        "skipped": 0,
        "evicted": 0,
    },
    "clients": [
        {
            "address": "127.0.0.1:40118",
            "transport": "websocket",
            "namespace": "/",
            "lag": 0,
            "worker": True,
        },
        {
            "address": "192.168.1.20:51022",
            "transport": "websocket",
            "namespace": "/",
            "lag": 0,
            "worker": False,
        },
        {
            "address": "192.168.1.44:50190",
            "transport": "polling",
            "namespace": "/",
            "lag": 421_888,
            "worker": False,
        },
    ],
    "freshness": {"stale": [], "markets": OPEN, "silentCodes": ["3481"], "events": QUOTES},
}


def _lines(*told: tuple[float, str, str]) -> list[str]:
    """Lines of a log: how long ago, who says it, and what."""
    return [f"{ago(seconds)} {who} {text}" for seconds, who, text in told]


ACTIONS = [
    {
        "at": ago(80),
        "path": "/restart-python",
        "who": "token desk-2",
        "address": "192.168.1.20",
        "outcome": "done",
        "detail": "",
        "forced": True,
    },
    {
        "at": ago(106),
        "path": "/stop-python",
        "who": "nobody known",
        "address": "192.168.1.77",
        "outcome": "refused",
        "detail": "wrong token",
        "forced": False,
    },
]
ALERTING = [
    {"kind": "line", "host": "api.line.me", "at": ago(66_000), "error": ""},
    {"kind": "ntfy", "host": "ntfy.sh", "at": ago(60), "error": "answered 429"},
]
KNOWN = {
    "access": {
        "name": "desk-2",
        "role": "control",
        "others": [{"name": "viewer", "role": "view"}, {"name": "lab", "role": "publish"}],
    },
    "actions": ACTIONS,
    "alerting": ALERTING,
    "recording": {"file": "2026-12-01-day.jsonl.zst", "bytes": 214_000_000, "trouble": ""},
}
"""Of a gateway that more than one person uses."""

OUT, ERR = "[Python stdout]", "[Python stderr]"
CALM = {
    "worker": _lines(
        (7325, OUT, "INFO connected to the gateway"),
        (7324, OUT, "INFO login: simulation=False"),
        (7314, OUT, "INFO logged in, 66 contracts"),
        (7312, OUT, "INFO subscribed to 66 codes"),
    ),
    "gateway": _lines(
        (7327, "[Gateway]", "sjgateway 2.0.0 listens on 127.0.0.1:3001"),
        (7326, "[Python]", "The worker is starting"),
        (7325, "[Socket]", "127.0.0.1:40118 connected by websocket (1 now)"),
        (7311, "[Python]", "The worker is running"),
        (640, "[Socket]", "192.168.1.44:50190 connected by polling (7 now)"),
        (17, "[Relay]", "2134 events in 10 s: market_bidask 1180, market_tick 920, heartbeat 2"),
        (7, "[Relay]", "2141 events in 10 s: market_bidask 1184, market_tick 923, heartbeat 2"),
    ),
}
TROUBLE = {
    "worker": _lines(
        (75, OUT, "INFO connected to the gateway"),
        (75, OUT, "INFO login: simulation=False"),
        (72, ERR, "WARNING login retry 1 of 3"),
        (69, ERR, "WARNING login retry 2 of 3"),
        (65, ERR, "Traceback (most recent call last):"),
        (65, ERR, '  File "main.py", line 212, in login'),
        (65, ERR, "    accounts = api.login(key, secret)"),
        (65, ERR, EXIT["lastLine"]),
    ),
    "gateway": _lines(
        (80, "[Audit]", "POST /restart-python by token desk-2 from 192.168.1.20: done"),
        (78, "[Python]", "The worker exited with code 0 after SIGINT"),
        (77, "[Python]", "The worker is starting"),
        (64, "[Python]", "The worker exited with code 1 (too-many-connections)"),
        (64, "[Python]", "The worker is to start in 167.0 s: the broker asked for a pause"),
        (36, "[Relay]", "10 events in 10 s: weather 10"),
        (6, "WARN [Relay]", "No quotes although the market trades. Tries again at 10:44:00"),
    ),
}
"""By source."""


@attrs.frozen
class Scene:
    """One state of the page; `status` is put over the usual one, `more` over its `freshness`."""

    status: dict[str, Any] = attrs.Factory(dict)
    more: dict[str, Any] = attrs.Factory(dict)
    events: tuple[Event, ...] = tuple(invented.events())
    refusal: int = 0
    """The status with which every request is answered instead."""
    lack: str = "token_missing"
    """The `code` of that answer."""
    is_lost: bool = False
    """The gateway goes away when all has been said."""
    logs: dict[str, list[str]] = attrs.Factory(lambda: CALM)
    """The lines of the worker and of the gateway."""
    place: str = "#/TXFR1"
    kept: dict[str, str] = attrs.Factory(dict)
    """What this browser has kept of earlier visits, by name."""
    pressed: str = ""
    """The key that is pressed when all has been said."""
    contracts: tuple[tuple[datetime, str], ...] = ()
    """For which contracts the codes of the chart stood, each from a time on."""

    def answer(self, seconds: float) -> dict[str, Any]:
        """What `/status` tells so long after the beginning."""
        freshness = {**STATUS["freshness"], **self.more}
        freshness["events"] = {
            name: {**told, "count": told["count"] + round(told["rate"] * seconds)}
            for name, told in freshness["events"].items()
        }
        return {**STATUS, "freshness": freshness, **self.status}


def _down(state: str, **more: Any) -> dict[str, Any]:
    return {
        "state": state,
        "running": False,
        "ready": False,
        "pid": None,
        "uptime": None,
        "broker": {"connected": False, "since": ago(65)},
        "lastExit": EXIT,
        "exits": [EXIT],
        **more,
    }


def _said(status: str, **more: Any) -> Event:
    return "python_status", {"status": status, "timestamp": ago(60), **more}


_QUIET = {
    "events": {
        name: {**told, "last": ago(80), "age": 80.0, "rate": 0.0} for name, told in QUOTES.items()
    }
}
_SILENT = {
    **_QUIET,
    "stale": ["futures", "stocks"],
    "markets": {
        name: {**each, "stale": "no ticks while the market trades"} for name, each in OPEN.items()
    },
}
_MANY = tuple(
    each
    for number in range(300)
    for each in (
        invented.contract(
            f"{2000 + number}", f"個股{number}", "stock", 100 + number, number % 7 - 3
        ),
        invented.tick(f"{2000 + number}", 100 + number, number % 7 - 3, 1000 + number),
    )
)

_ALARMS = [
    {"kind": "above", "code": "TXFR1", "value": 31285, "each": True, "isOn": True},
    {"kind": "below", "code": "TXFL6", "value": 31180, "each": False, "isOn": True},
    {"kind": "rise", "code": "2330", "value": 3, "each": False, "isOn": True},
    {"kind": "worker", "code": "", "value": None, "each": True, "isOn": False},
]


def _earlier(seconds: float) -> tuple[Event, ...]:
    """All events, as they would be if the last had come so long ago."""
    moved = {"datetime": ago(seconds), "timestamp": ago(seconds)}
    return tuple(
        (name, {**value, **moved} if "datetime" in value else value)
        for name, value in invented.events()
    )


CLUSTER: dict[str, Any] = {
    "gateway": "taipei-1",
    "cluster": "desk",
    "cutOff": None,
    "island": False,
    "waiting": 0,
    "dropped": 0,
    "passedOver": 0,
    "worker": "taipei-2",
    "namesake": False,
    "lease": {"seconds": 45.0, "token": 7, "renewed": 1.3, "left": 43.7},
    "members": [
        {"name": "hsinchu-1", "version": "1.9.0", "clients": 2},
        {"name": "taipei-1", "version": "2.0.0", "clients": 7},
        {"name": "taipei-2", "version": "2.0.0", "clients": 120},
    ],
}

SCENES: dict[str, Scene] = {
    "ready": Scene(events=(*invented.trades("TXFR1"), *invented.events())),
    "stock": Scene(
        events=(*invented.trials("2317"), *invented.trades("2317"), *invented.events()),
        place="#/2317/1m",
    ),
    "lines": Scene(
        events=(*invented.trades("TXFR1"), *invented.events()),
        kept={"alarms": json.dumps(_ALARMS), "averages": "on"},
        contracts=((invented.NIGHT, "TXFK6"), (invented.DAY, "TXFL6")),
        place="#/TXFR1/5m",
    ),
    "longest": Scene(
        events=tuple(invented.events(invented.STRESS)), place="#/ABCDEFGHIJKLMNOPQRST"
    ),
    "starting": Scene(
        {"state": "starting", "ready": False, "uptime": 3.0, "broker": UNTOLD},
        {"events": {}},
        events=(),
    ),
    "no-keys": Scene(
        {"ready": False, "uptime": 3.0, "broker": UNTOLD},
        {"events": {}},
        events=(_said("no credentials"),),
    ),
    "stale": Scene(more=_SILENT, events=_earlier(80)),
    "closed": Scene(
        _down(
            "stopped", nextStartAt="2026-12-01T14:54:00+08:00", nextStartIn=15103.0, lastExit=None
        ),
        {**_QUIET, "markets": SHUT},
        _earlier(600),
    ),
    "backoff": Scene(
        _down(
            "backoff",
            nextStartAt=later(20),
            nextStartIn=20.0,
            lastExit={**EXIT, "class": "network"},
        ),
        _SILENT,
        _earlier(80),
        logs=TROUBLE,
    ),
    "pause": Scene(
        _down("backoff", nextStartAt=later(103), nextStartIn=103.0),
        _SILENT,
        _earlier(80),
        logs=TROUBLE,
        place="#/ops",
    ),
    "fatal": Scene(_down("fatal", **KNOWN), _SILENT, _earlier(80), logs=TROUBLE, place="#/ops"),
    "gone": Scene(is_lost=True),
    "token": Scene(refusal=401, events=()),
    "wrong-token": Scene(refusal=401, lack="token_wrong", events=()),
    "view-only": Scene({"access": {"name": "viewer", "role": "view"}}, place="#/ops"),
    "replay": Scene(
        {
            "replay": True,
            "replaying": {
                "files": ["2026-11-30-day.jsonl.zst"],
                "time": ago(0),
                "begins": ago(7000),
                "ends": later(9000),
                "speed": 10,
                "paused": False,
                "ended": False,
                "round": 1,
            },
        }
    ),
    "300-codes": Scene(events=_MANY, place="#/2000"),
    "custom": Scene(
        {"state": "disabled", "running": False, "ready": False},
        {"events": names({"weather": 1.0, "sensor": 20.0})},
        events=(),
    ),
    "operations": Scene(KNOWN, place="#/ops"),
    "alarms": Scene(kept={"alarms": json.dumps(_ALARMS)}, pressed="n"),
    "cluster": Scene({"cluster": CLUSTER}, place="#/ops/cluster"),
}
"""By name."""
