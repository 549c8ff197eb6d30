"""Tokens: the name, the role and the end of each, and the files that hold them; wrong tokens.

A file has either one token and nothing else, or one token a line:

    # name  token                  role     expires
    desk    wq0Kc7mVt1hR9xZ2       control
    screen  Zr5bN8yLp3sD6fGh       view     2026-12-31
    feed    Hx2vB9nMq4wE7rTy       publish  2026-06-30T18:00:00+08:00

A date means the end of that day; a time without an offset is local time.
"""

from __future__ import annotations

import os
import re
import stat
from collections import OrderedDict
from datetime import datetime, time, timedelta
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from attrs import field, frozen
from twisted.logger import Logger

from gateway.common.rate import MINUTE, LeakyBucket, Throttle
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEAST, MOST = 8, 400
"""Characters of a token: shorter ones can be guessed, longer ones do not fit in all places."""

_COMMENT = re.compile(r"\s*#(\s|$)")
"""A line that is a comment; without the space after # it is a token."""
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_DATE_ONLY = re.compile(r"[0-9-]+")


class Role(IntEnum):
    """What a caller may do; each includes the ones before it."""

    NONE = 0
    VIEW = 1
    PUBLISH = 2
    CONTROL = 3


ROLES = {role.name.lower(): role for role in Role if role}


@frozen(eq=False)
class Token:
    """One token; `expires` in seconds since 1970, None: never."""

    name: str
    secret: str = field(repr=False)
    role: Role
    expires: float | None = None
    digest: bytes = field(init=False, repr=False)

    @digest.default
    def _digest(self) -> bytes:
        return digest(self.secret)

    def is_valid(self, now: float) -> bool:
        """Whether it has not expired yet."""
        return self.expires is None or now < self.expires


def digest(secret: str) -> bytes:
    """What tokens are compared by, so that the time of a comparison tells nothing."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read(file: Path, role: Role) -> tuple[Token, ...]:
    """The tokens in `file`; a token without a name has `role`, and no token may have a higher one.

    Raises ValueError, with a text for the user that holds no token.
    """
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read()
    except OSError as error:
        raise ValueError(f"the token file can't be read: {error}") from None
    where = f"the token file {file}"
    if mode & stat.S_IWOTH:
        raise ValueError(f"{where} can be written by others: chmod 600 {file}")
    if data.startswith(b"\xef\xbb\xbf") or b"\0" in data:
        raise ValueError(f"{where} is no plain text: save it as UTF-8 without a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{where} is no plain text: save it as UTF-8") from None
    return parse(text, role, where)


def parse(text: str, role: Role, where: str) -> tuple[Token, ...]:
    """The tokens in `text`, as `read`; `where` is the file, for errors."""
    lines = text.strip("\r\n").splitlines()
    if not any(map(str.strip, lines)):
        raise ValueError(f"{where} is empty")
    if len(lines) == 1 and _stands_alone(lines[0]):
        name = next(name for name, each in ROLES.items() if each is role)
        return (_checked(Token(name, lines[0].strip(), role), where),)
    tokens: dict[bytes, Token] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            token = _named(line.split(), f"{where}, line {number},")
            if token.role > role:
                raise ValueError(f"{where}, line {number}, may give the role {role.name.lower()}")
            if token.digest in tokens:
                raise ValueError(f"{where}, line {number}, has the token of another line")
            tokens[token.digest] = token
    return tuple(tokens.values())


def readable_by_others(file: Path) -> bool:
    """Whether other users can read `file`, as they can read the secrets of a container."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _stands_alone(line: str) -> bool:
    """Whether `line` is a token without a name; such a token may have spaces."""
    fields = line.split()
    return not _COMMENT.match(line) and (len(fields) < 3 or fields[2] not in ROLES)


def _named(fields: list[str], where: str) -> Token:
    if not 3 <= len(fields) <= 4:
        raise ValueError(
            f"{where} is not NAME TOKEN ROLE [EXPIRES]; a token alone has no other line"
        )
    name, secret, role, *expires = fields
    if not _NAME.fullmatch(name):
        raise ValueError(f"{where} has a name of other characters than letters, digits and ._@-")
    if role not in ROLES:
        raise ValueError(f"{where} has no role of {', '.join(ROLES)}")
    until = _moment(expires[0], where) if expires else None
    return _checked(Token(name, secret, ROLES[role], until), where)


def _checked(token: Token, where: str) -> Token:
    if len(token.secret) < LEAST:
        raise ValueError(
            f"{where} has a token of fewer than {LEAST} characters: python3 -c"
            " 'import secrets; print(secrets.token_urlsafe())' makes a good one"
        )
    if len(token.secret) > MOST:
        raise ValueError(f"{where} has a token of more than {MOST} characters")
    if not token.secret.isprintable():
        raise ValueError(f"{where} has a token with a control character")
    return token


def _moment(text: str, where: str) -> float:
    """The end of a token, in seconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where} has an end that is no date; write 2026-12-31") from None
    if _DATE_ONLY.fullmatch(text):
        moment = datetime.combine(moment + timedelta(days=1), time())
    return moment.timestamp()


# -- Wrong tokens: the answer waits, longer for each further one of the same address.

BURST = 5
"""Wrong tokens of one address that are answered at once, since people mistype."""
RATE = 0.5
"""Wrong tokens a second, in the long run."""
LONGEST_WAIT = 20.0
"""Seconds that an answer waits at most; clients give up later than that."""
MAX_ADDRESSES = 4096
"""Addresses that are remembered: those of the newest wrong tokens."""
LINES_A_MINUTE = 20
"""Log lines in a minute, for all addresses together."""

_log = Logger(namespace="gateway")


class _Address:
    """The wrong tokens of one address."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.recent = LeakyBucket(RATE, clock)
        self.may_tell = Throttle(clock)
        self.untold = 0


class WrongTokens:
    """Counts wrong tokens by address; right tokens are never delayed.

    `clock`: seconds, on any clock that does not jump.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._lines = LeakyBucket(LINES_A_MINUTE / MINUTE, clock)

    def add(self, address: str, what: str) -> float:
        """Count a wrong token for `what`; returns the seconds that the answer has to wait."""
        key = address_key(address)
        known = self._addresses.pop(key, None) or _Address(self._clock)
        self._addresses[key] = known
        if len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        known.untold += 1
        if known.may_tell():
            self._tell(known, address, what)
        recent = known.recent.add(BURST + LONGEST_WAIT * RATE)
        return min(LONGEST_WAIT, max(0.0, (recent - BURST) / RATE))

    def _tell(self, known: _Address, address: str, what: str) -> None:
        if self._lines.add(LINES_A_MINUTE) > LINES_A_MINUTE:
            return
        count, known.untold = known.untold, 0
        _log.warn(
            "A wrong token for {what} from {address}{more}",
            tag="Audit",
            what=what,
            address=address or "a UNIX socket",
            more=f", {count} since it was told last" if count > 1 else "",
        )
