"""The virtual environment of a project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attrs import frozen

from gateway.worker.programs import is_program
from gateway.worker.target import project

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("venv", ".venv")


@frozen
class Venvs:
    """What is found from a folder up to the root of its project; the nearest counts."""

    python: str = ""
    """The first interpreter that can be run; "" for none."""
    broken: tuple[str, ...] = ()
    """What is wrong with those before it."""


def look(folder: Path) -> Venvs:
    """Look for venv and .venv, in this order, in `folder` and above.

    Raises OSError where that can't be told: another Python would be the wrong one.
    """
    top = project(folder)
    broken: list[str] = []
    for place in (folder, *folder.parents):
        for name in NAMES:
            python = place / name / "bin" / "python"
            if is_program(os.fspath(python)):
                return Venvs(os.fspath(python), tuple(broken))
            if fault := _fault(place / name, python):
                broken.append(fault)
        if place == top:
            break
    return Venvs(broken=tuple(broken))


def _fault(venv: Path, python: Path) -> str:
    """What is wrong with a virtual environment without a Python; "": it is none."""
    for link in (venv, python):
        if link.is_symlink() and not link.exists():
            return f"{link} is a link to {link.readlink()}, which is not there"
    if python.exists():
        return f"{python} can't be run"
    if (venv / "pyvenv.cfg").exists():
        return f"{venv} has no bin/python"
    return ""
