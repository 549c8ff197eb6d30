"""What the worker is: main.py, a module, or any command; and where it works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attrs import frozen

from gateway.worker.errors import LaunchError
from gateway.worker.programs import which

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.worker.settings import Settings


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


def find(settings: Settings, cwd: Path) -> Target:
    """What `settings` tell to run; `cwd` is the gateway's folder.  Raises LaunchError.

    `--command`, else `--module`, else `--main`, else main.py in the working folder or the one
    above.  The working folder is `--cwd`, else that of main.py, else the gateway's.
    """
    folder = _folder(settings, cwd)
    if settings.command:
        words = tuple(settings.command)
        return Target(words, folder, _script_of(words, folder), is_python=False)
    if settings.module:
        return Target(("-m", settings.module), folder, _module(settings.module, folder))
    main = _main(settings, cwd, folder)
    return Target((os.fspath(main),), folder if settings.cwd else main.parent, main)


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


def _folder(settings: Settings, cwd: Path) -> Path:
    if settings.cwd is None:
        return cwd
    folder = cwd / settings.cwd
    if not folder.is_dir():
        raise LaunchError("The worker's folder is missing", f"there is no {folder}; see --cwd")
    return folder


def _main(settings: Settings, cwd: Path, folder: Path) -> Path:
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
