"""Calls of `login` with arguments that shioaji dropped."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from gateway.doctor.finding import Finding, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

DROPPED = frozenset(("fetch_contract", "contracts_timeout"))
"""Arguments of `login` that ended with shioaji 1.7."""
DROPPED_IN = (1, 7)


def check_login(tree: ast.AST, shioaji: str, name: str = "main.py") -> Finding:
    """`tree` is the file `name`, `shioaji` the version that its Python has, "" for none."""
    dropped = dict(_dropped(tree))
    if not dropped:
        return ok("login", "no call of login() has arguments that shioaji 1.7 dropped")
    names = " and ".join(sorted(dropped))
    what = f"{name} calls login() with {names} (line {min(dropped.values())})"
    cure = f"leave {names} out of the call, or pip install 'shioaji<1.7' for the worker's Python"
    if not shioaji:
        return warn("login", f"{what}, which shioaji 1.7 dropped", cure)
    if _number(shioaji) < DROPPED_IN:
        return ok("login", f"{what}, which shioaji {shioaji} takes; 1.7 does not")
    return fail("login", f"{what}, but shioaji {shioaji} has no such arguments", cure)


def _dropped(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The dropped arguments of calls of `login`, each with its line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if name == "login":
            for keyword in node.keywords:
                if keyword.arg in DROPPED:
                    yield keyword.arg, node.lineno


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
