"""The worker's own .env: what in it is a secret, and whether it wins over posted keys.

A process's environment can't be seen after its start.  So what the worker will find is judged
from the text of its .env and of main.py.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dotenv import dotenv_values

from gateway.worker.sources import follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.worker.credentials import Variables

NAME = ".env"
BOM = "\ufeff"
MOST = 100
"""Secrets of one .env that are known."""
MOST_FILES = 10
"""Files of the like that main.py names."""
LARGEST = 1 << 20
"""Bytes of a .env or a main.py beyond which it is not read."""

_MAY_WIN = re.compile(r"load_dotenv|read_env|dotenv_values")
_NAMED = re.compile(
    r"(?:load_dotenv|read_env|dotenv_values)\(\s*(?:\w+\s*=\s*)?[\"']([^\"'\n]+)[\"']"
)
_OVERRIDE = 3
"""Its place among the arguments of load_dotenv: (dotenv_path, stream, verbose, override)."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = re.compile(
    r".*(?:KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|WEBHOOK|AUTH|DSN)$"
)
_HARMLESS = frozenset(("PATH", "FILE", "DIR", "FOLDER", "FIELD", "NAME", "NAMES", "ID", "TYPE"))
"""Last words of names that tell where a secret is, or what it is called."""
_TRIVIAL = re.compile(r".?|\d{1,3}|true|false|yes|no|on|off|none|null", re.IGNORECASE)


class OwnEnv:
    """The .env that `load_dotenv()` finds from main.py's folder; it may change at any time."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self.file = file or _find(folder)
        self.text = _read(self.file)
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
    if not words or words[-1] in _HARMLESS:
        return False
    return any(_SECRET.fullmatch(word) for word in words)


def overridden(
    main: Path, posted: Mapping[str, str], variables: Variables, roots: Sequence[Path] = ()
) -> list[str]:
    """Of the keys that were `posted`, the fields of which the worker sees something else.

    `posted` are values by variable; `roots` is where modules of the worker's own are, besides
    beside main.py.  A .env wins where main.py, or what it imports of the worker's own, loads
    it with `override=True` or reads the file itself, and where the keys are read under names
    that are none of `variables` and are in the .env.
    """
    own = OwnEnv(main.parent)
    known = {name for names in variables.values() for name in names}
    strange = {name for name in own.values if looks_secret(name)} - known
    differs = any(own.values.get(name, value) != value for name, value in posted.items())
    sources = [_read(main)]
    if strange or differs:  # all of them are read only if it may matter
        sources += [_read(file) for file in follow(main, roots).files if file != main]
    mentioned = set(re.findall(r"\w+", " ".join(sources)))
    winning = [
        OwnEnv(main.parent, file) for source in sources for file in _winners(source, main.parent)
    ]

    def is_overridden(field: str, names: tuple[str, ...]) -> bool:
        value = posted.get(names[0])
        if value is None:
            return False
        if not mentioned.intersection(names):
            return _like(field, strange & mentioned)
        found = (env.values.get(name, value) for env in winning for name in mentioned & {*names})
        return any(other != value for other in found)

    return [field for field, names in variables.items() if is_overridden(field, names)]


def named(main: Path) -> list[OwnEnv]:
    """The files that main.py names when it loads variables, besides its .env."""
    paths = list(dict.fromkeys(_NAMED.findall(_read(main))))[:MOST_FILES]
    return [OwnEnv(main.parent, main.parent / path) for path in paths]


def _like(field: str, names: set[str]) -> bool:
    """Whether one of `names` could be what main.py calls `field`."""
    words = {"apiKey": "KEY", "secretKey": "SEC", "caPassword": "PASS"}
    return field in words and any(words[field] in name.upper() for name in names)


def _winners(source: str, folder: Path) -> Iterator[Path | None]:
    """The files that win over the environment, by the text of main.py; None: its .env."""
    if _MAY_WIN.search(source) is None:
        return
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return  # such a worker does not run
    for node in nodes:
        if isinstance(node, ast.Call) and _loads_over(node):
            given = [*node.args[:1], *(each.value for each in node.keywords)]
            named = [
                each.value
                for each in given
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            yield folder / named[0] if named else None


def _loads_over(call: ast.Call) -> bool:
    """`load_dotenv(..., override=True)`, `read_env(overwrite=True)` or `dotenv_values(...)`."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "dotenv_values":
        return True
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    override = given.get("override") or given.get("overwrite")
    if override is None and len(call.args) > _OVERRIDE:
        override = call.args[_OVERRIDE]
    said_no = isinstance(override, ast.Constant) and not override.value
    return name in ("load_dotenv", "read_env") and override is not None and not said_no


def _find(folder: Path) -> Path | None:
    for parent in (folder, *folder.parents):
        with suppress(OSError):
            if (parent / NAME).is_file():
                return parent / NAME
    return None


def _read(file: Path | None) -> str:
    """Its text; nothing where it can't be read, as the worker can't either."""
    with suppress(OSError, ValueError):
        if file is not None and file.stat().st_size <= LARGEST:
            with file.open(encoding="utf-8", errors="replace", newline="") as stream:
                return stream.read()
    return ""


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
