"""Finds Chromium."""

from __future__ import annotations

import shutil
from typing import Final

PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first draws pages and is nothing else: there a page takes a third of the processor time."""


def find_chromium() -> str | None:
    """The path of the first of `PROGRAMS` that there is; None: there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
