"""Takes secrets, and beginnings of secrets, out of a text."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

MASK = "[redacted]"
BOM = "\ufeff"
PREFIX = 8
"""Characters at the beginning of a secret that are taken out, too."""
WHOLE_WORD = 4
"""A secret shorter than this is looked for as a whole word only."""
MAX_SECRETS = 256
"""Secrets that are remembered: a worker may still print older keys."""
MAX_LINES = 32
"""Lines of a secret that are looked for one by one: a private key has fewer than 30."""


class Redactor:
    """Replaces the secrets that it has learned by `MASK`."""

    def __init__(self) -> None:
        self._secrets: dict[str, None] = {}
        self._heads: re.Pattern[str] | None = None
        self._by_head: dict[str, list[str]] = {}

    def learn(self, *secrets: str) -> None:
        """Take `secrets` out from now on, also as repr, JSON and URLs show them."""
        for secret in secrets:
            for part in _parts(secret):
                for form in _forms(part):
                    self._secrets.pop(form, None)
                    self._secrets[form] = None
        for old in list(self._secrets)[:-MAX_SECRETS]:
            del self._secrets[old]
        self._by_head = {}
        for secret in self._secrets:
            self._by_head.setdefault(secret[:PREFIX], []).append(secret)
        heads = sorted(self._by_head, key=len, reverse=True)
        self._heads = re.compile("|".join(map(_pattern, heads))) if heads else None

    def __call__(self, text: str) -> str:
        """`text` without secrets and without beginnings of `PREFIX` characters and more."""
        if self._heads is None or self._heads.search(text) is None:
            return text
        pieces: list[str] = []
        start = 0
        while found := self._heads.search(text, start):
            pieces += text[start : found.start()], MASK
            start = found.start() + max(
                _common(secret, text, found.start()) for secret in self._by_head[found[0]]
            )
        return "".join((*pieces, text[start:]))

    def held(self, text: str) -> int:
        """How many characters at the end of `text` may begin a secret that goes on."""
        return max((_begins(text, secret) for secret in self._secrets), default=0)


def _begins(text: str, secret: str) -> int:
    """The characters at the end of `text` that `secret` may go on from."""
    at = text.find(secret[0], max(0, len(text) - len(secret) + 1))
    while at >= 0 and not secret.startswith(text[at:]):
        at = text.find(secret[0], at + 1)
    return len(text) - at if at >= 0 else 0


def _parts(secret: str) -> set[str]:
    """`secret`, and what programs make of it: they strip it, or print it line by line."""
    lines = [line.strip(f"{BOM} \t") for line in secret.splitlines()[:MAX_LINES]]
    return {secret, *(line for line in lines if len(lines) == 1 or len(line) >= PREFIX)}


def _forms(secret: str) -> set[str]:
    """`secret` and the forms in which repr, JSON and a URL show it."""
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    forms |= {json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe="")}
    return {form for form in forms if form}


def _pattern(head: str) -> str:
    pattern = re.escape(head)
    return rf"(?<!\w){pattern}(?!\w)" if len(head) < WHOLE_WORD else pattern


def _common(secret: str, text: str, at: int) -> int:
    """How many characters of `secret` stand at `at`."""
    for length, character in enumerate(secret):
        if at + length == len(text) or text[at + length] != character:
            return length
    return len(secret)
