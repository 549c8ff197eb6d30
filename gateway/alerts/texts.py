"""An alert as a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.alerts.alert import DIED, FATAL, PAUSED, RECOVERED, STALE, UNREADY

if TYPE_CHECKING:
    from gateway.alerts.alert import Alert

TITLES: Final = {
    "en": {
        DIED: "Worker died",
        PAUSED: "Worker paused",
        FATAL: "Worker stays down",
        UNREADY: "Worker is not ready",
        STALE: "Feed is silent",
        RECOVERED: "Recovered",
    },
    "zh-TW": {
        DIED: "worker 異常結束",
        PAUSED: "worker 暫停啟動",
        FATAL: "worker 已停住，須有人重新啟動",
        UNREADY: "worker 遲遲未就緒",
        STALE: "盤中沒有行情",
        RECOVERED: "已恢復正常",
    },
}
"""By language and kind; what is behind them is English."""
_MORE: Final = {"en": "{} more held back", "zh-TW": "另有 {} 則未發送"}


def text(alert: Alert, language: str, gateway: str) -> str:
    """`[gateway] Title: detail`; `gateway` is the name of the machine."""
    line = f"[{gateway}] {TITLES[language][alert.kind]}: {alert.detail}"
    if alert.held_back:
        line += f" ({_MORE[language].format(alert.held_back)})"
    return line
