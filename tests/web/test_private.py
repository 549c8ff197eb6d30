"""Private attributes of Twisted and Autobahn: all that are used are listed, and there."""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

import gateway
from gateway.app.command_line import Options
from gateway.rehearsal.plan import STAND_IN
from gateway.tap import makeService
from gateway.web import private

ROOT = Path(gateway.__file__).parent
LISTED = {each.name for each in private.NAMES}
OTHERS = {"_replace", "_exit"}
"""Documented ones, of named tuples and of `os`."""


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def attributes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each private attribute that is read, written or asked for by name, and of what."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield ast.unparse(node.value), node.attr
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"getattr", "setattr", "hasattr", "delattr"}
            and isinstance(node.args[1], ast.Constant)
            and is_private(node.args[1].value)
        ):
            yield ast.unparse(node.args[0]), node.args[1].value


def own(tree: ast.AST) -> Iterator[str]:
    """The private names that a module or a class makes itself."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"self", "cls"}
        ):
            yield node.attr


def source(kind: type) -> ast.AST:
    """The statement of a class."""
    module = parsed(Path(inspect.getfile(kind)))
    return next(
        each
        for each in ast.walk(module)
        if isinstance(each, ast.ClassDef) and each.name == kind.__name__
    )


@cache
def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def inherited(kind: type) -> set[str]:
    """The private names of what `kind` inherits from Twisted and Autobahn."""
    theirs = [
        base
        for base in kind.__mro__[1:]
        if base.__module__.partition(".")[0] in {"twisted", "autobahn"}
    ]
    return {name for base in theirs for name in private_names(base)}


@cache
def private_names(kind: type) -> set[str]:
    return set(filter(is_private, own(source(kind))))


TREES = {path: parsed(path) for path in sorted(ROOT.rglob("*.py"))}
USED = {path: list(attributes(tree)) for path, tree in TREES.items()}
MADE = {path: {name for name in own(tree) if is_private(name)} for path, tree in TREES.items()}
OWN = set().union(*MADE.values())


def unlisted(path: str, used: Iterable[tuple[str, str]]) -> list[str]:
    """Private attributes that are nobody's of ours, and not listed."""
    return [
        f"{path}: {owner}.{name}"
        for owner, name in used
        if name not in LISTED | OTHERS and name not in OWN
    ]


class UseTests(SynchronousTestCase):
    def test_nothing_else_is_used(self) -> None:
        found = [each for path, used in USED.items() for each in unlisted(path.name, used)]
        self.assertEqual(found, [])

    def test_the_reader_sees_what_is_used(self) -> None:
        for code in (
            "transport._tempDataLen",
            "self._savedTimeOut = None",
            "getattr(channel, '_networkProducer', None)",
            "super()._cleanup()",
        ):
            self.assertEqual(len(unlisted("x.py", attributes(ast.parse(code)))), 1, code)

    def test_no_attribute_is_by_chance_one_of_a_base_class(self) -> None:
        shared = set()
        for path in TREES:
            if STAND_IN in path.parents:  # no package of ours: a worker's Python has it on its path
                continue
            name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
            for kind in vars(importlib.import_module(name)).values():
                if inspect.isclass(kind) and kind.__module__ == name and inherited(kind):
                    tree = source(kind)
                    used = {each for _, each in attributes(tree)} | set(own(tree))
                    shared |= used & inherited(kind)
        self.assertEqual(shared - LISTED, set())
        self.assertIn("_path", shared)

    def test_private_modules_and_names_are_not_imported(self) -> None:
        found = [
            f"{path.name}: {node.module}.{alias.name}"
            for path, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[0] in {"twisted", "autobahn"}
            for alias in node.names
            if is_private(alias.name) or any(map(is_private, (node.module or "").split(".")))
        ]
        self.assertEqual(found, [])

    def test_whatever_is_listed_is_used(self) -> None:
        used = {
            name
            for path in TREES
            if path.name != "private.py"
            for name in [*(each for _, each in USED[path]), *MADE[path]]
        }
        self.assertEqual(LISTED - used, set())
        self.assertTrue(all(each.reason for each in private.NAMES))


class CheckTests(SynchronousTestCase):
    def test_the_installed_versions_have_them_all(self) -> None:
        self.assertEqual(private.missing(), [])
        private.check()

    def test_a_start_says_in_one_line_what_is_missing(self) -> None:
        from twisted.internet.testing import MemoryReactorClock

        gone = private.Private(private.HTTP, "_pathOfOld", "a test's")
        options = Options()
        options.parseOptions(["--no-worker"])
        with patch.object(private, "NAMES", (*private.NAMES, gone)):
            error = self.assertRaises(SystemExit, makeService, options, MemoryReactorClock())
        self.assertIn("twisted.web.http.HTTPChannel._pathOfOld", str(error))
        self.assertEqual(len(str(error).splitlines()), 1)
