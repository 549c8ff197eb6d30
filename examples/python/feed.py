"""在 Python 讀行情：先是每個商品的最新報價，之後是每一筆成交。
Reads the feed in Python: the newest quote of each code first, then each tick.

    pip install 'python-socketio[client]'
    python feed.py http://localhost:3001 TXFR1 2330
"""

import sys
from typing import Any

import socketio


def connected() -> None:
    print(f"connected to {url}", file=sys.stderr)


def status(told: dict[str, Any]) -> None:
    # 示範、重播、演練都有標記 a demonstration, a replay and a rehearsal say so
    made_up = any(told.get(mark) for mark in ("demo", "replay", "rehearsal"))
    shown["mark"] = " (not the market's)" if made_up else ""


def tick(told: dict[str, Any]) -> None:
    trade = f"{told['datetime']} {told['code']} {told['price']} x {told['volume']}"
    print(f"{trade}{shown['mark']}", flush=True)


shown = {"mark": ""}
client = socketio.Client()
client.on("connect", connected)
client.on("python_status", status)
client.on("market_tick", tick)
url, *codes = sys.argv[1:] or ["http://localhost:3001"]
auth: dict[str, Any] = {"events": ["market_tick", "python_status"], "snapshot": True}
if codes:
    auth["codes"] = codes
# 斷線後會自行重新連線 it connects again by itself when the connection is lost
client.connect(url, auth=auth, retry=True)
client.wait()
