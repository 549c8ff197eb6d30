"""參考用的 worker：把 Shioaji（永豐金證券）的行情送到 gateway。
The reference worker: market data from Shioaji (SinoPac), told to the gateway as events.

    python -u main.py            以 API_KEY 與 SECRET_KEY 登入；沒有金鑰時會說明並等待
                                 log in with API_KEY and SECRET_KEY; without them, say so and wait
    python -u main.py --demo     示範行情：固定亂數種子的隨機漫步，並標示為示範
                                 a demonstration feed: a seeded random walk, marked as such
    python -u main.py --help     所有選項  all options

要改的地方有三處，以 ① ② ③ 標示。連線、停止、心跳、補送、遮蔽金鑰等都在 gateway/client 裡，
不必理會。

Three places are yours, marked ① ② ③.  The connection, the stop, the heartbeat, what is sent again
after an absence, and the redaction of keys are in gateway/client: no need to look at them.

需要的套件：python-socketio[client]、shioaji，以及本專案的 gateway。
It needs python-socketio[client], shioaji, and the package `gateway` of this project.

SIGINT 與 SIGTERM 會登出券商並以狀態 0 結束；其他原因結束時先告知瀏覽器（`python_error`），狀態
為 1，缺少套件時為 3。只登入一次，重新啟動是 gateway 的事。
SIGINT and SIGTERM log out of the broker and end it with status 0; what ends it otherwise is told to
the browsers first (`python_error`) and is status 1, or 3 for a package that is not installed.  It
logs in once: starting again is its supervisor's business.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if importlib.util.find_spec("gateway") is None:  # 只有 main.py，沒有 gateway  main.py alone
    hint = f"{sys.executable} -m pip install -e FOLDER, the folder of sjgateway"
    sys.stderr.write(f"No module named 'gateway': {hint}\n")
    raise SystemExit(3)

from gateway.client.rule import Rule
from gateway.client.run import run

if TYPE_CHECKING:
    from collections.abc import Iterable

CODES = ("TXFR1", "2330")
"""訂閱的商品；`--codes` 與 SJ_CODES 優先。
The contracts to subscribe to; `--codes` and SJ_CODES win."""


class MyRule(Rule):
    """您的規則。 Your rule.

    可用的東西 What you have:

    - `self.gateway.emit("my_signal", {...})`：送出自己的事件，所有前端都會收到。
      Send an event of your own; every front end hears it.
    - `self.api`：已登入的 `shioaji.Shioaji`，可下單、查詢；示範行情時為 None。
      The `shioaji.Shioaji` that is logged in, for orders and questions; None with --demo.

    ② 與 ③ 在同一條執行緒上依序執行，慢了也不會耽誤行情；出錯時會記錄並送出
    `python_error`，之後照常。
    ② and ③ run one after the other on one thread.  A slow one delays no market data; one that
    fails is logged and told (`python_error`), and the next one is called as usual.
    """

    def subscribe(self) -> Iterable[str]:
        """① 在這裡訂閱：傳回商品代碼。登入後執行一次，最多 100 個。
        ① SUBSCRIBE HERE: return codes.  Called once, after the login; at most 100.

        每個代碼都會訂閱成交（tick）與五檔（bid/ask）。也可以由合約清單挑選：
        Ticks and bid/ask of each are subscribed to.  You may choose from the contracts, too:

            return [c.code for c in self.api.Contracts.Options.TXO if c.strike_price == 23000]
        """
        return CODES

    def on_tick(self, tick: dict[str, Any]) -> None:
        """② 每一筆成交。`tick` 已經送給所有前端，這裡只需寫您的規則。
        ② ON EACH TICK.  All front ends have got `tick` already; only your rule goes here.

        `tick` 的內容 What is in it:

            {"code": "TXFL6", "datetime": "2026-11-30T09:00:00.123000+08:00", "price": 23000.0,
             "volume": 2, "total_volume": 1234, "tick_type": 1, "simtrade": False, ...}

        近月（TXFR1）的代碼是當月合約（TXFL6）。`tick_type`：1 外盤、2 內盤、0 無法判定。
        The code of TXFR1 is that of its month, TXFL6.  `tick_type`: 1 at the ask, 2 at the bid,
        0 unknown.  `simtrade`：試撮，沒有成交 a trial match, which trades nothing.

        例如 For example:

            if tick["volume"] >= 100:
                self.gateway.emit("large_trade", tick)
        """

    def on_bar(self, bar: dict[str, Any]) -> None:
        """③ 每一根走完的一分鐘 K 棒。
        ③ ON EACH BAR of one minute, when it is over.

        `bar` 的內容 What is in it:

            {"code": "TXFL6", "time": "2026-11-30T09:00:00+08:00",
             "open": 23000.0, "high": 23010.0, "low": 22995.0, "close": 23005.0, "volume": 321}

        `time` 是這一分鐘的開始。均線與下單的例子在 examples/indicator_worker.py。
        `time` is the start of the minute.  examples/indicator_worker.py has a moving average and
        an order.
        """


if __name__ == "__main__":
    if importlib.util.find_spec("dotenv"):  # 有就讀旁邊的 .env  a convenience, not a need
        importlib.import_module("dotenv").load_dotenv(interpolate=False)
    sys.exit(run(MyRule(), sys.argv[1:]))
