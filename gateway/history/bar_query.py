"""Questions for bars: what may be asked, and the answer as JSON.

SQLite joins minutes to longer bars and writes the columns: it lets go of the interpreter
meanwhile, so that the reactor hardly notices.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs
import orjson

from gateway.history.bar_store import HOUR, PARTIAL
from gateway.history.trades import MAX_LENGTH, MINUTE
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from gateway.history.bar_store import BarStore

DAY: Final = 24 * HOUR
INTERVALS: Final = {
    "1s": 1,
    "1m": MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "60m": HOUR,
    "1h": HOUR,
    "1d": DAY,
}
"""What may be asked for, in seconds."""
SESSIONS: Final = ("", "day", "night")
NOON: Final = 12 * HOUR
"""A session that opens later in the day is a night."""
MOST_BARS: Final = 5000
"""Bars in one answer."""
MOST_ROWS: Final = 50_000
"""Minutes that are read for one answer."""
FOREVER: Final = 1 << 40
COLUMNS: Final = ("time", "open", "high", "low", "close", "volume")


class QuestionError(Exception):
    """A question that makes no sense; the text says what to do."""


@attrs.frozen
class BarQuestion:
    """Bars of `code`: those whose time is in `begin <= time < end`, in seconds since 1970."""

    code: str
    interval: str = "1m"
    session: str = ""
    """`day` or `night`; "": both."""
    begin: int = 0
    end: int = FOREVER


def read_question(fields: Mapping[str, Any]) -> BarQuestion:
    """The question that `code`, `interval`, `from`, `to` and `session` ask.

    Absent, null and empty are the same.  Raises QuestionError.
    """
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    code = given.get("code", "")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_LENGTH:
        raise QuestionError(f"code: name one, such as TXFR1, of at most {MAX_LENGTH} characters")
    interval = given.get("interval", "1m")
    if not isinstance(interval, str) or interval not in INTERVALS:
        raise QuestionError(f"interval: write one of {', '.join(INTERVALS)}")
    session = given.get("session", "")
    if session not in SESSIONS:
        raise QuestionError("session: write day or night, or leave it out for both")
    begin = _moment("from", given.get("from", 0))
    end = _moment("to", given.get("to", FOREVER))
    if end <= begin:
        raise QuestionError("to: it must be later than from")
    return BarQuestion(code, interval, session, begin, end)


_SECONDS: Final = re.compile(r"[0-9]{1,7}|[0-9]{9,20}|[0-9]{1,20}\.[0-9]{1,20}")
"""Eight digits are a day of ISO 8601, such as 20261130."""


def _moment(name: str, value: Any) -> int:
    """Seconds since 1970, or ISO 8601; without a zone it is Taipei's."""
    try:
        if isinstance(value, str) and not _SECONDS.fullmatch(value):
            # In a URL a + that is not escaped arrives as a space.
            at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
            value = (at if at.tzinfo else at.replace(tzinfo=TAIPEI)).timestamp()
        if not isinstance(value, bool) and 0 <= float(value) <= FOREVER:
            return -int(-float(value) // 1)  # the next whole second
    except (TypeError, ValueError, OverflowError):
        pass
    raise QuestionError(
        f"{name}: write seconds since 1970, or Taipei's time such as 2026-11-30 or 2026-11-30T09:00"
    )


# -- The answer.


class Stretch(NamedTuple):
    """From `since` on the code that was asked for stands for `code`."""

    since: int
    code: str


class Answer(NamedTuple):
    """An answer as JSON, `status` as in HTTP."""

    status: int
    body: bytes
    tag: str = ""
    """Equal tags: the same bars; "" for an error."""


def problem(status: int, error: str) -> Answer:
    """The answer that says why there is none."""
    return Answer(status, orjson.dumps({"error": error}))


def answer(
    store: BarStore,
    question: BarQuestion,
    stretches: Sequence[Stretch],
    *,
    newest: float | None,
    mark: str,
) -> Answer:
    """The bars in `store`; raises sqlite3.Error.

    `stretches`: which codes the asked one stood for, by time; empty: for itself.  `newest` is the
    time of the newest tick.  `mark`: `demo` and the like for bars that are not the market's; the
    answer has it as a field.
    """
    for code in {question.code, *(each.code for each in stretches)}:
        store.settle(code)
    statement, values = _statement(store, question, stretches)
    total, rows, partial, *columns = store.connection.execute(statement, values).fetchone()
    times: list[int] = orjson.loads(columns[0])
    last = times[-1] + INTERVALS[question.interval] if times else 0
    bars = {name: orjson.Fragment(text) for name, text in zip(COLUMNS, columns, strict=True)}
    told = orjson.dumps(
        {
            "code": question.code,
            "interval": question.interval,
            "session": question.session,
            "demo": mark == "demo",
            **({mark: True} if mark else {}),
            "cut": total > MOST_BARS or rows >= values["rows"],
            "contracts": _contracts(stretches, times[0] if times else 0, min(last, question.end)),
            "partial": orjson.Fragment(partial),
            "bars": bars,
        }
    )
    tag = blake2b(told, digest_size=12).hexdigest()
    end = b',"newest":%s}' % orjson.dumps(newest)
    return Answer(200, told[:-1] + end, tag)


def _contracts(stretches: Sequence[Stretch], begin: int, end: int) -> list[dict[str, Any]]:
    """The codes that the bars from `begin` to `end` are of, each with its first time."""
    bounds = [*(each.since for each in stretches), FOREVER]
    return [
        {"from": max(each.since, begin), "code": each.code}
        for each, (since, until) in zip(stretches, pairwise(bounds), strict=True)
        if since < end and until > begin
    ]


def _statement(
    store: BarStore, question: BarQuestion, stretches: Sequence[Stretch]
) -> tuple[str, dict[str, Any]]:
    """The statement for all of an answer, and its values.

    Its row: how many bars there are, how many minutes were read, then as JSON the times of
    partial bars and the columns.
    """
    seconds = INTERVALS[question.interval]
    values: dict[str, Any] = {
        "own": store.ids.get(question.code),
        "step": seconds,
        "begin": question.begin,
        "end": question.end,
        "until": question.end + (seconds if seconds > MINUTE else 0),
        "bars": MOST_BARS,
        "rows": min(MOST_ROWS, (MOST_BARS + 1) * max(1, seconds // MINUTE)),
    }
    table = "recent.seconds" if seconds < MINUTE else "main.bars"
    within = "time >= :begin AND time < :until"
    if question.session:
        is_night = "(session + 28800) % 86400 >= 43200"
        within += f" AND {is_night}" if question.session == "night" else f" AND NOT {is_night}"
    parts = [_select(table, f"code = :own AND {within}", 1)]
    bounds = [*(each.since for each in stretches), FOREVER]
    for index, (each, (since, until)) in enumerate(zip(stretches, pairwise(bounds), strict=True)):
        if each.code != question.code:
            values[f"code{index}"] = store.ids.get(each.code)
            values[f"since{index}"], values[f"until{index}"] = since, until
            which = f"code = :code{index} AND time >= :since{index} AND time < :until{index}"
            parts.append(_select(table, f"{which} AND {within}", 0))
    found = " UNION ALL ".join(parts)
    if len(parts) > 1:  # a minute under both codes counts once, and the target's is the right one
        found = f"SELECT *, min(rank) FROM ({found}) GROUP BY time"  # noqa: S608
    return _FRAME.format(found=found, bucket=_bucket(seconds)), values


def _select(table: str, which: str, rank: int) -> str:
    columns = f"time, open, high, low, close, volume, session, kind, {rank} AS rank"
    return f"SELECT {columns} FROM {table} WHERE {which}"  # noqa: S608


def _bucket(seconds: int) -> str:
    """The start of the bar that a minute is part of: longer bars begin with the session."""
    if seconds <= MINUTE:
        return "time"
    if seconds == DAY:
        return "session"
    return (
        "CASE WHEN time < session THEN time / :step * :step"
        " ELSE session + (time - session) / :step * :step END"
    )


_FRAME: Final = f"""
WITH picked AS MATERIALIZED (
    SELECT *, {{bucket}} AS bucket FROM ({{found}}) ORDER BY time DESC LIMIT :rows
), amount AS MATERIALIZED (
    SELECT count(*) AS count, min(bucket) AS first FROM picked
), joined AS MATERIALIZED (
    SELECT bucket, max(high) AS high, min(low) AS low, sum(volume) AS volume,
        max(kind = {PARTIAL}) AS partial, count(*) OVER () AS total
    FROM picked, amount
    WHERE bucket >= :begin AND bucket < :end AND (count < :rows OR bucket > amount.first)
    GROUP BY bucket ORDER BY bucket DESC LIMIT :bars
)
SELECT coalesce(max(total), 0), (SELECT count FROM amount),
    json_group_array(bucket) FILTER (WHERE partial), json_group_array(bucket),
    json_group_array(open), json_group_array(high), json_group_array(low),
    json_group_array(close), json_group_array(volume)
FROM (
    SELECT * FROM joined
    JOIN (SELECT bucket, open, min(time) FROM picked GROUP BY bucket) USING (bucket)
    JOIN (SELECT bucket, close, max(time) FROM picked GROUP BY bucket) USING (bucket)
    ORDER BY bucket
)
"""  # noqa: S608  # only constants are put in; what is asked for is bound
