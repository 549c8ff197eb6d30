"""What an alert says, in the gateway's language: what and where, what happens next, why.

⚠ [office] 行情程式暫停：連線數過多（451）
10:44:00 自動再試，今日登入 9／200
ConnectionError: StatusCode: 451, Detail: Too Many Connections.
http://localhost:3001/#/ops/log
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from gateway.ops.alerts.rules import (
    BARS,
    CLUSTER,
    DIED,
    FATAL,
    OVER,
    PAUSED,
    RECORDING,
    RECOVERED,
    SEVERED,
    STALE,
    TEST,
    UNKEPT,
    UNREADY,
    UNRECORDED,
    WORKER,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from gateway.ops.alerts.rules import Alert

MINUTE: Final = 60
HOUR: Final = 3600
PANEL: Final = "#/ops/log"
"""The part of the page that an alert leads to."""


@attrs.frozen
class Words:
    """One alert in words; as `str` all of it, a line each."""

    title: str
    body: tuple[str, ...]
    """What happens next, and why, as far as that is known."""
    link: str
    """The address of the page."""
    gateway: str
    """The name of this machine."""
    port: int
    """The gateway's, which tells it from others of this machine."""

    def __str__(self) -> str:
        return "\n".join((self.title, *self.body, self.link))


TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        DIED: "Worker died",
        PAUSED: "Worker paused",
        FATAL: "Worker gave up",
        UNREADY: "Worker is not ready",
        STALE: "Quotes stopped: {market}",
        UNRECORDED: "Recording fails",
        UNKEPT: "Bars are not kept",
        SEVERED: "Cut off from the shared log",
        OVER: "Nothing is wrong any more",
        TEST: "Test: this channel works",
        f"{RECOVERED} {WORKER}": "Worker runs again",
        f"{RECOVERED} {RECORDING}": "Recording goes on",
        f"{RECOVERED} {BARS}": "Bars are kept again",
        f"{RECOVERED} {CLUSTER}": "The shared log answers again",
        RECOVERED: "Quotes are back: {market}",
        "with": "{title}: {cause}",
        "after": "{title}, after {time}",
        "next": "Tries again at {at}, {used} of {limit} starts used today",
        "next unlimited": "Tries again at {at}, {used} starts today",
        "down": "It stays down until somebody starts it.",
        "login": "It runs, but its login may hang.",
        "silent": "No trade and no quote comes, although the market trades.",
        "lost": "Events missing so far: {lost}",
        "held back": "{n} earlier alerts were held back.",
        "code": "exit code {code}",
        "s": "{s} s",
        "m": "{m} min {s} s",
        "h": "{h} h {m} min",
    },
    "zh-TW": {
        DIED: "行情程式異常結束",
        PAUSED: "行情程式暫停",
        FATAL: "行情程式已停止重試",
        UNREADY: "行情程式遲遲未就緒",
        STALE: "報價中斷：{market}",
        UNRECORDED: "行情錄製失敗",
        UNKEPT: "K 線無法保存",
        SEVERED: "與共用 log 的連線中斷",
        OVER: "目前沒有問題",
        TEST: "測試：這個通道可以送達",
        f"{RECOVERED} {WORKER}": "行情程式恢復正常",
        f"{RECOVERED} {RECORDING}": "錄製已繼續",
        f"{RECOVERED} {BARS}": "K 線已恢復保存",
        f"{RECOVERED} {CLUSTER}": "共用 log 恢復回應",
        RECOVERED: "報價恢復：{market}",
        "with": "{title}：{cause}",
        "after": "{title}，歷時 {time}",
        "next": "{at} 自動再試，今日啟動 {used}／{limit}",
        "next unlimited": "{at} 自動再試，今日已啟動 {used} 次",
        "down": "須有人啟動，否則不會再試。",
        "login": "行程在執行，但登入可能卡住。",
        "silent": "市場交易中，卻沒有成交也沒有報價。",
        "lost": "目前缺少的事件：{lost}",
        "held back": "先前有 {n} 則警示未送出。",
        "code": "結束碼 {code}",
        "s": "{s} 秒",
        "m": "{m} 分 {s} 秒",
        "h": "{h} 小時 {m} 分",
    },
}
"""By language: titles by kind, those of recoveries also by subject, and parts of sentences."""
MARKETS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"futures": "futures and options", "stocks": "stocks"},
    "zh-TW": {"futures": "期貨與選擇權", "stocks": "股票"},
}
CAUSES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "ban": "the broker asked for a pause (503)",
        "too-many-connections": "too many connections (451)",
        "quota": "the broker's quota is used up",
        "authentication": "keys or certificate not accepted",
        "version-mismatch": "shioaji has another version",
        "missing-dependency": "a package is missing",
        "maintenance": "broker maintenance",
        "network": "network",
        "native-crash": "native crash",
        "launch": "could not be launched",
        "token-expired": "the broker's token was a day old",
        "certificate-not-yet-valid": "the certificate is not valid yet",
        "shortage": "out of descriptors, processes or disk",
        "unreachable": "its files can't be reached",
        "out-of-memory": "killed for lack of memory",
    },
    "zh-TW": {
        "ban": "券商要求暫停登入（503）",
        "too-many-connections": "連線數過多（451）",
        "quota": "券商用量已達上限",
        "authentication": "金鑰或憑證不被接受",
        "version-mismatch": "shioaji 版本不符",
        "missing-dependency": "缺少套件",
        "maintenance": "券商系統維護",
        "network": "網路問題",
        "native-crash": "原生程式庫當掉",
        "launch": "無法啟動",
        "token-expired": "券商 token 已滿一天",
        "certificate-not-yet-valid": "憑證尚未生效",
        "shortage": "主機資源不足（檔案、行程或磁碟）",
        "unreachable": "無法存取程式檔案",
        "out-of-memory": "記憶體不足，被系統終止",
    },
}
"""By language: why a worker ended, by the class of its exit."""


class Wording:
    """Puts alerts into words.

    `gateway` is the name of this machine, `page` the address of the page, or "" where only this
    machine knows one; `port()` is the gateway's.
    """

    def __init__(
        self, language: str, zone: tzinfo, *, gateway: str, page: str, port: Callable[[], int]
    ) -> None:
        self._language = language
        self._texts = TEXTS[language]
        self._zone = zone
        self._gateway = gateway
        self._page = page
        self._port = port

    def __call__(self, alert: Alert) -> Words:
        """`alert` in words."""
        sign = "✓" if alert.is_good else "⚠"
        body = (*self._body(alert), *self._held_back(alert))
        title = f"{sign} [{self._gateway}] {self._title(alert)}"
        port = self._port()  # it may be known only after the start
        link = (self._page or f"http://localhost:{port}/") + PANEL
        return Words(title, body, link, self._gateway, port)

    def _title(self, alert: Alert) -> str:
        texts = self._texts
        title = texts.get(f"{alert.kind} {alert.subject}") or texts[alert.kind]
        market = MARKETS[self._language].get(alert.subject, alert.subject)
        title = title.format(market=market)
        lasted = alert.facts.get("lasted")
        if lasted is not None:
            return texts["after"].format(title=title, time=self._duration(lasted))
        cause = self._cause(alert) if alert.kind in (DIED, PAUSED, FATAL) else ""
        return texts["with"].format(title=title, cause=cause) if cause else title

    def _cause(self, alert: Alert) -> str:
        """Why the worker ended; "": nobody knows."""
        facts = alert.facts
        known = CAUSES[self._language].get(facts.get("class") or "")
        if known:
            return known
        if facts.get("signal"):
            return str(facts["signal"])
        code = facts.get("exitCode")
        return "" if code is None else self._texts["code"].format(code=code)

    def _body(self, alert: Alert) -> list[str]:
        """What happens next, then why, in the words of whoever failed."""
        texts, facts = self._texts, alert.facts
        if alert.is_good:
            return []
        if alert.kind == STALE:
            return [texts["silent"]]
        if alert.subject in (RECORDING, BARS, CLUSTER):
            lost = facts.get("lost")
            return [*([texts["lost"].format(lost=lost)] if lost else []), alert.detail]
        if alert.kind == UNREADY:
            return [texts["login"]]
        following = texts["down"] if alert.kind == FATAL else self._next(facts)
        return [each for each in (following, facts.get("lastLine")) if each]

    def _next(self, facts: Mapping[str, Any]) -> str:
        """When the worker starts again; "": that is not known."""
        at = facts.get("nextStartAt")
        if not at:
            return ""
        budget = facts.get("budget") or {}
        limit = budget.get("limit")
        return self._texts["next" if limit else "next unlimited"].format(
            at=f"{datetime.fromisoformat(at).astimezone(self._zone):%H:%M:%S}",
            used=budget.get("used", 0),
            limit=limit,
        )

    def _held_back(self, alert: Alert) -> list[str]:
        return [self._texts["held back"].format(n=alert.held_back)] if alert.held_back else []

    def _duration(self, seconds: float) -> str:
        whole = int(seconds)
        unit = "s" if whole < MINUTE else "m" if whole < HOUR else "h"
        return self._texts[unit].format(
            s=whole % MINUTE, m=whole // MINUTE % MINUTE, h=whole // HOUR
        )
