"""The worker's own .env: what it holds, what in it is a secret, and what is damaged."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.worker.keys.credentials import Variables

NAME = ".env"
BOM = "\ufeff"
MOST = 100
"""Secrets of one .env that are known."""
LARGEST = 1 << 20
"""Bytes of a .env or a main.py beyond which it is not read."""

UNREADABLE = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM)
)
"""What the system says of a file that is not there, or that is closed to us."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = re.compile(
    r".*(?:KEYS?|SECRETS?|TOKEN|PASSWORDS?|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|CREDS|WEBHOOK"
    r"|AUTH|DSN|JWT|COOKIE)$|PW|PIN|SALT|BEARER"
)
_PERSON = re.compile(r"(?:PERSON|PERSONAL|NATIONAL|SESSION)_?ID", re.IGNORECASE)
"""By a person's number certificates are opened."""
_CHINESE = re.compile("密碼|金鑰|密鑰|私鑰|權杖")
_HARMLESS = frozenset(("PATH", "FILE", "DIR", "FOLDER", "FIELD", "NAME", "NAMES", "ID", "TYPE"))
"""Last words of names that tell where a secret is, or what it is called."""
_TRIVIAL = re.compile(r".?|\d{1,3}|true|false|yes|no|on|off|none|null", re.IGNORECASE)


class OwnEnv:
    """The .env that `load_dotenv()` finds from main.py's folder; it may change at any time."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self.file = file or _find(folder)
        self.text = read(self.file)
        self.values: Mapping[str, str] = _values(self.text, interpolate=True)

    def secrets(self, variables: Variables) -> list[str]:
        """The values in it that no log may show: keys, and whatever has a name like a secret."""
        keys = {
            name for field, names in variables.items() if field != "caCertPath" for name in names
        }
        found: dict[str, None] = {}
        for values in (_values(self.text, interpolate=False), self.values):
            for name, value in values.items():
                if name in keys or (looks_secret(name) and not _TRIVIAL.fullmatch(value)):
                    found[value] = None
                elif password := _password(value):
                    found[password] = None
        return list(found)[:MOST]


def looks_secret(name: str) -> bool:
    """Whether a variable of that `name` holds a secret, as people name variables."""
    words = [word.upper() for word in _WORD.findall(name)]
    if _PERSON.search(name) or _CHINESE.search(name):
        return True
    if not words or words[-1] in _HARMLESS:
        return False
    return any(_SECRET.fullmatch(word) for word in words)


def _find(folder: Path) -> Path | None:
    for parent in (folder, *folder.parents):
        with _unreadable_is_absent():
            if (parent / NAME).is_file():
                return parent / NAME
    return None


def read(file: Path | None) -> str:
    """Its text; "" where it is not there, too large, or closed to us, as to the worker.

    Raises OSError where it can't be read for another reason, such as a shortage or a disk that
    fails: the worker may read it all the same.
    """
    with _unreadable_is_absent(), suppress(ValueError):
        if file is not None and file.stat().st_size <= LARGEST:
            with file.open(encoding="utf-8", errors="replace", newline="") as stream:
                return stream.read()
    return ""


@contextmanager
def _unreadable_is_absent() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in UNREADABLE:
            raise


def _values(text: str, *, interpolate: bool) -> dict[str, str]:
    with suppress(ValueError):
        values = dotenv_values(stream=StringIO(text.lstrip(BOM)), interpolate=interpolate)
        return {name: value for name, value in values.items() if value}
    return {}


def _password(value: str) -> str:
    """The password in a URL such as that of a database."""
    with suppress(ValueError):
        return urlsplit(value).password or ""
    return ""


def damaged(text: str) -> Iterator[str]:
    """What is wrong with a key, or with the text of a file, that nobody sees."""
    if "\r" in text:
        yield "CR (a Windows line end)"
    if BOM in text:
        yield "a byte order mark (BOM)"
