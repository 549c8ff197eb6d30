"""What a worker is made of: its program, its Python, and the versions of what it speaks with.

All of it is read from the names of files.  A Python that is asked tells more, and takes a process
of its own at each start.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.worker.process.target import Target

PACKAGES: Final = ("shioaji", "python-socketio")
"""Those whose versions are told."""
MOST_CONFIG: Final = 4096
"""Bytes of a pyvenv.cfg that are read."""
_PYTHON: Final = re.compile(r"python(3?(?:\.\d+)?)t?")
_VERSION: Final = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+[\w.]*)", re.MULTILINE)
_PACKAGE: Final = re.compile(r"(.+?)-(\d[^-]*)(?:-py[\d.]+)?\.(?:dist|egg)-info")


@frozen
class Program:
    """What runs, as far as it is known."""

    name: str
    """The path of its first source file, `-m` and a module, or the path of a program."""
    python: str = ""
    """The path of its Python; "" where it is run by something else."""
    version: str = ""
    """Of that Python, such as 3.11.7, or 3.11 where no more is known."""
    packages: Mapping[str, str] = field(factory=dict)
    """The versions of `PACKAGES`, of those that are installed."""


def describe(target: Target, program: str) -> Program:
    """What `target` is, run by `program`, a path."""
    if target.module:
        name = f"-m {target.module}"
    else:
        name = os.fspath(target.script) if target.script.is_file() else program
    found = _PYTHON.fullmatch(Path(program).name)
    if found is None:
        return Program(name)
    folders, version = _places(Path(program))
    return Program(name, program, version, _versions(folders))


def _places(python: Path) -> tuple[Sequence[Path], str]:
    """Where `python` looks for packages, and its version."""
    with suppress(OSError), python.parent.with_name("pyvenv.cfg").open("rb") as file:
        text = file.read(MOST_CONFIG).decode(errors="replace")
        version = found[1] if (found := _VERSION.search(text)) else ""
        return sorted(python.parent.parent.glob("lib/python3*/site-packages")), version
    real = Path(os.path.realpath(python))
    found = _PYTHON.fullmatch(real.name)
    version = found[1] if found else ""
    root, named = real.parent.parent, f"lib/python{version}"
    return (
        Path(os.path.expanduser("~/.local"), named, "site-packages"),  # noqa: PTH111  # never raises
        root / named / "site-packages",
        root / "local" / named / "dist-packages",  # Debian's
        root / "lib" / "python3" / "dist-packages",
    ), version


def _versions(folders: Sequence[Path]) -> dict[str, str]:
    """The versions in the names of `folders`; what is in an earlier one counts."""
    found: dict[str, str] = {}
    for package, version in _packages(folders):
        found.setdefault(package, version)
    return {name: found[name] for name in PACKAGES if name in found}


def _packages(folders: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        with suppress(OSError):
            for name in os.listdir(folder):  # noqa: PTH208  # a thousand names, no paths
                if told := _PACKAGE.fullmatch(name):
                    yield re.sub(r"[-_.]+", "-", told[1]).lower(), told[2]
