"""The groups in which `--help` and docs/options.md show the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.options.load import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.options.option import Option


class Group(NamedTuple):
    """Options that belong together: from the field `first` on to the next group's."""

    first: str
    title: str
    chinese: str


GROUPS = (
    Group("port", "Listening", "監聽"),
    Group("allowed_hosts", "Who may connect", "誰可以連線"),
    Group("main", "The worker", "worker"),
    Group("patience_login", "Starting and stopping the worker", "worker 的啟動與停止"),
    Group("heartbeat", "Supervising the worker", "worker 的監管"),
    Group("publish", "Relaying events", "中繼事件"),
    Group("state_events", "Clients that connect late or come back", "晚到與重新連線的用戶端"),
    Group("record", "Recordings and bars", "錄製與 K 線"),
    Group("replay", "Replay of recordings", "重播錄製"),
    Group("cluster", "Several gateways", "多個 gateway"),
    Group("slow_size", "Slow clients and limits", "過慢的用戶端與上限"),
    Group("ping_interval", "The protocol", "通訊協定"),
    Group("log_level", "The log", "日誌"),
    Group("alert_file", "Alerts", "警示"),
)

ESSENTIAL = (
    "port", "host", "allowed-origins", "token-file", "main", "python", "worker-args", "demo",
    "sessions", "alert-file",
)  # fmt: skip
"""The names of the options that the READMEs show."""


def grouped() -> Iterator[tuple[Group, list[Option]]]:
    """Each group with its options, in the order of `Settings`."""
    starts = {group.first: group for group in GROUPS}
    group = GROUPS[0]
    members: list[Option] = []
    for each in options():
        if each.key in starts and members:
            yield group, members
            members = []
        group = starts.get(each.key, group)
        members.append(each)
    yield group, members
