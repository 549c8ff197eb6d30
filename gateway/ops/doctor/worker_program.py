"""The worker: its Python, main.py, and the packages that main.py imports."""

from __future__ import annotations

import ast
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from gateway.common.attempt import reason
from gateway.contract import LaunchError, UnreachableError
from gateway.ops.doctor.blocking_reactor import BlockingReactor
from gateway.ops.doctor.finding import Finding, Level, fail, ok, warn
from gateway.worker.process.interpreters import interrogate
from gateway.worker.process.launch import Launcher
from gateway.worker.process.target import Target, look, project
from gateway.worker.sources import fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.worker.process.interpreters import Interpreter
    from gateway.worker.settings import WorkerSettings
    from gateway.worker.sources import Sources

# -- Calls of `login` with arguments that shioaji dropped.

DROPPED = frozenset(("fetch_contract", "contracts_timeout"))
"""Arguments of `login` that ended with shioaji 1.7."""
DROPPED_IN = (1, 7)


def check_login(tree: ast.AST, shioaji: str, name: str = "main.py") -> Finding:
    """Calls of `login` in `tree`, the file `name`; `shioaji`: the version there, "" for none."""
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


# -- Python, main.py and packages.

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
"""Packages that have another name for pip than for `import`."""
_OURS = "gateway"
"""This package itself: pip knows another one by this name."""


def find_target(settings: WorkerSettings, environ: Mapping[str, str], cwd: Path) -> Target:
    """What would be run; where main.py would be, if it is missing."""
    try:
        return Launcher(settings, environ, cwd, BlockingReactor()).target()
    except (LaunchError, OSError):
        main = cwd / (settings.main or "main.py")
        return Target((str(main),), main.parent, main)


def check_worker(
    settings: WorkerSettings, environ: Mapping[str, str], cwd: Path
) -> Iterator[Finding]:
    """Check what would be run, and whether it can be run."""
    launcher = Launcher(settings, environ, cwd, BlockingReactor())
    try:
        target = launcher.target()
    except LaunchError as error:
        cure = "start in its folder or in one below it, or correct --main or --cwd"
        yield fail("main.py", f"it is missing: {error.details}", cure)
        return
    except OSError as error:
        cure = (
            f"chmod its folder so that user {os.geteuid()} can enter it, or correct --main or --cwd"
        )
        yield fail("main.py", f"it can't be read: {reason(error)}", cure)
        return
    if settings.own:
        yield ok("main.py", f"{settings.own[0]}, a worker of the gateway's own, runs instead of it")
        return
    script = _read(target)
    try:
        python = _python(launcher)
    except (UnreachableError, OSError) as error:
        why = error.details if isinstance(error, UnreachableError) else reason(error)
        cure = f"chmod its folder so that user {os.geteuid()} can enter it, or use --python"
        yield fail("python", f"it can't be looked at: {why}", cure)
        yield script
        return
    except LaunchError as error:
        cure = "apt install python3 python3-venv, or choose another with --python"
        if not target.is_python:
            cure = "install it, or correct --command"
        yield fail("python", f"it is missing: {error.details}", cure)
        yield script
        return
    if not target.is_python and not Path(python).name.startswith("python"):
        yield ok("python", f"the worker is run by {python}, which chooses its own Python")
        yield script
        return
    sources = launcher.sources()
    wanted = sources.needed.union(sources.optional, sources.elsewhere, _module(target), _CLIENT)
    found = _ask(python, wanted, environ)
    for broken in look(target.script.parent).broken if settings.python is None else ():
        yield warn("python", broken, "create it again with python3 -m venv, or remove it")
    yield _runs(python, _why(python, settings, target), found)
    yield script
    if found is not None:
        wants_shioaji = _names_shioaji(sources) and not settings.mark
        yield from _elsewhere(python, target, sources.elsewhere, found)
        yield _packages(python, sources.needed, found, wants_shioaji=wants_shioaji)
        for file, tree in sources.files.items():
            finding = check_login(tree, found.shioaji, file.name)
            if finding.level is not Level.OK or file == target.script:
                yield finding


def _names_shioaji(sources: Sources) -> bool:
    """Whether one of the files has the word."""
    for file in sources.files:
        with suppress(OSError):
            if b"shioaji" in file.read_bytes():
                return True
    return False


def _ask(python: str, wanted: Iterable[str], environ: Mapping[str, str]) -> Interpreter | None:
    """What `python` says of itself; None when it can't be run now."""
    outcome: list[Any] = []
    interrogate(BlockingReactor(), python, wanted, environ).addBoth(outcome.append)
    return None if isinstance(outcome[0], Failure) else outcome[0]


def _python(launcher: Launcher) -> str:
    """The interpreter that would run the worker.  Raises LaunchError, and OSError."""
    outcome: list[Any] = []
    launcher.command(None, "").addBoth(outcome.append)
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return str(outcome[0].argv[0])


def _why(python: str, settings: WorkerSettings, target: Target) -> str:
    if not target.is_python:
        return "named by --command" if settings.command else "the gateway's own"
    if settings.python is not None:
        return "named by --python"
    beside = target.script.parent
    if beside in Path(python).parents:
        return "beside main.py"
    if python == look(beside).python:
        return "of its project"
    if python == sys.executable:
        return "the gateway's own"
    return "the first python3 in PATH that has what main.py imports"


def _runs(python: str, why: str, found: Interpreter | None) -> Finding:
    if found is None:
        return fail(
            "python",
            f"{python} ({why}) does not run",
            "create it again with python3 -m venv, or choose another with --python",
        )
    what = f"{python}, {found.version} ({why})"
    if tuple(map(int, found.version.split(".")[:2])) < OLDEST:
        return warn(
            "python", f"{what}, is too old for python-socketio", "choose a newer one with --python"
        )
    return ok("python", what)


def _read(target: Target) -> Finding:
    """Whether main.py, or what is run in its place, compiles."""
    main = target.script
    if not main.is_file():
        said = " ".join(target.words)
        return ok("main.py", f"{said} is run in {target.folder}; its source is not checked")
    try:
        main.read_bytes()
    except OSError as error:
        cure = f"chmod u+r {main}, or run the gateway as the file's owner"
        return fail("main.py", f"{main} can't be read: {error.strerror}", cure)
    wrong = fault(main)
    if "nested too deeply" in wrong:
        cure = "split its deepest expression into several"
        return fail("main.py", f"{main} does not compile: nested too deeply", cure)
    if wrong:
        return fail("main.py", f"{main} does not compile: {wrong}", "correct it")
    return ok("main.py", f"{main} compiles")


def _module(target: Target) -> tuple[str, ...]:
    """The top-level name of a module that is run, where it is not in the working folder."""
    name = target.module.partition(".")[0]
    here = (target.folder / name, target.folder / f"{name}.py")
    return (name,) if name and not any(map(os.path.exists, here)) else ()


def _elsewhere(
    python: str, target: Target, places: Mapping[str, Path], found: Interpreter
) -> Iterator[Finding]:
    """Modules of the worker's own, or it itself, that this Python does not find."""
    lost = sorted(set(found.missing).intersection(places))
    if set(found.missing).intersection(_module(target)):
        yield fail(
            "packages",
            f"{python} has no module {target.module}, and there is none in {target.folder}",
            "name the folder that it is in with --cwd, install it, or correct --module",
        )
    elif lost:
        path = os.pathsep.join(sorted({os.fspath(places[name]) for name in lost}))
        yield fail(
            "packages",
            f"main.py imports {', '.join(lost)} from {path}, where {python} does not search",
            f"set PYTHONPATH={path} for the gateway, or install the project:"
            f" {python} -m pip install -e {project(target.script.parent)}",
        )


def _packages(python: str, needed: set[str], found: Interpreter, *, wants_shioaji: bool) -> Finding:
    missing = sorted(needed.intersection(found.missing))
    if _OURS in missing:
        return fail(
            "packages",
            f"main.py imports {_OURS}, the package of sjgateway, which {python} does not have",
            f"{python} -m pip install -e FOLDER, the folder of sjgateway; or choose the gateway's"
            f" own Python: --python {sys.executable}",
        )
    if missing:
        names = " ".join(f"'{_PIP_NAMES.get(name, name)}'" for name in missing)
        return fail(
            "packages",
            f"main.py imports {', '.join(missing)}, which {python} does not have",
            f"{python} -m pip install {names}, or choose another Python with --python",
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
            f"{python} -m pip install shioaji; with --demo it is not needed",
        )
    shioaji = f", shioaji {found.shioaji}" if found.shioaji else ""
    return ok("packages", f"all that main.py imports is installed{shioaji}")
