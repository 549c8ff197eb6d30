"""What the worker tells of the market."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct, field

from gateway.market.schemas.fields import MAY_BE_MISSING, says


class Marked(Struct, kw_only=True):
    """What every event of a worker or of the gateway may have."""

    timestamp: Annotated[
        str,
        says("when it was sent, ISO 8601", "送出的時間，ISO 8601"),
    ] = MAY_BE_MISSING
    simulation: Annotated[
        bool,
        says(
            "true: in the demonstration; in `shioaji_ready` also the broker's simulation",
            "true：示範行情；在 `shioaji_ready` 也表示券商的模擬環境",
        ),
    ] = MAY_BE_MISSING
    demo: Annotated[
        bool,
        says("true: the demonstration made it up", "true：示範行情，是編造的"),
    ] = MAY_BE_MISSING
    replay: Annotated[
        bool,
        says(
            "true: in a replay; the gateway's own events say so, those of the recording do not",
            "true：重播中；gateway 自己的事件才有，錄製的事件沒有",
        ),
    ] = MAY_BE_MISSING
    rehearsal: Annotated[
        bool,
        says(
            "true: in a rehearsal; the gateway's own events say so, the worker's do not",
            "true：演練中；gateway 自己的事件才有，worker 的事件沒有",
        ),
    ] = MAY_BE_MISSING


class Quote(Marked, kw_only=True):
    """What ticks and bid/ask have in common."""

    code: Annotated[
        str,
        says(
            "the code under which it trades; of `TXFR1` that of its month, such as `TXFL6`",
            "實際交易的代碼；`TXFR1` 是當月合約的代碼，例如 `TXFL6`",
        ),
    ]
    datetime: Annotated[
        str,
        says("the exchange's time, ISO 8601 with its zone", "交易所的時間，ISO 8601，含時區"),
    ]
    exchange: Annotated[
        str,
        says("`TSE`, `OTC`, `TAIFEX` and the like", "`TSE`、`OTC`、`TAIFEX` 等"),
    ] = MAY_BE_MISSING
    simtrade: Annotated[
        bool,
        says("true: a trial match, which trades nothing", "true：試撮，沒有成交"),
    ] = MAY_BE_MISSING
    suspend: Annotated[
        bool,
        says("true: trading is suspended", "true：暫停交易"),
    ] = MAY_BE_MISSING
    intraday_odd: Annotated[
        bool,
        says("true: of the market of odd lots", "true：盤中零股"),
    ] = MAY_BE_MISSING
    underlying_price: Annotated[
        float,
        says("the price of what the contract is on", "標的物的價格"),
    ] = MAY_BE_MISSING


class MarketTick(Quote, kw_only=True):
    """One trade."""

    price: Annotated[float, says("the price of the trade", "成交價")]
    close: Annotated[float, says("the same as `price`", "同 `price`")]
    open: Annotated[
        float,
        says("the first price of the session", "這個時段的開盤價"),
    ] = MAY_BE_MISSING
    high: Annotated[
        float,
        says("the highest price of the session", "這個時段的最高價"),
    ] = MAY_BE_MISSING
    low: Annotated[
        float,
        says("the lowest price of the session", "這個時段的最低價"),
    ] = MAY_BE_MISSING
    volume: Annotated[
        int,
        says("how much was traded: contracts, or lots of 1,000 shares", "單量：口，或張"),
    ]
    total_volume: Annotated[int, says("the volume of the session so far", "這個時段的累計成交量")]
    price_chg: Annotated[
        float,
        says("the change from the reference price", "與參考價的價差"),
    ] = MAY_BE_MISSING
    pct_chg: Annotated[
        float,
        says("the same in per cent", "漲跌幅，百分比"),
    ] = MAY_BE_MISSING
    avg_price: Annotated[
        float,
        says("the average price of the session", "均價"),
    ] = MAY_BE_MISSING
    amount: Annotated[
        float,
        says("price times volume of the trade", "這筆的成交金額"),
    ] = MAY_BE_MISSING
    total_amount: Annotated[
        float,
        says("the amount of the session so far", "累計成交金額"),
    ] = MAY_BE_MISSING
    tick_type: Annotated[
        int,
        says(
            "1: at the ask (bought), 2: at the bid (sold), 0: unknown",
            "1 外盤、2 內盤、0 無法判定",
        ),
    ] = MAY_BE_MISSING
    chg_type: Annotated[
        int,
        says(
            "1: limit up, 2: up, 3: unchanged, 4: down, 5: limit down",
            "1 漲停、2 漲、3 平盤、4 跌、5 跌停",
        ),
    ] = MAY_BE_MISSING
    bid_side_total_vol: Annotated[
        int,
        says("the volume of the buyers' side so far", "買盤成交總量"),
    ] = MAY_BE_MISSING
    ask_side_total_vol: Annotated[
        int,
        says("the volume of the sellers' side so far", "賣盤成交總量"),
    ] = MAY_BE_MISSING


class MarketBidAsk(Quote, kw_only=True):
    """The five best prices on both sides, the best one first."""

    bid_price: Annotated[list[float], says("the prices of buyers", "買價")]
    bid_volume: Annotated[list[int], says("what is wanted at each", "各買價的量")]
    ask_price: Annotated[list[float], says("the prices of sellers", "賣價")]
    ask_volume: Annotated[list[int], says("what is offered at each", "各賣價的量")]
    first_derived_bid_price: Annotated[
        float,
        says(
            "the best price of buyers that follows from combined orders",
            "由組合單推得的最佳買價",
        ),
    ] = MAY_BE_MISSING
    first_derived_ask_price: Annotated[
        float,
        says("the same of sellers", "由組合單推得的最佳賣價"),
    ] = MAY_BE_MISSING
    first_derived_bid_vol: Annotated[
        int,
        says("what is wanted there", "該買價的量"),
    ] = MAY_BE_MISSING
    first_derived_ask_vol: Annotated[
        int,
        says("what is offered there", "該賣價的量"),
    ] = MAY_BE_MISSING


class MarketSnapshot(Marked, kw_only=True):
    """How a contract stands, every 10 s; it may come under the code that was subscribed to."""

    code: Annotated[str, says("the code, such as `TXFR1`", "代碼，例如 `TXFR1`")]
    name: Annotated[str, says("its name; may be empty", "名稱；可能是空的")]
    open: Annotated[float, says("the first price of the session", "開盤價")]
    high: Annotated[float, says("the highest one", "最高價")]
    low: Annotated[float, says("the lowest one", "最低價")]
    close: Annotated[float, says("the newest one", "最新成交價")]
    volume: Annotated[int, says("of the newest trade", "最新一筆的量")]
    amount: Annotated[float, says("of the newest trade", "最新一筆的金額")]
    total_volume: Annotated[int, says("of the session so far", "累計成交量")]
    total_amount: Annotated[
        float,
        says("of the session so far", "累計成交金額"),
    ] = MAY_BE_MISSING
    yesterday_volume: Annotated[
        float,
        says("the volume of the day before", "昨日成交量"),
    ] = MAY_BE_MISSING
    exchange: Annotated[str, says("as in `market_tick`", "同 `market_tick`")] = MAY_BE_MISSING
    tick_type: Annotated[
        str | int,
        says("the side of the newest trade, in the broker's words", "最新一筆的內外盤，券商的寫法"),
    ] = MAY_BE_MISSING
    change_price: Annotated[
        float,
        says("the change from the reference price", "與參考價的價差"),
    ] = MAY_BE_MISSING
    change_rate: Annotated[
        float,
        says("the same in per cent", "漲跌幅，百分比"),
    ] = MAY_BE_MISSING
    change_type: Annotated[
        str | int,
        says("the direction of the change, in the broker's words", "漲跌的方向，券商的寫法"),
    ] = MAY_BE_MISSING
    average_price: Annotated[
        float,
        says("the average price of the session", "均價"),
    ] = MAY_BE_MISSING
    buy_price: Annotated[float, says("the best price of buyers", "最佳買價")] = MAY_BE_MISSING
    buy_volume: Annotated[float, says("what is wanted there", "該買價的量")] = MAY_BE_MISSING
    sell_price: Annotated[float, says("the best price of sellers", "最佳賣價")] = MAY_BE_MISSING
    sell_volume: Annotated[float, says("what is offered there", "該賣價的量")] = MAY_BE_MISSING
    reference: Annotated[float, says("as in `market_contract`", "同 `market_contract`")] = (
        MAY_BE_MISSING
    )
    limit_up: Annotated[float, says("as in `market_contract`", "同 `market_contract`")] = (
        MAY_BE_MISSING
    )
    limit_down: Annotated[float, says("as in `market_contract`", "同 `market_contract`")] = (
        MAY_BE_MISSING
    )


class MarketContract(Marked, kw_only=True):
    """One contract: sent when the worker becomes ready, and when the contract changes."""

    code: Annotated[
        str,
        says("the code, such as the continuous `TXFR1`", "代碼，例如連續月的 `TXFR1`"),
    ]
    target_code: Annotated[
        str | None,
        says(
            "the code under which it trades now, such as `TXFL6`; empty or null: `code` itself",
            "目前實際交易的代碼，例如 `TXFL6`；空字串或 null 表示就是它自己",
        ),
    ] = MAY_BE_MISSING
    name: Annotated[str, says("its name", "名稱")] = MAY_BE_MISSING
    exchange: Annotated[str, says("as in `market_tick`", "同 `market_tick`")] = MAY_BE_MISSING
    category: Annotated[
        str,
        says("the group of contracts, such as `TXF`", "商品類別，例如 `TXF`"),
    ] = MAY_BE_MISSING
    reference: Annotated[
        float,
        says("the price from which the day's changes count", "參考價"),
    ] = MAY_BE_MISSING
    limit_up: Annotated[
        float,
        says("the highest price that is allowed today", "漲停價"),
    ] = MAY_BE_MISSING
    limit_down: Annotated[
        float,
        says("the lowest price that is allowed today", "跌停價"),
    ] = MAY_BE_MISSING
    unit: Annotated[
        float,
        says(
            "shares of a lot, or money of one point of a contract",
            "一張的股數，或契約一點的金額",
        ),
    ] = MAY_BE_MISSING
    delivery_date: Annotated[
        str,
        says("the day of delivery, `2026-12-16`", "到期日，`2026-12-16`"),
    ] = MAY_BE_MISSING
    strike_price: Annotated[float, says("of an option", "選擇權的履約價")] = MAY_BE_MISSING
    listed_strikes: Annotated[
        int,
        says(
            "of an option: how many strikes the exchange has on its day of delivery",
            "選擇權：交易所在同一到期日有幾個履約價",
        ),
    ] = MAY_BE_MISSING
    option_right: Annotated[
        str,
        says("of an option: `C` a call, `P` a put", "選擇權：`C` 買權、`P` 賣權"),
    ] = MAY_BE_MISSING
    underlying_code: Annotated[
        str,
        says("of a future on a stock or a fund: its code", "股票期貨的標的代碼"),
    ] = MAY_BE_MISSING
    tick_size: Annotated[
        float,
        says(
            "the step of its prices; it wins over the gateway's own table",
            "價格的升降單位；優先於 gateway 自己的表",
        ),
    ] = MAY_BE_MISSING


class MarketKbars(Marked, kw_only=True):
    """Bars of one minute that the broker has, which fill in what was not heard."""

    code: Annotated[
        str,
        says(
            "the code; a continuous one means the contract that it stood for",
            "代碼；連續月代碼表示它當時代表的合約",
        ),
    ]
    ts: Annotated[
        list[int],
        says(
            "the end of each minute, as Shioaji's kbars have it: nanoseconds since 1970, of"
            " Taipei's time written as if it were UTC",
            "每一分鐘的結束，同 Shioaji 的 kbars：1970 年起的奈秒數，把臺北時間當成 UTC 來寫",
        ),
    ]
    open: Annotated[list[float], says("of each minute", "每一分鐘的開盤價")] = field(name="Open")
    high: Annotated[list[float], says("of each minute", "每一分鐘的最高價")] = field(name="High")
    low: Annotated[list[float], says("of each minute", "每一分鐘的最低價")] = field(name="Low")
    close: Annotated[list[float], says("of each minute", "每一分鐘的收盤價")] = field(name="Close")
    volume: Annotated[list[int], says("of each minute", "每一分鐘的成交量")] = field(name="Volume")
