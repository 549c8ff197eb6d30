"""Whether the worker's own .env, or its source, wins over posted keys.

A process's environment can't be seen after its start.  So what the worker will find is judged
from the text of its .env, of main.py, and of what that imports of the worker's own.
"""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from typing import TYPE_CHECKING, TypeGuard

from attrs import frozen

from gateway.worker.keys.own_files import (
    MAX_SOURCE_LENGTH,
    NAME,
    OwnEnv,
    literals,
    logs_in,
    looks_secret,
    read,
)
from gateway.worker.sources import follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.worker.keys.credentials import Variables

MAX_FILES = 10
"""Files with variables that one source names."""
MAX_DEPTH = 5
"""Names that stand for names, and so on."""

_MAY_LOAD = re.compile(r"dotenv|read_env|\.env\b")
_OVERRIDES = re.compile(r"over(?:ride|write)\s*=\s*True")
_FILE = re.compile(r"(?:.*/)?[\w.-]*\.env(?:\.\w+)?")
_LOADERS = frozenset(("load_dotenv", "read_env", "dotenv_values"))
_PATHS = frozenset(("dotenv_path", "path", "stream"))
_OVERRIDE = 3
"""Its place among the arguments of load_dotenv: (dotenv_path, stream, verbose, override)."""


@frozen
class Load:
    """A source loads variables from `file` (None: its .env); `wins`: over the environment."""

    file: Path | None
    wins: bool


def overridden(
    main: Path, posted: Mapping[str, str], variables: Variables, roots: Sequence[Path] = ()
) -> list[str]:
    """The fields of the `posted` keys of which the worker sees another value.

    `posted` are values by variable.  The worker's own modules are beside main.py and in `roots`.
    A .env wins where main.py or such a module loads it with `override=True` or reads the file
    itself.  It also wins where the keys are read from names that are in the .env and are none of
    `variables`.  A key that is written in a source as a constant wins, too.
    """
    own = OwnEnv(main.parent)
    known = {name for names in variables.values() for name in names}
    sources = [read(main)]
    loaded = loads(sources[0], main.parent)
    envs = [OwnEnv(main.parent, load.file) for load in loaded]
    strange = {name for name in own.values if looks_secret(name)} - known
    differs = any(
        env.values.get(name, value) != value
        for env in (own, *envs)
        for name, value in posted.items()
    )
    if strange or differs or not logs_in(sources[0]):  # read only if it may matter
        sources += [read(file) for file in follow(main, roots).files if file != main]
        for source in sources[1:]:
            loaded += loads(source, main.parent)
    written = [each for source in sources for each in literals(source)]
    mentioned = set(re.findall(r"\w+", " ".join(sources)))
    winning = [OwnEnv(main.parent, file) for file in {load.file for load in loaded if load.wins}]

    def is_overridden(field: str, names: tuple[str, ...]) -> bool:
        value = posted.get(names[0])
        if value is None:
            return False
        if any(field == key and text != value for key, text in written):
            return True
        # Names may be put together by the program, and are nowhere then.
        read_by = mentioned.intersection(names) or set(names)
        if any(env.values.get(name, value) != value for env in winning for name in read_by):
            return True
        return not mentioned.intersection(names) and _like(field, strange & mentioned)

    return [field for field, names in variables.items() if is_overridden(field, names)]


def named(main: Path) -> list[OwnEnv]:
    """The files that main.py names when it loads variables, besides its .env."""
    files = dict.fromkeys(load.file for load in loads(read(main), main.parent))
    return [OwnEnv(main.parent, file) for file in files if file is not None]


def loads(source: str, folder: Path) -> list[Load]:
    """The files with variables that `source`, of a worker in `folder`, loads."""
    if _MAY_LOAD.search(source) is None:
        return []
    try:
        if len(source) <= MAX_SOURCE_LENGTH:
            return list(dict.fromkeys(_Reader(ast.parse(source), folder).loads()))[:MAX_FILES]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        pass  # the worker's Python may be newer than ours
    return [Load(None, wins=_OVERRIDES.search(source) is not None)]


def _like(field: str, names: set[str]) -> bool:
    """Whether one of `names` could be what main.py calls `field`."""
    words = {"apiKey": "KEY", "secretKey": "SEC", "caPassword": "PASS"}
    return field in words and any(words[field] in name.upper() for name in names)


class _Reader:
    """Finds in the tree of one source what it loads."""

    def __init__(self, tree: ast.AST, folder: Path) -> None:
        self._folder = folder
        self._nodes = list(ast.walk(tree))
        self._about_environ = _about_environ(self._nodes)
        self._loaders = {name: name for name in _LOADERS}
        self._assigned: dict[str, ast.expr] = {}
        for node in self._nodes:
            if isinstance(node, ast.ImportFrom):
                self._loaders |= {
                    each.asname: each.name
                    for each in node.names
                    if each.asname and each.name in _LOADERS
                }
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._assigned[node.targets[0].id] = node.value

    def loads(self) -> Iterator[Load]:
        losing = {id(each) for node in self._nodes for each in self._yielding(node)}
        stores = any(self._stores(node) for node in self._nodes if id(node) not in losing)
        for node in self._nodes:
            if isinstance(node, ast.Call) and (loader := self._loader(node)):
                yield Load(self._file(node), _overrides(loader, node) and id(node) not in losing)
            elif stores and isinstance(node, ast.Constant) and _is_file(node.value):
                yield Load(self._existing([node.value]), wins=True)  # it takes it apart by itself

    def _loader(self, call: ast.Call) -> str:
        """Which of `_LOADERS` is called; empty: none."""
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        return self._loaders.get(name, "")

    def _file(self, call: ast.Call) -> Path | None:
        given = [*call.args[:1], *(each.value for each in call.keywords if each.arg in _PATHS)]
        return self._existing([text for each in given for text in self._texts(each)])

    def _existing(self, texts: Sequence[str]) -> Path | None:
        """The file that is put together from `texts`; None: the .env, wherever it is."""
        if not texts:
            return None
        whole, last = self._folder.joinpath(*texts), self._folder / texts[-1]
        with suppress(OSError, ValueError):
            if whole.is_file():
                return whole
            if last.name == NAME and not last.is_file():
                return None
        return last

    def _texts(self, node: ast.AST, depth: int = 0) -> Iterator[str]:
        """The texts in an expression, in their order, also of names that stand for some."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, ast.Name):
            if node.id in self._assigned and depth < MAX_DEPTH:
                yield from self._texts(self._assigned[node.id], depth + 1)
        else:
            for child in ast.iter_child_nodes(node):
                yield from self._texts(child, depth)

    def _yielding(self, node: ast.AST) -> Iterator[ast.AST]:
        """What is within `node` and does not win, since the environment comes after it there.

        `{**dotenv_values(), **os.environ}`, `... | os.environ`, `if name not in os.environ: ...`
        """
        yields: Sequence[ast.AST] = ()
        if isinstance(node, ast.Dict):
            last = max(
                (n for n, each in enumerate(node.values) if self._is_environ(each)), default=0
            )
            yields = node.values[:last]
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.BitOr)
            and self._is_environ(node.right)
        ):
            yields = (node.left,)
        elif isinstance(node, ast.If) and self._is_environ(node.test):
            yields = node.body
        for each in yields:
            yield from ast.walk(each)

    def _stores(self, node: ast.AST) -> bool:
        """`os.environ[name] = value` or `os.environ.update(values)`, of any name."""
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            return (
                isinstance(target, ast.Subscript)
                and not isinstance(target.slice, ast.Constant)
                and self._is_environ(target.value)
            )
        called = node.func if isinstance(node, ast.Call) else None
        return (
            isinstance(called, ast.Attribute)
            and called.attr == "update"
            and self._is_environ(called)
        )

    def _is_environ(self, node: ast.AST) -> bool:
        """Whether it has to do with the environment."""
        return id(node) in self._about_environ


def _is_file(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _FILE.fullmatch(value) is not None


def _overrides(loader: str, call: ast.Call) -> bool:
    """`load_dotenv(..., override=True)`, `read_env(overwrite=True)` or `dotenv_values(...)`."""
    if loader == "dotenv_values":
        return True
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    override = given.get("override") or given.get("overwrite")
    if override is None and len(call.args) > _OVERRIDE:
        override = call.args[_OVERRIDE]
    said_no = isinstance(override, ast.Constant) and not override.value
    return override is not None and not said_no


def _about_environ(nodes: list[ast.AST]) -> set[int]:
    """The ids of all that have `environ` in them; no node is looked at twice."""
    parents = {id(child): node for node in nodes for child in ast.iter_child_nodes(node)}
    found: set[int] = set()
    for node in nodes:
        above: ast.AST | None = node
        if getattr(node, "attr", getattr(node, "id", "")) == "environ":
            while above is not None and id(above) not in found:
                found.add(id(above))
                above = parents.get(id(above))
    return found
