"""What is run: which main.py, by which Python, in which environment."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gateway.common.attempt import reason
from gateway.contract import LaunchError, UnreachableError
from gateway.worker.keys.credentials import as_environment, from_environment
from gateway.worker.process.command import Command
from gateway.worker.process.identity import identify
from gateway.worker.process.installed import Program, describe
from gateway.worker.process.interpreters import interrogate
from gateway.worker.process.target import Target, find, is_program, look, program, which
from gateway.worker.sources import Sources, follow

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from gateway.common.credentials import Credentials
    from gateway.worker.settings import WorkerSettings

NOT_FOR_CHILDREN = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID")
"""What systemd told the gateway alone."""
_log = Logger(namespace="gateway.worker")

_PROXIES = tuple(
    name for kind in ("http", "https", "all") for name in (f"{kind}_proxy", f"{kind}_PROXY".upper())
)
_EXCEPT = ("no_proxy", "NO_PROXY")


class Launcher:
    """Makes the worker's command.

    `environ` is the gateway's environment, `cwd` its working directory, `cluster` as that of
    `Tenure`.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        environ: Mapping[str, str],
        cwd: Path,
        reactor: Any,
        cluster: str = "",
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._own_environ = environ
        self._cwd = cwd
        self._reactor = reactor
        self._probed: tuple[object, str] | None = None
        self.program: Program | None = None
        """What was to be run last; None: nothing so far."""

    def target(self) -> Target:
        """What is to be run.  Raises LaunchError."""
        return find(self._settings, self._cwd)

    def main(self) -> Path:
        """The worker's first source file; it may be missing, unless it is main.py."""
        return self.target().script

    def identity(self) -> str:
        """What is run, by its real path.  Raises LaunchError."""
        return self.target().identity

    def sources(self) -> Sources:
        """Its own source files and what they import.  Raises LaunchError."""
        target = self.target()
        return follow(target.script, target.roots, target.first)

    def check(self) -> Path:
        """As `main`; also checks that the program can be run.  Raises LaunchError.

        Raises UnreachableError where that can't be found out.
        """
        try:
            target = self.target()
            if target.is_python:
                self._given_python()
            else:
                program(target.words, target.folder, self._path)
        except LaunchError as error:
            if self._cwd.exists():
                raise
            raise LaunchError(
                "The gateway's working folder was deleted",
                f"{self._cwd} is gone, and so {error.details}; start it in one that exists",
            ) from None
        except OSError as error:
            raise UnreachableError("What is to be run can't be looked at", reason(error)) from error
        return target.script

    @inlineCallbacks
    def command(
        self, credentials: Credentials | None, gateway_url: str
    ) -> Generator[Deferred[Any], Any, Command]:
        """What to run now.  Raises LaunchError."""
        self.check()
        target = self.target()
        if target.is_python:
            python = yield self._python(target)
            words = (python, "-u", *target.words)
        else:
            words = (program(target.words, target.folder, self._path), *target.words[1:])
        self.program = describe(target, words[0])
        demo = ["--demo"] if self._settings.mark == "demo" else []
        argv = [*words, *([] if self._settings.own else (*demo, *self._settings.arguments))]
        cwd, env = os.fspath(target.folder), self.environment(credentials, gateway_url)
        what = identify(target.script, argv, cwd, env, self._keys, cluster=self._cluster)
        return Command(argv, cwd, env, what)

    def environment(self, credentials: Credentials | None, gateway_url: str) -> dict[str, str]:
        """The gateway's own environment, and over it the keys and the gateway's URL.

        A variable of the keys that is empty or that other keys replace is left out, so that
        the worker's own .env can fill it.
        """
        variables = self._settings.variables
        without = self._keys.union(NOT_FOR_CHILDREN, self._settings.withhold)
        kept = {name: value for name, value in self._environ.items() if name not in without}
        given = as_environment(credentials, variables) if credentials else {}
        return {
            **kept,
            **from_environment(self._environ, variables),
            **given,
            "GATEWAY_URL": gateway_url,
            "SOCKET_HUB": gateway_url,
            # For what a worker has to keep over its restarts, as main.py its number of queries.
            "SJGATEWAY_STATE_DIR": os.fspath(self._settings.state_dir.absolute()),
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            **around_proxies(self._environ, gateway_url),
            **self._settings.given,
        }

    def _given_python(self) -> str | None:
        """What `--python` names: a path, or a name to be found in PATH."""
        given = self._settings.python
        if given is None:
            return None
        found = which(os.fspath(self._cwd / given) if os.sep in given else given, self._path)
        if found is None:
            raise LaunchError(
                "Python is missing", f"{given} is not a program that can be run; see --python"
            )
        return found

    @property
    def _environ(self) -> dict[str, str]:
        """As it is now: what a gateway hands over to the next one is taken out after its start."""
        return {**self._own_environ, **self._settings.given}

    @property
    def _keys(self) -> set[str]:
        """The variables that hold the broker's keys."""
        return {variable for group in self._settings.variables.values() for variable in group}

    @property
    def _path(self) -> str:
        return self._environ.get("PATH", os.defpath)

    @inlineCallbacks
    def _python(self, target: Target) -> Generator[Deferred[Any], Any, str]:
        """`--python`, else that of the project, else by what the worker imports."""
        given = self._given_python()
        if given is not None:
            return given
        main = target.script
        venvs = look(main.parent)
        if venvs.python:
            return venvs.python
        status = main.stat() if main.exists() else None
        key = (main, status and (status.st_mtime_ns, status.st_size), self._path)
        if self._probed is None or self._probed[0] != key or not is_program(self._probed[1]):
            found = yield self._first_that_can_import(main, self._path)
            self._probed = key, found
        python = self._probed[1]
        for fault in venvs.broken:
            _log.warn(
                "{fault}: {python} runs the worker instead; make it anew with python3 -m venv,"
                " or name another with --python",
                tag="Python",
                fault=fault,
                python=python,
            )
        return python

    @inlineCallbacks
    def _first_that_can_import(self, main: Path, path: str) -> Generator[Deferred[Any], Any, str]:
        """The first python3 in `path` that has what main.py imports, else the gateway's own.

        One that lacks only what main.py can do without is better than the gateway's own.
        """
        sources = self.sources()
        better = sources.optional.union(sources.elsewhere)
        second = None
        for python in _pythons(path):
            wanted = sources.needed | better
            found = yield interrogate(self._reactor, python, wanted, self._environ)
            if found is not None and sources.needed.isdisjoint(found.missing):
                if better.isdisjoint(found.missing):
                    return python
                second = second or python
        return second or sys.executable


def around_proxies(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """What keeps a worker from asking a proxy for the gateway's own `url`.

    Empty where `environ` names no proxy, or none for anything (`*`).  Both spellings are set,
    since libraries differ in which one they read.
    """
    if not any(environ.get(name) for name in _PROXIES):
        return {}
    listed = [item for name in _EXCEPT for item in environ.get(name, "").split(",")]
    hosts = [item.strip() for item in listed if item.strip()]
    if "*" in hosts:
        return {}
    host = urlsplit(url).hostname or "localhost"
    value = ",".join(dict.fromkeys((*hosts, host, "localhost", "127.0.0.1", "::1")))
    return dict.fromkeys(_EXCEPT, value)


def _pythons(path: str) -> Iterator[str]:
    """Every python3 in `path`; folders of others, such as root's, are passed over."""
    for folder in dict.fromkeys(path.split(os.pathsep)):
        with suppress(PermissionError):
            if python := which("python3", folder):
                yield python
