"""The class of a failure, read from what the worker says.

What is written to stderr or sent as `python_error` is read; of stdout only what the broker
itself says when it wants to be left alone.  Digits alone are no broker code: a contract
(TXO23451) or a price (1503.0) may hold them.  The words are those of public logs of shioaji
0.3 to 1.7, of its Solace client, of Python, and of the traders who translate them.
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
EXPIRED: Final = "token-expired"
"""The broker's token lasts 24 hours; the next login gets another one."""
NOT_YET: Final = "certificate-not-yet-valid"
AUTHENTICATION: Final = "authentication"
VERSION: Final = "version-mismatch"
DEPENDENCY: Final = "missing-dependency"
MAINTENANCE: Final = "maintenance"
NETWORK: Final = "network"
CRASH: Final = "native-crash"
LAUNCH: Final = "launch"
"""There was no process: no main.py, no interpreter."""
UNREACHABLE: Final = "unreachable"
"""What is to be run can't be looked at now: a closed folder, a disk or a mount that fails."""
SHORTAGE: Final = "shortage"
"""The machine has no descriptor, process, memory or room on the disk left."""
MEMORY: Final = "out-of-memory"
"""The kernel killed it to get memory."""
PLANNED: Final = "planned"
"""It ended by itself with status 0, as workers do that leave by the clock."""
OTHER: Final = "other"

PATIENT: Final = frozenset((NETWORK, MAINTENANCE, BAN, SHORTAGE, UNREACHABLE, NOT_YET))
"""Not the worker's fault, and over some day: never fatal.  Code 503 is maintenance, too."""
IMPOSING: Final = frozenset((BAN, TOO_MANY))
"""The broker wants to be left alone."""
PREVENTS_LOGIN: Final = frozenset((AUTHENTICATION, BAN, TOO_MANY, QUOTA, VERSION, DEPENDENCY))
"""With these no login succeeds.  All others may be about something else, such as one contract
that has expired, or may pass by themselves."""

ADVICE: Final = {
    BAN: "The broker refuses logins for a while; each earlier try extends that. Wait.",
    TOO_MANY: "The account has its 5 connections: log out elsewhere.",
    QUOTA: "The broker's limit for today is reached: wait, or do less.",
    EXPIRED: "The broker's token was a day old: the new start logs in anew.",
    NOT_YET: "The certificate is not valid yet: check the clock, or wait; it is tried again.",
    AUTHENTICATION: "Check keys, certificate and password, and post the right ones.",
    VERSION: "main.py and the installed shioaji don't fit: update one of them.",
    DEPENDENCY: "Install what main.py imports for the worker's Python, or name another (--python).",
    MAINTENANCE: "The broker is being maintained; it is tried again.",
    NETWORK: "The network or the broker is not reachable; it is tried again.",
    CRASH: "A native library crashed: update it, or report it with the last lines.",
    SHORTAGE: "The machine ran out of descriptors, processes, memory or disk; it is tried again.",
    UNREACHABLE: "Check permissions and disks, of folders above it, too; it is tried again.",
    MEMORY: "The machine ran out of memory and killed it: give it more, or less to do.",
    LAUNCH: "Name the script with --main and its interpreter with --python.",
}
"""What to do about it."""

_CRASHES = frozenset(("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"))
_ANSI = re.compile(r"(?:\x1b|\\x1b)(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\^_])")
"""Colours, as they come and as our log shows them."""
_NOT_THE_BROKER = re.compile(
    r"in server response|for url|\burl=|\b1040\b|mysql|sqlstate|psycopg|postgres|redis"
    r"|connections for",
    re.IGNORECASE,
)
"""Codes of other servers: python-engineio, requests and the databases word them so."""
_THE_BROKERS: Final = frozenset((BAN, TOO_MANY, AUTHENTICATION))
"""Classes that such codes do not tell."""
_LONGEST: Final = 8192
"""Characters of a line that are read."""


def _said(number: int) -> str:
    """`number` as a whole, said to be a code."""
    token = rf"{number}(?!\w)(?!\.\d)"
    words = r"status|(?:status|error|response)[_ ]?code|code|error|failed|http|SystemMaintenance"
    return rf"(?:(?<![a-z_])(?:{words})|代碼|錯誤|失敗)\W{{1,4}}{token}"


def _own(number: int) -> str:
    """`number` in the forms in which shioaji itself, or who reports its login, tells it."""
    token = rf"{number}(?!\w)(?!\.\d)"
    return (
        rf"StatusCode\W{{1,4}}{token}\W{{1,4}}Detail|status_code\W{{1,4}}{token}.{{1,60}}detail"
        rf"|(?:TokenError|SystemMaintenance|AuthError|ServerError)\W{{1,4}}{token}"
        rf"|(?:login|log in|登入).{{0,8}}(?:failed|error|refused|失敗|錯誤|拒絕)\W{{1,4}}"
        rf"(?:(?:error|status)?[_ ]?code\W{{1,4}}|代碼\W{{1,4}})?{token}"
    )


def _explained(number: int, text: str) -> str:
    """`number` beside its explanation, or that alone."""
    return rf"(?<![\w.]){number}(?!\w)(?!\.\d)\W{{1,6}}.{{0,20}}(?:{text})|{text}"


_BAN_TEXT = (
    r"(?:one|a|1) minute before log|(?:一|1)\s*分鐘.{0,8}登入|login.{0,20}banned|login ban\b"
    r"|(?:too many|limit (?:on|of)) login attempts|登入.{0,6}(?:頻繁|次數過多)"
)
_MANY_TEXT = r"too many connections|連線數.{0,6}(?:超過|上限|過多|已滿)"
_CONNECT = (
    r"connect(?:ion)? error|connection (?:refused|reset|aborted|failure|attempt failed|timed out)"
    r"|connect attempt.{0,100}timed out"
)

_WORDS: Final = (
    (BAN, rf"{_said(503)}|{_own(503)}|{_explained(503, _BAN_TEXT)}"),
    (TOO_MANY, rf"{_said(451)}|{_own(451)}|{_explained(451, _MANY_TEXT)}"),
    (
        QUOTA,
        r"(?<!disk )\bquota\b|(?:usage|login|daily|traffic) limit|too many requests"
        r"|流量.{0,6}(?:超過|上限|限制)|(?:登入|查詢)次數.{0,6}(?:超過|上限)",
    ),
    (EXPIRED, r"token (?:is |has |was )?(?:already )?expired|expired token|token\W{0,4}.{0,4}過期"),
    (NOT_YET, r"not (?:yet valid|valid yet)|NOT_?YET_?VALID|尚未生效"),
    (
        NETWORK,
        rf"authentication failed\W{{1,4}}.{{0,20}}(?:{_CONNECT}|timed? ?out)"
        r"|StatusCode\W{1,4}(?:408|5\d\d)(?!\d)",
    ),
    (
        AUTHENTICATION,
        r"TokenError|invalid token|token (?:doesn'?t exist|(?:is |has )?invalid)"
        r"|(?:invalid|wrong|incorrect) (?:(?:ca )?password|(?:api|secret)[_ ]?key)"
        r"|(?:api|secret)[_ ]?key.{0,20}(?:invalid|expired|not (?:found|exist|match)|wrong)"
        r"|(?:password|person_id).{0,12}(?:wrong|incorrect|invalid)|password error"
        r"|customer_not_exist"
        r"|login (?:failed|denied).{0,30}key|login validation error|mac verify (?:error|failure)"
        r"|AccountNot(?:Sign|Provide)|Ca(?:Expired|Password)Error|RTN_CERT_EXPIRED"
        r"|sign data is timeout|(?:金鑰|憑證|密碼|帳號).{0,8}(?:錯誤|無效|過期|不符|失敗)",
    ),
    (
        VERSION,
        r"unexpected keyword argument|required positional argument"
        r"|takes \d+ positional arguments? but \d+ (?:was|were) given"
        r"|(?:shioaji|sj)\b.{0,40}has no attribute|cannot import name|'Shioaji' object has no",
    ),
    (
        DEPENDENCY,
        r"ModuleNotFoundError|No module named|cannot open shared object|GLIBC\S* not found",
    ),
    (MAINTENANCE, r"SystemMaintenance|maintenance|維護"),
    (
        SHORTAGE,
        r"too many open files|resource temporarily unavailable|cannot allocate memory"
        r"|can't start new thread|no space left on device|disk quota exceeded"
        r"|\bMemoryError\b|\bbad_alloc\b",
    ),
    (
        NETWORK,
        r"Connection(?:Error|Refused|Reset|Aborted)|BrokenPipe|TimeoutError|timed? ?out\b"
        rf"|{_CONNECT}|name or service not known|name resolution|getaddrinfo|dns error"
        r"|network is (?:unreachable|down)|no route to host|max retries exceeded"
        r"|transport connection|session (?:is )?down|\bNot ready\s*$|return Not ready"
        r"|(?:Server|Remote)Disconnected|server disconnected|ProxyError"
        r"|^(?!.*unauthorized).*connect failed"
        r"|EOF occurred in violation|bad gateway"
        r"|Session\s*Not\s*Established|unable to wait for session"
        r"|^\s*(?:[\w.]*\.)?Exception: \{\}\s*$"
        r"|逾時|斷線|連線失敗",
    ),
    (
        AUTHENTICATION,
        r"authentication.{0,20}(?:fail|error|den(?:y|ied)|refused|rejected|invalid|required)"
        r"|(?:failed|invalid) (?:to )?authenticat|unauthori[sz]ed|驗證.{0,4}(?:失敗|錯誤)",
    ),
    (CRASH, r"^Fatal Python error|Segmentation fault|\(core dumped\)"),
)
"""From the most to the least telling: the first that is found counts."""
_PATTERNS = [(name, re.compile(words, re.IGNORECASE)) for name, words in _WORDS]
_RANK = {
    name: rank
    for rank, name in enumerate(
        (
            BAN,
            TOO_MANY,
            QUOTA,
            EXPIRED,
            NOT_YET,
            AUTHENTICATION,
            VERSION,
            DEPENDENCY,
            MAINTENANCE,
            SHORTAGE,
            NETWORK,
            MEMORY,
            CRASH,
            OTHER,
        )
    )
}
"""Which class counts for an exit of which several were told."""

_IMPOSING_WORDS = {
    False: [(name, pattern) for name, pattern in _PATTERNS if name in IMPOSING],
    True: [
        (name, re.compile(f"{_own(number)}|{_explained(number, text)}", re.IGNORECASE))
        for name, number, text in ((BAN, 503, _BAN_TEXT), (TOO_MANY, 451, _MANY_TEXT))
    ],
}
"""By whether only the broker's own wording counts."""

NEEDLES: Final = (
    b"451",
    b"503",
    *(word.encode() for word in ("minute", "banned", "login ban", "attempts", "onnections")),
    *(word.encode() for word in ("分鐘", "連線", "頻繁", "次數過多")),
)
"""Bytes, in lower case, without one of which no text imposes a pause."""


def imposed(text: str, *, own: bool = False) -> str | None:
    """The class of a text if it imposes a pause; cheaper than `classify`.

    With `own` only the broker's own wording counts, and no bare status of HTTP.
    """
    return _first(_IMPOSING_WORDS[own], _plain(text))


def classify(text: str) -> str | None:
    """The class of one line, or of one `python_error`; None: it tells nothing."""
    return _first(_PATTERNS, _plain(text))


def _plain(text: str) -> str:
    return _ANSI.sub("", text[:_LONGEST])


def _first(patterns: Iterable[tuple[str, re.Pattern[str]]], text: str) -> str | None:
    elsewhere = _NOT_THE_BROKER.search(text) is not None
    for name, pattern in patterns:
        if pattern.search(text) and not (elsewhere and name in _THE_BROKERS):
            return name
    return None


def classify_event(value: object) -> str | None:
    """The class of what a `python_error` event carries."""
    return classify(
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    )


def classify_exit(
    lines: Iterable[str], said: Iterable[str], signal: str | None, *, out_of_memory: bool = False
) -> str:
    """The class of an exit.

    `lines` are the last of stderr, `said` the classes of the errors that the worker
    reported shortly before, `signal` is what it died of.  `out_of_memory`: the kernel killed
    somebody meanwhile to get memory.
    """
    found = {name for line in lines if (name := classify(line))} | set(said)
    if signal in _CRASHES:
        found.add(CRASH)
    if out_of_memory and signal == "SIGKILL":
        return MEMORY
    return min(found, key=_RANK.__getitem__, default=OTHER)
