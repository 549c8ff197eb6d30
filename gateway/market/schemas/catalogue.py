"""The names of all events, with the types of what they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.market import events
from gateway.market.schemas.questions import (
    Auth,
    Bars,
    BarsQuestion,
    Done,
    Filter,
    NotDone,
    Problem,
)
from gateway.market.schemas.quotes import (
    MarketBidAsk,
    MarketContract,
    MarketKbars,
    MarketSnapshot,
    MarketTick,
)
from gateway.market.schemas.states import (
    ContractsLoaded,
    FeedStatus,
    Heartbeat,
    PublishRefused,
    PythonError,
    PythonStatus,
    ShioajiReady,
)

if TYPE_CHECKING:
    from msgspec import Struct


class Told(NamedTuple):
    """What an event carries, and when it comes, in Chinese; in English the type says that."""

    struct: type[Struct]
    chinese: str


class Question(NamedTuple):
    """An event of a client that the gateway answers."""

    asked: type[Struct]
    answers: tuple[type[Struct], ...]


WORKERS: Final = {
    events.READY: Told(ShioajiReady, "worker 已登入，行情即將到來。"),
    events.CONTRACTS_LOADED: Told(ContractsLoaded, "worker 訂閱了哪些商品。"),
    events.CONTRACT: Told(MarketContract, "一個合約：worker 就緒時與合約改變時送出。"),
    events.TICK: Told(MarketTick, "一筆成交。"),
    events.BIDASK: Told(MarketBidAsk, "買賣各五檔最佳價格，最好的在前。"),
    events.SNAPSHOT: Told(
        MarketSnapshot, "一個合約目前的狀況，每 10 秒一次；代碼可能是當初訂閱的那一個。"
    ),
    events.KBARS: Told(MarketKbars, "券商的一分鐘 K 線，用來補上沒收到的部分。"),
    events.HEARTBEAT: Told(Heartbeat, "worker 還活著；約 10 秒一次。"),
    events.ERROR: Told(PythonError, "worker 裡有東西失敗了。"),
}
"""What main.py sends."""
GATEWAYS: Final = {
    events.WORKER_STATUS: Told(
        PythonStatus,
        "worker 的狀態。gateway 送出的有 `exit_status` 以外的所有欄位，沒有內容時為 null。worker"
        " 也可以送出關於自己的，有 `status` 與任何其他欄位。",
    ),
    events.FEED_STATUS: Told(FeedStatus, "某個市場的報價中斷，或恢復了。"),
    "publish_refused": Told(
        PublishRefused, "這個用戶端不可以發布；若該事件要求 acknowledgment，內容就在那裡。"
    ),
}
"""What the gateway sends."""
TOLD: Final = {**WORKERS, **GATEWAYS}
ASKED: Final[dict[str, Question]] = {
    "sjgateway:subscribe": Question(Filter, (Done, NotDone)),
    events.ASK_BARS: Question(BarsQuestion, (Bars, Problem)),
}
"""What a client may ask, each with one argument and an acknowledgment."""
CONNECT: Final = Auth
"""What it may send when it connects."""
