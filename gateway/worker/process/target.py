"""What the worker is: main.py, a module, or any command; and where it works."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from gateway.contract import LaunchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.worker.settings import WorkerSettings

ROOT = Path(__file__).parents[3]
"""The folder that the package `gateway` is in."""
UNKNOWN = "(unknown)"
"""Stands for the script of a module or a command of which none is found."""
MARKS = ("pyproject.toml", ".git")
"""What the root of a project has."""


@frozen
class Target:
    """One worker's program."""

    words: tuple[str, ...]
    """The command, without its interpreter where it `is_python`."""
    folder: Path
    """Where it works."""
    script: Path
    """Its first source file, as far as that can be told; it may not be there."""
    is_python: bool = True
    """Whether an interpreter is to be found for it."""

    @property
    def identity(self) -> str:
        """The same for the same program, by whatever link it is named."""
        if self.is_python and self.words[:1] != ("-m",):
            return os.fspath(self.script.resolve())
        return " ".join((os.fspath(self.folder.resolve()), *self.words))

    @property
    def module(self) -> str:
        """The module that is run by its name; "" where it is a file."""
        options = iter(self.words)
        return next(options, "") if "-m" in options else ""

    @property
    def first(self) -> Path:
        """Where its Python looks for modules by itself."""
        return self.folder if self.module else self.script.parent

    @property
    def roots(self) -> tuple[Path, ...]:
        """Where its own modules are looked for."""
        beside = self.script.parent
        return tuple(dict.fromkeys((beside, self.folder, project(beside) / "src", project(beside))))


def find(settings: WorkerSettings, cwd: Path) -> Target:
    """What `settings` tell to run; `cwd` is the gateway's folder.  Raises LaunchError.

    A module of ours, else `--command`, else `--module`, else `--main`, else main.py in the working
    folder or the one above, else, with `--demo`, a feed of our own.  The working folder is `--cwd`,
    else that of main.py, else the gateway's.
    """
    if settings.own:
        return own(settings.own, ROOT)
    folder = _folder(settings, cwd)
    if settings.command:
        words = tuple(settings.command)
        return Target(words, folder, _script_of(words, folder), is_python=False)
    if settings.module:
        return Target(("-m", settings.module), folder, _module(settings.module, folder))
    try:
        main = _main(settings, cwd, folder)
    except LaunchError:
        if settings.mark == "demo" and settings.main is None:
            return own(("gateway.client",), folder)
        raise
    return Target((os.fspath(main),), folder if settings.cwd else main.parent, main)


def own(words: Sequence[str], folder: Path) -> Target:
    """A worker of ours: a module of this installation and its arguments, in our own Python."""
    command = (sys.executable, "-u", "-m", *words)
    return Target(command, folder, _module(words[0], ROOT), is_python=False)


def program(words: Sequence[str], folder: Path, path: str) -> str:
    """The file that `words` run from `folder`; `path` is PATH.

    Raises LaunchError, and OSError where that can't be told.
    """
    name = words[0]
    found = which(os.fspath(folder / name) if os.sep in name else name, path)
    if found is None:
        raise LaunchError(
            "The worker's command is missing",
            f"{name} is not a program that can be run; see --command",
        )
    return found


def project(folder: Path) -> Path:
    """The root of the project that `folder` is in: the next one up with a mark of that.

    `folder` itself where there is none.
    """
    for each in (folder, *folder.parents):
        # A Path would raise where the folder may not be entered.
        if any(os.path.exists(each / mark) for mark in MARKS):  # noqa: PTH110
            return each
    return folder


def _folder(settings: WorkerSettings, cwd: Path) -> Path:
    if settings.cwd is None:
        return cwd
    folder = cwd / settings.cwd
    if not folder.is_dir():
        raise LaunchError("The worker's folder is missing", f"there is no {folder}; see --cwd")
    return folder


def _main(settings: WorkerSettings, cwd: Path, folder: Path) -> Path:
    if settings.main is not None:
        main = cwd / settings.main
        if not main.is_file():
            raise LaunchError("main.py is missing", f"there is no file {main}; see --main")
        return main
    candidates = [each / "main.py" for each in (folder, folder.parent)]
    for main in candidates:
        if main.is_file():
            return main
    looked = " nor ".join(map(str, candidates))
    raise LaunchError("main.py is missing", f"there is neither {looked}; name it with --main")


def _module(name: str, folder: Path) -> Path:
    """The file that `python -m name` runs: of a package, its __main__."""
    for root in (folder, folder / "src"):
        path = root.joinpath(*name.split("."))
        for file in (path / "__main__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    return folder / UNKNOWN


def _script_of(words: Sequence[str], folder: Path) -> Path:
    """The Python file that a command names, if it does."""
    for before, word in zip(("", *words), words, strict=False):
        if before == "-m":
            return _module(word, folder)
        if word.endswith(".py") and (folder / word).is_file():
            return folder / word
    return folder / UNKNOWN


# -- The virtual environment of a project.

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


# -- Programs in the file system; one that can't be looked at now is not taken for a missing one.

ABSENT: Final = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""What the system says of a file that is not there; anything else may pass."""


def is_program(path: str) -> bool:
    """Whether `path` is a file that can be run.  Raises OSError where that can't be told."""
    try:
        status = Path(path).stat()
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return stat.S_ISREG(status.st_mode) and os.access(path, os.X_OK)


def which(name: str, path: str) -> str | None:
    """The program `name`, a path or to be found in `path` (as PATH); None: there is none.

    A folder that can't be looked into is passed over, as by the system; raises its OSError
    where the program is not found elsewhere, since it may be in there.
    """
    if os.sep in name:
        return name if is_program(name) else None
    blocked: OSError | None = None
    for folder in dict.fromkeys(filter(None, path.split(os.pathsep))):
        try:
            if is_program(found := os.fspath(Path(folder, name))):
                return found
        except OSError as error:
            blocked = blocked or error
    if blocked is not None:
        raise blocked
    return None
