"""What the worker, and the gateway, tell of themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct, field

from gateway.market.schemas.fields import MAY_BE_MISSING, says
from gateway.market.schemas.quotes import Marked


class ShioajiReady(Marked, kw_only=True):
    """The worker has logged in, and market data is coming."""

    status: Annotated[str, says("`ready`", "`ready`")]
    version: Annotated[
        str,
        says(
            "the version of shioaji; `demo` in the demonstration", "shioaji 的版本；示範時為 `demo`"
        ),
    ] = MAY_BE_MISSING
    service_type: Annotated[str, says("`market_data`", "`market_data`")] = MAY_BE_MISSING


class ContractsLoaded(Marked, kw_only=True):
    """To which contracts the worker has subscribed."""

    count: Annotated[int, says("how many", "幾個")]
    sample: Annotated[str, says("the first three, for people", "前三個，給人看的")]


class Heartbeat(Marked, kw_only=True):
    """The worker lives; about every 10 s."""

    status: Annotated[
        str,
        says(
            "`running`; `waiting`: it has no session with the broker",
            "`running`；`waiting` 表示沒有連上券商",
        ),
    ]
    shioaji_connected: Annotated[
        bool,
        says("whether it has a session with the broker", "是否連上券商"),
    ]
    current_price: Annotated[
        float | None,
        says("the newest price of the first contract", "第一個商品的最新成交價"),
    ] = MAY_BE_MISSING
    subscribed_contracts: Annotated[int, says("how many", "訂閱了幾個")] = MAY_BE_MISSING
    gateway_connected: Annotated[bool, says("true", "true")] = MAY_BE_MISSING


class PythonError(Marked, kw_only=True):
    """Something failed in the worker."""

    error: Annotated[
        str,
        says(
            "kind and text of the error, without secrets, up to 500 characters",
            "錯誤的種類與內容，已遮蔽機密，至多 500 字元",
        ),
    ]
    service: Annotated[
        str,
        says(
            "where: `shioaji`, `main`, `demo`, `certificate`, `callbacks`, `subscribe`,"
            " `contracts`, `snapshots`, `bars`, `rule`",
            "在哪裡：`shioaji`、`main`、`demo`、`certificate`、`callbacks`、`subscribe`、"
            "`contracts`、`snapshots`、`bars`、`rule`",
        ),
    ]
    code: Annotated[
        int,
        says("the broker's status code, such as 451", "券商的狀態碼，例如 451"),
    ] = MAY_BE_MISSING


class Budget(Struct):
    """The starts of the trading day."""

    day: Annotated[str, says("the trading day", "交易日")]
    used: Annotated[int, says("starts so far", "已啟動的次數")]
    limit: Annotated[int, says("how many are allowed", "上限")]
    remaining: Annotated[int, says("how many are left", "剩下的次數")]
    saved: Annotated[
        int,
        says(
            "workers that were taken over and had not to log in",
            "由下一個 gateway 接手、不必重新登入的次數",
        ),
    ]


class PythonStatus(Marked, kw_only=True):
    """The state of the worker.

    The gateway sends it with all fields but `exit_status`, null where there is nothing to say.  A
    worker may send one about itself, with `status` and what it likes.
    """

    status: Annotated[
        str,
        says(
            "of the gateway: `stopped`, `starting`, `running`, `stopping`, `exited`, `backoff`,"
            " `fatal`, `unready`, `ready`, `unconnected`, `connected`; main.py's: `connected`,"
            " `logging in`, `no credentials`, `ready`, `stopped`",
            "gateway 的：`stopped`、`starting`、`running`、`stopping`、`exited`、`backoff`、"
            "`fatal`、`unready`、`ready`、`unconnected`、`connected`；main.py 的：`connected`、"
            "`logging in`、`no credentials`、`ready`、`stopped`",
        ),
    ]
    message: Annotated[str, says("one sentence for people", "給人看的一句話")] = MAY_BE_MISSING
    pid: Annotated[
        int | None,
        says("the worker's process id", "worker 的行程編號"),
    ] = MAY_BE_MISSING
    generation: Annotated[
        int,
        says("the number of the start, from 1 on", "第幾次啟動，從 1 開始"),
    ] = MAY_BE_MISSING
    exit_code: Annotated[
        int | None,
        says("how it ended: its exit status", "如何結束：結束碼"),
    ] = field(default=MAY_BE_MISSING, name="exitCode")
    signal: Annotated[
        str | None,
        says(
            "or the signal it died of, such as `SIGSEGV`",
            "或是使它結束的訊號，例如 `SIGSEGV`",
        ),
    ] = MAY_BE_MISSING
    asked: Annotated[
        bool | None,
        says("whether the end was asked for", "是否是有人要求結束的"),
    ] = MAY_BE_MISSING
    cause: Annotated[
        str | None,
        says(
            "why it ended, such as `network`, `authentication`, `native-crash`, `planned`",
            "結束的原因，例如 `network`、`authentication`、`native-crash`、`planned`",
        ),
    ] = field(default=MAY_BE_MISSING, name="class")
    advice: Annotated[
        str | None,
        says("what to do about that", "該怎麼處理"),
    ] = MAY_BE_MISSING
    stderr: Annotated[
        list[str],
        says(
            "its last lines, redacted, up to 500 characters each",
            "最後幾行輸出，已遮蔽機密，每行至多 500 字元",
        ),
    ] = MAY_BE_MISSING
    next_start_at: Annotated[
        str | None,
        says("when the next start is planned, ISO 8601", "預定的下次啟動時間，ISO 8601"),
    ] = field(default=MAY_BE_MISSING, name="nextStartAt")
    next_start_in: Annotated[
        float | None,
        says("the same in seconds from now", "同上，以距現在的秒數表示"),
    ] = field(default=MAY_BE_MISSING, name="nextStartIn")
    restarts: Annotated[
        int,
        says("starts after the first", "第一次之後的啟動次數"),
    ] = MAY_BE_MISSING
    budget: Annotated[
        Budget,
        says("the starts of the trading day", "當個交易日的啟動次數"),
    ] = MAY_BE_MISSING
    exit_status: Annotated[
        int,
        says("of main.py with `stopped`: its exit status", "main.py 在 `stopped` 時的結束碼"),
    ] = MAY_BE_MISSING


class FeedStatus(Marked, kw_only=True):
    """The quotes of a market stopped, or came again."""

    status: Annotated[
        Literal["live", "stale", "closed"],
        says(
            "`live`: quotes come again; `stale`: none come while the market trades; `closed`: it"
            " was stale, and none are expected any more",
            "`live`：報價恢復了；`stale`：交易時段內沒有報價；`closed`：先前中斷，現在已不再有報價可等",
        ),
    ]
    market: Annotated[
        Literal["futures", "stocks"],
        says("which market", "哪一個市場"),
    ]
    reason: Annotated[str, says("one sentence; empty with `live`", "一句話；`live` 時為空字串")]
    stale: Annotated[
        list[str],
        says("the markets that are stale now, sorted", "目前報價中斷的市場，已排序"),
    ]


class PublishRefused(Struct, kw_only=True):
    """This client may not publish; where the event asked for an acknowledgment, that has this."""

    ok: Annotated[Literal[False], says("false", "false")]
    error: Annotated[str, says("why, and what to do", "原因與處理方式")]
    event: Annotated[str, says("the name of the event", "事件的名稱")]
