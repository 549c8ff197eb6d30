"""Where Redis is, and as whom it is asked: read from a URL, without Twisted."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import attrs

PORT = 6379
FORMS = "redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH?db=DB"


@attrs.frozen(kw_only=True)
class Address:
    """A server of Redis or Valkey.  With `path` it is a UNIX socket, else `host` and `port`.

    `ca`: a file with the certificates that are believed instead of those of the system; "": none.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    db: int = 0
    user: str = ""
    password: str = attrs.field(default="", repr=False)
    tls: bool = False
    ca: str = ""

    def __str__(self) -> str:
        """Its URL, without user and password."""
        if self.path:
            return f"unix://{self.path}?db={self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.db}"

    @property
    def greeting(self) -> list[tuple[str, ...]]:
        """The commands by which a connection is that user's, and has that database."""
        commands: list[tuple[str, ...]] = []
        if self.password:
            commands.append(("AUTH", *([self.user] if self.user else ()), self.password))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        return commands


def parse(url: str, *, password: str = "", ca: str = "") -> Address:
    """The address `url`, which may name a user.

    Raises ValueError, with a text for the user.  A password in a URL is refused: everybody on the
    machine can read a command line.
    """
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError(
            "--cluster: put the password into --cluster-password-file, and leave it out of the URL"
        )
    user = unquote(parts.username or "")
    if parts.scheme == "unix" and parts.path and not parts.hostname:
        (number,) = parse_qs(parts.query).get("db", ["0"])
        return Address(path=unquote(parts.path), db=_number(number), user=user, password=password)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or parts.query:
        raise ValueError(f"--cluster: {url!r} is not of the form {FORMS}")
    try:
        port = parts.port or PORT
    except ValueError:
        raise ValueError(f"--cluster: {url!r} has no port that there can be") from None
    return Address(
        host=parts.hostname,
        port=port,
        db=_number(parts.path.strip("/") or "0"),
        user=user,
        password=password,
        tls=parts.scheme == "rediss",
        ca=ca,
    )


def _number(text: str) -> int:
    """The number of a database."""
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise ValueError(f"--cluster: {text!r} is no number of a database")
    return int(text)
