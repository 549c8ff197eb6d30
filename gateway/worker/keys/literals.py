"""Keys that are written in the worker's source: they win over posted ones."""

from __future__ import annotations

import ast
from typing import Final

CALLS: Final = {
    "login": {"api_key": "apiKey", "secret_key": "secretKey"},
    "activate_ca": {"ca_path": "caCertPath", "ca_passwd": "caPassword"},
}
"""The calls of shioaji that take keys, and the posted field of each keyword."""
LONGEST: Final = 200_000
"""Characters of a source that are parsed, about a second's work."""


def logs_in(source: str) -> bool:
    """Whether one of `CALLS` may be in `source`."""
    return any(call in source for call in CALLS)


def literals(source: str) -> list[tuple[str, str]]:
    """The keys that `source` gives to shioaji as constants: the posted field, and the value.

    A constant is a text in the call itself, or a name that stands for nothing but texts.
    Empty for a source that cannot be parsed.
    """
    if not logs_in(source) or len(source) > LONGEST:
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
