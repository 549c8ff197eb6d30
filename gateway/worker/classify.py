"""What a failure is, by the words of the worker.

Only what is written to stderr or sent as `python_error` is read.  Digits alone are no
broker code: a contract (TXO23451) or a price (1503.0) may hold them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

BAN: Final = "ban"
"""Code 503: the broker refuses logins for a while; trying earlier extends it."""
TOO_MANY: Final = "too-many-connections"
"""Code 451."""
QUOTA: Final = "quota"
AUTHENTICATION: Final = "authentication"
VERSION: Final = "version-mismatch"
DEPENDENCY: Final = "missing-dependency"
MAINTENANCE: Final = "maintenance"
NETWORK: Final = "network"
CRASH: Final = "native-crash"
LAUNCH: Final = "launch"
"""There was no process: no main.py, no interpreter."""
SHORTAGE: Final = "shortage"
"""The machine has no descriptor, process, memory or room on the disk left."""
OTHER: Final = "other"

PATIENT: Final = frozenset((NETWORK, MAINTENANCE, BAN, SHORTAGE))
"""Not the worker's fault, and over some day: never fatal.  Code 503 is maintenance, too."""
IMPOSING: Final = frozenset((BAN, TOO_MANY))
"""The broker wants to be left alone."""

ADVICE: Final = {
    BAN: "The broker refuses logins for a while; each earlier try extends that. Wait.",
    TOO_MANY: "The account has its 5 connections: log out elsewhere.",
    QUOTA: "The broker's limit for today is reached: wait, or do less.",
    AUTHENTICATION: "Check keys, certificate and password, and post the right ones.",
    VERSION: "main.py and the installed shioaji don't fit: update one of them.",
    DEPENDENCY: "Install what main.py imports for the worker's Python, or name another (--python).",
    MAINTENANCE: "The broker is being maintained; it is tried again.",
    NETWORK: "The network or the broker is not reachable; it is tried again.",
    CRASH: "A native library crashed: update it, or report it with the last lines.",
    SHORTAGE: "The machine ran out of descriptors, processes, memory or disk; it is tried again.",
    LAUNCH: "Name the script with --main and its interpreter with --python.",
}
"""What to do about it."""

_CRASHES = frozenset(("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"))
_NOT_THE_BROKER = re.compile(r"in server response|for url", re.IGNORECASE)
"""Codes of other HTTP servers: python-engineio and requests word them so."""


def _code(number: int, text: str) -> str:
    """`number` as a whole, said to be a code, or explained by `text`."""
    token = rf"{number}(?!\w)(?!\.\d)"
    words = r"status|(?:status|error|response)[_ ]?code|code|error|failed|http|SystemMaintenance"
    said = rf"(?:(?<![a-z_])(?:{words})|代碼|錯誤|失敗)"
    return rf"{said}\W{{1,4}}{token}|(?<![\w.]){token}\W{{1,6}}.{{0,20}}{text}|{text}"


_WORDS = {
    BAN: _code(
        503, r"(?:(?:one|a|1) minute before log|(?:一|1)\s*分鐘.{0,8}登入|login.{0,20}banned)"
    ),
    TOO_MANY: _code(451, r"(?:too many connections|連線數.{0,6}(?:超過|上限|過多))"),
    QUOTA: r"\bquota\b|(?:usage|login|daily|traffic) limit|too many requests"
    r"|流量.{0,6}(?:超過|上限|限制)|(?:登入|查詢)次數.{0,6}(?:超過|上限)",
    AUTHENTICATION: r"authentication|unauthori[sz]ed|TokenError|invalid token"
    r"|token (?:doesn'?t exist|(?:is |has )?(?:expired|invalid))"
    r"|(?:invalid|wrong|incorrect) (?:(?:ca )?password|(?:api|secret)[_ ]?key)"
    r"|(?:api|secret)[_ ]?key.{0,20}(?:invalid|expired|not (?:found|exist|match)|wrong)"
    r"|(?:password|person_id).{0,12}(?:wrong|incorrect|invalid)"
    r"|login (?:failed|denied).{0,30}key|AccountNot(?:Sign|Provide)|sign data is timeout"
    r"|(?:金鑰|憑證|密碼|帳號).{0,8}(?:錯誤|無效|過期|不符|失敗)",
    VERSION: r"TypeError.{0,120}unexpected keyword|TypeError.{0,120}required positional"
    r"|(?:shioaji|sj)\b.{0,40}has no attribute|cannot import name|'Shioaji' object has no",
    DEPENDENCY: r"ModuleNotFoundError|No module named|cannot open shared object|GLIBC\S* not found",
    MAINTENANCE: r"SystemMaintenance|maintenance|維護",
    SHORTAGE: r"too many open files|resource temporarily unavailable|cannot allocate memory"
    r"|can't start new thread|no space left on device",
    NETWORK: r"Connection(?:Error|Refused|Reset|Aborted)|BrokenPipe|TimeoutError|timed? ?out\b"
    r"|connection (?:refused|reset|aborted|failure|attempt failed)|name or service not known"
    r"|name resolution|getaddrinfo|network is (?:unreachable|down)|no route to host"
    r"|max retries exceeded|transport connection|session down|return Not ready|逾時|斷線|連線失敗",
}
"""From the most to the least telling: the first that is found counts."""
_PATTERNS = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}
_RANK = {name: rank for rank, name in enumerate((*_WORDS, CRASH, OTHER))}


_HINTS = re.compile("451|503|minute|banned|onnections|分鐘|連線數".encode(), re.IGNORECASE)


def may_impose(line: bytes) -> bool:
    """Whether `imposed` may find something in `line`; cheap enough for a flood of lines."""
    return _HINTS.search(line) is not None


def imposed(text: str) -> str | None:
    """The class of one line if it is one that imposes a pause; cheaper than `classify`."""
    text = text[:4096]
    return next((name for name in (BAN, TOO_MANY) if _tells(name, text)), None)


def classify(text: str) -> str | None:
    """The class of one line, or of one `python_error`; None: it tells nothing."""
    text = text[:4096]
    return next((name for name in _PATTERNS if _tells(name, text)), None)


def _tells(name: str, text: str) -> bool:
    found = _PATTERNS[name].search(text) is not None
    return found and not (name in IMPOSING and _NOT_THE_BROKER.search(text))


def classify_event(value: object) -> str | None:
    """The class of what a `python_error` event carries."""
    return classify(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    )


def classify_exit(lines: Iterable[str], said: Iterable[str], signal: str | None) -> str:
    """The class of an exit.

    `lines` are the last of stderr, `said` the classes of the errors that the worker
    reported shortly before, `signal` is what it died of.
    """
    found = {name for line in lines if (name := classify(line))} | set(said)
    if signal in _CRASHES:
        found.add(CRASH)
    return min(found, key=_RANK.__getitem__, default=OTHER)
