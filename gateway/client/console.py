"""The worker's log on the console, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger("sjgateway.client")


class Redactor:
    """Takes secrets out of text, and whatever starts with 8 of a secret's characters.

    The broker's own errors quote the first 10 characters of the API key.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) > 3}, key=len, reverse=True)
        whole = [re.escape(s) for s in known]
        starts = [re.escape(s[:8]) + r"[^\s'\"/\\]*" for s in known if len(s) > 8]
        self._pattern = re.compile("|".join(whole + starts) or r"(?!)")

    def __call__(self, text: str) -> str:
        return self._pattern.sub("[redacted]", text)


class RedactingFormatter(logging.Formatter):
    """Formats a record without secrets, its traceback included."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def log_to_console(redact: Redactor) -> None:
    """Errors and warnings to stderr, whose tail the gateway keeps; the rest to stdout."""
    out, err = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    out.addFilter(lambda record: record.levelno < logging.WARNING)
    err.setLevel(logging.WARNING)
    for handler in (out, err):
        handler.setFormatter(RedactingFormatter(redact))
        log.addHandler(handler)
    log.setLevel(logging.INFO)
