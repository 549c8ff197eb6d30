"""What a client asks the gateway, and how it is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct, field

from gateway.market.schemas.fields import MAY_BE_MISSING, says

_COLUMN = says("a list with one value a bar", "每根一個值的陣列")


class Filter(Struct, kw_only=True):
    """Which events a client wants."""

    events: Annotated[
        list[str],
        says("only events with these names", "只要這些名稱的事件"),
    ] = MAY_BE_MISSING
    codes: Annotated[
        list[str],
        says(
            "of events with a `code` only those of these codes",
            "有 `code` 的事件只要這些代碼的",
        ),
    ] = MAY_BE_MISSING
    trusted: Annotated[
        bool,
        says(
            "true: only events of the worker and of the gateway", "true：只要 worker 與 gateway 的"
        ),
    ] = MAY_BE_MISSING


class Auth(Filter, kw_only=True):
    """What a client sends when it connects."""

    token: Annotated[
        str,
        says("the token, where one is needed", "權杖；需要時才給"),
    ] = MAY_BE_MISSING
    snapshot: Annotated[
        bool,
        says("true: the newest quote of each code first", "true：先送每個代碼的最新報價"),
    ] = MAY_BE_MISSING
    recover: Annotated[
        bool,
        says("true: what is missed while away is sent later", "true：斷線期間錯過的之後會補送"),
    ] = MAY_BE_MISSING
    pid: Annotated[
        str,
        says("socket.io-client adds it when it comes back", "重新連線時由 socket.io-client 加上"),
    ] = MAY_BE_MISSING
    offset: Annotated[str, says("the same", "同上")] = MAY_BE_MISSING


class Done(Struct, kw_only=True):
    """It is done."""

    ok: Annotated[Literal[True], says("true", "true")]


class NotDone(Struct, kw_only=True):
    """Nothing has changed."""

    ok: Annotated[Literal[False], says("false", "false")]
    error: Annotated[str, says("what is wrong", "錯在哪裡")]


class Problem(Struct, kw_only=True):
    """There is no other answer."""

    error: Annotated[str, says("what is wrong", "錯在哪裡")]


class BarsQuestion(Struct, kw_only=True):
    """Which bars a client asks for."""

    code: Annotated[
        str, says("the code, such as `TXFR1` or `2330`", "代碼，例如 `TXFR1` 或 `2330`")
    ]
    interval: Annotated[
        Literal["1s", "1m", "5m", "15m", "30m", "60m", "1h", "1d"],
        says(
            "how long a bar is; `1m` if missing, `1s` only of the last hour",
            "K 線的長度；沒有給就是 `1m`，`1s` 只有最近一小時",
        ),
    ] = MAY_BE_MISSING
    begin: Annotated[
        str | float,
        says(
            "the time of the first bar: seconds since 1970, or ISO 8601, which is Taipei's without"
            " a zone",
            "第一根的時間：1970 年起的秒數，或 ISO 8601，沒有時區就是臺北時間",
        ),
    ] = field(default=MAY_BE_MISSING, name="from")
    end: Annotated[
        str | float,
        says("the time before which the last bar begins", "最後一根的開始早於這個時間"),
    ] = field(default=MAY_BE_MISSING, name="to")
    session: Annotated[
        Literal["", "day", "night"],
        says("`day` or `night`; both if missing", "`day` 或 `night`；沒有給就是兩者"),
    ] = MAY_BE_MISSING


class Columns(Struct, kw_only=True):
    """Bars, the oldest first: the same place in each list is one bar."""

    time: Annotated[
        list[int],
        says("when each begins, in seconds since 1970", "各根的開始，1970 年起的秒數"),
    ]
    open: Annotated[list[float], _COLUMN]
    high: Annotated[list[float], _COLUMN]
    low: Annotated[list[float], _COLUMN]
    close: Annotated[list[float], _COLUMN]
    volume: Annotated[list[float], _COLUMN]


class ContractSince(Struct, kw_only=True):
    """For which contract a continuous code stood."""

    begin: Annotated[
        int,
        says("from when on, in seconds since 1970", "從何時起，1970 年起的秒數"),
    ] = field(name="from")
    code: Annotated[str, says("the code of that contract", "合約的代碼")]


class Bars(Struct, kw_only=True):
    """Bars of one code."""

    code: Annotated[str, says("as asked", "查詢的內容")]
    interval: Annotated[str, says("as asked", "查詢的內容")]
    session: Annotated[str, says("as asked", "查詢的內容")]
    demo: Annotated[
        bool,
        says("true: bars of the demonstration, no market data", "true：示範行情，不是市場資料"),
    ]
    cut: Annotated[
        bool,
        says(
            "true: there are earlier bars: ask again, with `to` being the first time here",
            "true：還有更早的 K 線，請以這裡的第一個時間作為 `to` 再查一次",
        ),
    ]
    contracts: Annotated[
        list[ContractSince],
        says(
            "the contracts that a continuous code stood for; nothing is adjusted where they change",
            "連續月代碼各從何時起代表哪個合約；換月處不做調整",
        ),
    ]
    partial: Annotated[
        list[int],
        says("the times of bars of which a part was not heard", "有一部分沒收到的 K 線的時間"),
    ]
    bars: Annotated[Columns, says("the bars", "K 線")]
    newest: Annotated[
        float | None,
        says(
            "the time of the newest tick of the code; null: none has come",
            "這個代碼最新一筆 tick 的時間；null 表示還沒有",
        ),
    ]
