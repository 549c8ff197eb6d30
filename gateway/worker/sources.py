"""The worker's own source files, and what they import beyond themselves."""

from __future__ import annotations

import ast
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from attrs import field, frozen

from gateway.contract import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

MAX_FILES = 300
"""Files that are followed; a worker has fewer."""
UNREADABLE = (SyntaxError, ValueError, OSError, MemoryError, RecursionError)
"""What reading and parsing a file may raise: it is missing, wrong, or nested too deeply."""


class Import(NamedTuple):
    """One name that a file imports."""

    parts: tuple[str, ...]
    level: int
    """Dots before it: 0 for an absolute import."""
    needed: bool
    """It is imported as soon as the file is, and nothing catches its absence."""
    tried: bool
    """It is imported as soon as the file is, if it is there."""


@frozen
class Sources:
    """The files that a script leads to, itself first, and the modules of others."""

    files: dict[Path, ast.AST] = field(factory=dict)
    """Those that can be parsed."""
    needed: set[str] = field(factory=set)
    """Top-level names of modules without which the script ends at once."""
    optional: set[str] = field(factory=set)
    """Those that it tries to import, or imports later."""
    elsewhere: dict[str, Path] = field(factory=dict)
    """Those of the needed ones that are its own, by the folder in which they are: a Python has
    to be told of it (PYTHONPATH, an installation), as it does not look there by itself."""


def follow(script: Path, roots: Sequence[Path] = (), first: Path | None = None) -> Sources:
    """The script, its own files that it imports, and the modules of others; all levels.

    Its own files are found as Python finds them: in `first` (None: the script's folder), beside
    the script, and in `roots`.  The result is empty where the folder can't be listed.
    """
    first = first or script.parent
    roots = tuple(dict.fromkeys((first, script.parent, *roots)))
    found = Sources()
    try:
        own = sys.stdlib_module_names | {"__main__", *_names(script.parent)}
    except OSError:
        return found  # what is beside it can't be told from what is not
    todo = deque([(script, True)])
    while todo and len(found.files) < MAX_FILES:
        path, needed = todo.popleft()
        if path in found.files:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except UNREADABLE:
            continue  # the worker's own words will say what is wrong
        found.files[path] = tree
        for each in _imports(tree):
            name = each.parts[0] if each.parts else ""
            root, local = _local(each, path, roots)
            todo.extend((file, needed and each.needed) for file in local)
            if local and needed and each.needed and not each.level and root != first:
                found.elsewhere.setdefault(name, root)
            if local or each.level or name in own:
                continue
            if needed and each.needed:
                found.needed.add(name)
            elif each.tried or each.needed:
                found.optional.add(name)
    found.optional.difference_update(found.needed)
    return found


def fault(path: Path) -> str:
    """Why `path` does not compile, with its name; "" when it does, or is gone."""
    try:
        compile(path.read_bytes(), path, "exec", dont_inherit=True)
    except OSError:
        return ""
    except (MemoryError, RecursionError):
        return f"{path.name} is nested too deeply"
    except SyntaxError as error:
        return f"{path.name}, line {error.lineno}: {error.msg}"
    except ValueError as error:
        return f"{path.name}: {error}"
    return ""


def _names(folder: Path) -> Iterator[str]:
    """What an import finds in `folder`."""
    for each in folder.iterdir():
        if each.suffix == ".py" or each.is_dir():
            yield each.stem


def _imports(tree: ast.Module) -> Iterator[Import]:
    """All of a file, those in functions included."""
    tried = {
        id(step)
        for statement in tree.body
        if isinstance(statement, ast.Try)
        for step in statement.body
    }
    body = set(map(id, tree.body))
    for node in ast.walk(tree):
        how = (id(node) in body, id(node) in tried)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(tuple(alias.name.split(".")), 0, *how)
        elif isinstance(node, ast.ImportFrom):
            parts = tuple(node.module.split(".")) if node.module else ()
            yield Import(parts, node.level, *how)
            for alias in node.names:  # a module, perhaps
                if parts or node.level:
                    yield Import((*parts, alias.name), node.level, *how)


def _local(what: Import, path: Path, roots: Iterable[Path]) -> tuple[Path, list[Path]]:
    """The files of our own that Python would run for it, packages first; and in which folder."""
    if what.level:
        roots = (path.parents[what.level - 1],) if what.level <= len(path.parents) else ()
    for root in roots:
        files = list(_chain(root, what.parts))
        if files:
            return root, files
    return path, []


def _chain(root: Path, parts: Sequence[str]) -> Iterator[Path]:
    for length in range(len(parts) + 1):
        place = root.joinpath(*parts[:length])
        if length and place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
        elif (length or not parts) and (place / "__init__.py").is_file():
            yield place / "__init__.py"


# -- Development: have the worker's own files changed, and do they compile?

Stamps = dict["Path", tuple[int, int]]


class SourceWatch:
    """Looks at the Python files beside `main()`, and at those that it leads to (`sources()`).

    Both may raise LaunchError: there are none.
    """

    def __init__(
        self, main: Callable[[], Path], sources: Callable[[], Iterable[Path]] = tuple
    ) -> None:
        self._main = main
        self._sources = sources
        self._led_to: frozenset[Path] = frozenset()
        self._followed: Stamps | None = None
        self._known = self._seen = self._stamps()
        self._pending: set[Path] = set()

    def changed(self) -> list[Path]:
        """The files that changed since it last named some, once they rest.

        To be called about once a second: an editor writes a file in several steps.
        """
        before, self._seen = self._seen, self._stamps()
        if self._seen == self._known or self._seen != before:
            return []
        known, self._known = self._known, self._seen
        changed = sorted({path for path, _ in known.items() ^ self._seen.items()})
        self._pending.update(changed)
        return changed

    def fault(self) -> str:
        """Why a changed file does not compile, or main.py can't be run; "": all is well.

        A file counts as changed until this is "" once: the worker still runs the code before.
        """
        try:
            self._main()
        except LaunchError as error:
            return str(error)
        for path in sorted(self._pending):
            if wrong := fault(path):
                return wrong
        self._pending.clear()
        return ""

    def _stamps(self) -> Stamps:
        """As they are now; where main.py leads to is found out again when one of them changed."""
        try:
            stamps = self._look()
            if stamps != self._followed:
                self._led_to = frozenset(self._sources())
                stamps = self._followed = self._look()
        except LaunchError:
            return {}
        return stamps

    def _look(self) -> Stamps:
        stamps: Stamps = {}
        for path in {*self._main().parent.glob("*.py"), *self._led_to}:
            with suppress(OSError):  # gone meanwhile
                status = path.stat()
                stamps[path] = status.st_mtime_ns, status.st_size
        return stamps
