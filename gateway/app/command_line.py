"""The options as `twistd sjgateway` reads them, and `--help`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from twisted.python import usage

from gateway import __version__
from gateway.common.attempt import attempt
from gateway.ops.pidfile import PidFile
from gateway.options import Settings, grouped, load, options
from gateway.web.http import early
from gateway.web.http.early import Early
from gateway.web.http.listen_plan import ListenError, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from gateway.options import Option
    from gateway.web.http.listen_plan import ListenAddress

_FILES = "--replay"
"""The option that several words may follow."""


class Options(usage.Options):
    """The command line, and the environment for what it does not name.

    An error is one line on stderr and exit status 1: twistd and twist alone would print their whole
    help before it.
    """

    longdesc = (
        "Relays Socket.IO events between the clients of /socket.io/, and runs one worker."
        " Times are in seconds; sizes are in bytes, or end in K, M or G."
        " In brackets: an option's default, and the environment variable that it also reads;"
        " what has only a variable is secret."
    )

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, list[str]] = {}
        self.settings = Settings()
        self.folder: Path | None = None
        """The working directory in which they were read; twistd may change to another."""
        self.early = early.NOTHING
        """Sockets that listen already, and who was accepted there."""
        self._check = False

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        try:
            super().parseOptions(options and list(_with_each_named(options)))
        except usage.UsageError as error:
            raise SystemExit(f"sjgateway: {error}") from None

    def postOptions(self) -> None:
        try:
            self.folder = Path.cwd()
        except FileNotFoundError:
            folder = os.environ.get("PWD", "")
            raise usage.UsageError(
                f"the working folder {folder} was deleted: cd to one that exists"
            ) from None
        try:
            self.settings = load(self.given, os.environ, _warn)
        except ValueError as error:
            raise usage.UsageError(str(error)) from None
        if self._is_foreground and not self._check:
            self._listen()
        from gateway.system.system import this_system  # noqa: PLC0415  # clients wait by now
        from gateway.web.http.held import Held  # noqa: PLC0415

        if self.parent is not None:
            this_system(portable=self.settings.portable).install_reactor()

        held = Held.told(os.environ)
        if self._check:
            from gateway.app.check import run  # noqa: PLC0415  # a start needs none of it
            from gateway.app.image import heed_signals  # noqa: PLC0415  # nor of this, yet

            heed_signals()  # nothing is started that has handlers

            # Here, since twistd looks for another gateway's PID file before it goes on.
            if held.is_our_parents:  # the PID file is its own, and will be
                os.setpgid(0, 0)  # so that it can be ended with the Pythons that it asks
                status = run(self.settings, os.environ, print, held=held)
                if not status:
                    self._make()
                raise SystemExit(status)
            raise SystemExit(run(self.settings, os.environ, print, pid_file=self._pid_file()))
        pid_file = self._pid_file()
        if pid_file is not None:
            _settle(pid_file, is_ours=held.is_ours)
        if self.parent is not None and not self._is_foreground:
            _refuse_taken_ports(self.settings)

    def getUsage(self, width: int | None = None) -> str:
        """The help: all options in the groups of docs/options.md."""
        width = width or int(os.environ.get("COLUMNS", "0")) or 80
        parts = ["", *wrap(self.longdesc, width)]
        for group, members in grouped():
            parts += ["", f"{group.title}:"]
            for each in members:
                parts += _help(each, width)
        parts += ["", "Instead of a start:"]
        for name in ("check", "help", "version"):
            text = getattr(self, f"opt_{name}").__doc__.partition("\n")[0]
            parts += [f"  --{name}", *_indented(text, width)]
        return "\n".join((*parts, ""))

    @property
    def _is_foreground(self) -> bool:
        """Whether the process runs nothing but the gateway, and does not become a daemon."""
        return self.parent is not None and self.parent.get("nodaemon", True)

    def _listen(self) -> None:
        settings = self.settings
        with suppress(ListenError):  # who opens the ports for good says so
            places = plan(settings.host, settings.listen, supervised=not settings.no_worker)
            self.early = Early(early.listen(places, settings.port))
            attempt("Answering who waits", lambda: self._answer_waiting(places))

    def _answer_waiting(self, places: Sequence[ListenAddress]) -> None:
        """Answer those who wait at ports that stayed open, as far as that needs no gateway."""
        with early.kept_open(places, os.environ) as sockets:
            if sockets:
                from gateway.app.early_answers import answered  # noqa: PLC0415  # ports come first

                self.early = self.early._replace(waiting=answered(sockets, self.settings))

    def _make(self) -> None:
        """Make all parts of the gateway, and start none: an error in the code ends the check."""
        from twisted.internet import reactor  # noqa: PLC0415  # as in gateway.tap

        from gateway.app.assembly import GatewayAssembly  # noqa: PLC0415

        GatewayAssembly(self.settings, reactor, self.parent, self.folder)

    def _pid_file(self) -> PidFile | None:
        """The PID file that twistd will write; None: none, as with twist."""
        runner: Mapping[str, Any] = self.parent or {}
        name = runner.get("pidfile")  # by this folder: twistd changes to --rundir later
        return PidFile(Path(name)) if name else None

    def opt_check(self) -> None:
        """Look at everything a start needs, say what to do about it, and start nothing."""
        self._check = True

    def opt_version(self) -> None:
        """Print the version and exit."""
        print(f"sjgateway {__version__}")  # noqa: T201  # it is the answer
        raise SystemExit(0)


def _with_each_named(words: Sequence[str]) -> Iterator[str]:
    """The words, but `--replay a b`, as a shell makes of `*`, is `--replay a --replay b`."""
    is_value = is_more = False
    for word in words:
        if is_value:
            is_value, is_more = False, True
        elif word.startswith("-"):
            is_value, is_more = word == _FILES, word.startswith(f"{_FILES}=")
        elif is_more:
            yield _FILES
        yield word


def _help(option: Option, width: int) -> list[str]:
    """The lines of `option`: its name, and below it what it does."""
    default = f"{option.default}; " if option.default else ""
    text = f"{option.help} [{default}{', '.join(option.variables)}]"
    if option.secret:
        return [f"  {option.variables[0]}", *_indented(option.help, width)]
    return [f"  --{option.name}{'' if option.flag else '='}", *_indented(text, width)]


def _indented(text: str, width: int) -> list[str]:
    indent = " " * 6
    return wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _settle(pid_file: PidFile, *, is_ours: bool) -> None:
    """Remove a PID file that was left behind.  Raises UsageError where no start is possible.

    `is_ours`: a hand-over left it; twistd writes it again.
    """
    if pid_file.problem:
        raise usage.UsageError(pid_file.problem)
    stale = pid_file.stale
    if stale:
        try:
            pid_file.remove()
        except OSError as error:
            raise usage.UsageError(f"{stale}; remove it: {error.strerror}") from None
        if not is_ours:
            _warn(f"{stale}; it was removed")


def _warn(line: str) -> None:
    sys.stderr.write(f"sjgateway: {line}\n")


def _refuse_taken_ports(settings: Settings) -> None:
    """Raises UsageError where a port can't be had, before twistd becomes a daemon.

    They are opened after that, when a daemon has no stderr: twistd would only say that an error
    occurred.
    """
    from gateway.ops.doctor import Level, check_places  # noqa: PLC0415  # only a daemon needs it

    for finding in check_places(settings):
        if finding.level is Level.FAIL:
            raise usage.UsageError(f"{finding.what}; {finding.cure}")


def _handler(option: Option, name: str) -> Callable[..., None]:
    """The method by which `usage.Options` takes `option` under that name."""

    def flag(self: Options) -> None:
        self.given[name] = ["1"]

    def parameter(self: Options, text: str) -> None:
        self.given.setdefault(name, []).append(text)

    take: Callable[..., None] = flag if option.flag else parameter
    take.__doc__ = option.help
    return take


def _teach(kind: type[Options], option: Option) -> None:
    """Have that class take `option`, also by its name of the release before."""
    for name in filter(None, (option.name, option.formerly)):
        setattr(kind, f"opt_{name.replace('-', '_')}", _handler(option, name))


for _each in options():
    if not _each.secret:
        _teach(Options, _each)
