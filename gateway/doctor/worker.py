"""The worker: its Python, main.py, and the packages that main.py imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.python.failure import Failure

from gateway.doctor.child import Immediately, Interpreter, interrogate
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.doctor.login import check_login
from gateway.worker.errors import LaunchError
from gateway.worker.launch import Launcher, imports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.worker.settings import Settings

OLDEST = (3, 8)
"""python-socketio 5.16 needs it."""
_CLIENT = frozenset(("requests", "websocket"))
"""What `socketio.Client` imports when it connects; pip brings it with the extra [client]."""
_PIP_NAMES = {
    "socketio": "python-socketio[client]",
    "engineio": "python-engineio",
    "dotenv": "python-dotenv",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
}
"""Packages that pip knows by another name than `import` does."""


def main_script(settings: Settings, environ: Mapping[str, str], cwd: Path) -> Path:
    """Where main.py is, or would be."""
    try:
        return Launcher(settings, environ, cwd, Immediately()).main()
    except LaunchError:
        return cwd / (settings.main or "main.py")


class _Script(NamedTuple):
    """main.py, read."""

    finding: Finding
    tree: ast.AST | None = None
    """None: it does not compile."""
    names_shioaji: bool = False


def check_worker(settings: Settings, environ: Mapping[str, str], cwd: Path) -> Iterator[Finding]:
    """What would be run, and whether it can be."""
    launcher = Launcher(settings, environ, cwd, Immediately())
    try:
        main = launcher.main()
    except LaunchError as error:
        cure = "start in its folder or in one below it, or correct --main"
        yield fail("main.py", f"it is missing: {error.details}", cure)
        return
    script = _read(main)
    needed, optional = imports(main)
    try:
        python = _python(launcher)
    except LaunchError as error:
        cure = "apt install python3 python3-venv, or name another one with --python"
        yield fail("python", f"it is missing: {error.details}", cure)
        yield script.finding
        return
    found = interrogate(python, needed | optional | _CLIENT, environ)
    yield _runs(python, _why(python, settings, main), found)
    yield script.finding
    if found is not None:
        wants_shioaji = script.names_shioaji and not settings.demo
        yield _packages(python, needed, found, wants_shioaji=wants_shioaji)
        if script.tree is not None:
            yield check_login(script.tree, found.shioaji)


def _python(launcher: Launcher) -> str:
    """The interpreter that would run the worker.  Raises LaunchError."""
    outcome: list[Any] = []
    launcher.command(None, "").addBoth(outcome.append)
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return str(outcome[0].argv[0])


def _why(python: str, settings: Settings, main: Path) -> str:
    if settings.python is not None:
        return "named by --python"
    if main.parent in Path(python).parents:
        return "beside main.py"
    if python == sys.executable:
        return "the gateway's own"
    return "the first python3 in PATH that has what main.py imports"


def _runs(python: str, why: str, found: Interpreter | None) -> Finding:
    if found is None:
        return fail(
            "python",
            f"{python} ({why}) does not run",
            "make its folder anew with python3 -m venv, or name another one with --python",
        )
    what = f"{python}, {found.version} ({why})"
    if tuple(map(int, found.version.split(".")[:2])) < OLDEST:
        return warn(
            "python", f"{what}, is too old for python-socketio", "name a newer one with --python"
        )
    return ok("python", what)


def _read(main: Path) -> _Script:
    """Whether main.py compiles."""
    try:
        source = main.read_bytes()
        tree = ast.parse(source)
        compile(source, main, "exec", dont_inherit=True)
    except OSError as error:
        cure = f"chmod u+r {main}, or run the gateway as the file's owner"
        return _Script(fail("main.py", f"{main} can't be read: {error.strerror}", cure))
    except (MemoryError, RecursionError):
        cure = "make its deepest expression several"
        return _Script(fail("main.py", f"{main} does not compile: nested too deeply", cure))
    except (SyntaxError, ValueError) as error:
        where: object = error
        if isinstance(error, SyntaxError) and error.lineno:
            where = f"line {error.lineno}: {error.msg}"
        return _Script(fail("main.py", f"{main} does not compile: {where}", "correct that"))
    return _Script(ok("main.py", f"{main} compiles"), tree, b"shioaji" in source)


def _packages(python: str, needed: set[str], found: Interpreter, *, wants_shioaji: bool) -> Finding:
    missing = sorted(needed.intersection(found.missing))
    if missing:
        names = " ".join(f"'{_PIP_NAMES.get(name, name)}'" for name in missing)
        return fail(
            "packages",
            f"main.py imports {', '.join(missing)}, which {python} does not have",
            f"{python} -m pip install {names}, or name another Python with --python",
        )
    client = sorted(_CLIENT.intersection(found.missing))
    if "socketio" in needed and client:
        return warn(
            "packages",
            f"{python} does not have {' and '.join(client)}: socketio.Client can't connect",
            f"{python} -m pip install 'python-socketio[client]'; an AsyncClient needs none",
        )
    if wants_shioaji and not found.shioaji:
        return warn(
            "packages",
            f"shioaji is not installed for {python}",
            f"{python} -m pip install shioaji; --demo needs none",
        )
    shioaji = f", shioaji {found.shioaji}" if found.shioaji else ""
    return ok("packages", f"what main.py imports is there{shioaji}")
