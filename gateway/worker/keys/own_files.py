"""The worker's own files: which keys and secrets are in its .env and in its source."""

from __future__ import annotations

import ast
import errno
import re
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.worker.keys.credentials import Variables

NAME = ".env"
BOM = "\ufeff"
MAX_SECRETS = 100
"""Secrets of one .env that are known."""
MAX_FILE_BYTES = 1 << 20
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
        return list(found)[:MAX_SECRETS]


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
        if file is not None and file.stat().st_size <= MAX_FILE_BYTES:
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


# -- Keys that are written in the source: they win over posted ones.

CALLS: Final = {
    "login": {"api_key": "apiKey", "secret_key": "secretKey"},
    "activate_ca": {"ca_path": "caCertPath", "ca_passwd": "caPassword"},
}
"""The calls of shioaji that take keys, and the posted field of each keyword."""
MAX_SOURCE_LENGTH: Final = 200_000
"""Characters of a source that are parsed, about a second's work; of more only words count."""


def logs_in(source: str) -> bool:
    """Whether one of `CALLS` may be in `source`."""
    return any(call in source for call in CALLS)


def literals(source: str) -> list[tuple[str, str]]:
    """The keys that `source` gives to shioaji as constants: the posted field, and the value.

    A constant is a text in the call itself, or a name that stands for nothing but texts.
    Empty for a source that cannot be parsed.
    """
    if not logs_in(source) or len(source) > MAX_SOURCE_LENGTH:
        return []
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []  # the worker's Python may be newer than ours
    names: dict[str, list[str]] = {}
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        for target in targets:
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name):
                names.setdefault(target.id, []).append(_text(node.value))
    found = []
    for node in nodes:
        if isinstance(node, ast.Call):
            fields = CALLS.get(getattr(node.func, "attr", getattr(node.func, "id", "")), {})
            for keyword in node.keywords:
                given = keyword.value
                texts = names.get(given.id, []) if isinstance(given, ast.Name) else [_text(given)]
                if keyword.arg in fields and all(texts):
                    found += [(fields[keyword.arg], text) for text in texts]
    return found


def _text(node: ast.expr) -> str:
    """The text that `node` is; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
