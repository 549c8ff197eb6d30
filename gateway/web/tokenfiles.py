"""Tokens that come and go: their files are read again when they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gateway.web.tokens import parse, read, readable_by_others

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.web.tokens import Role, Token

SECONDS = 2.0
"""How often the files are looked at: so long a revoked token may still count."""

_log = Logger(namespace="gateway")


@frozen
class Source:
    """Where tokens come from: a file, or a text that an option gave."""

    role: Role
    given: Path | str
    what: str = ""
    """The name of the option that gave the text."""

    def tokens(self) -> tuple[Token, ...]:
        """The tokens as they are now.  Raises ValueError with a text for the user."""
        if isinstance(self.given, Path):
            return read(self.given, self.role)
        return parse(self.given, self.role, self.what)

    @property
    def is_lasting(self) -> bool:
        """Whether it can be read again; a pipe can't, and would be waited for."""
        return isinstance(self.given, str) or self.given.is_file() or not self.given.exists()

    def stamp(self) -> object:
        """Changes when the tokens may have changed."""
        if isinstance(self.given, str):
            return None
        try:
            status = self.given.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode


def tokens_of(sources: Sequence[Source]) -> tuple[Token, ...]:
    """The tokens of all sources.  Raises ValueError with a text for the user."""
    return tuple(token for source in sources for token in source.tokens())


class TokenFiles:
    """Tells `changed(tokens)` when files were read again or a token has expired.

    `tokens` are those at the start; `wall`: seconds since 1970.
    """

    def __init__(
        self,
        reactor: Any,
        sources: Sequence[Source],
        tokens: tuple[Token, ...],
        changed: Callable[[tuple[Token, ...]], None],
        *,
        wall: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._tokens = tokens
        self._changed = changed
        self._wall = wall
        self._stamps = self._stamp()
        self._valid = self._count()

    def watch(self) -> None:
        """Look from now on."""
        if self._sources:
            self._looking.start(SECONDS, now=False)

    def stop(self) -> None:
        """Look no longer."""
        if self._looking.running:
            self._looking.stop()

    def doubts(self) -> list[str]:
        """What is not quite right about the tokens, a line each."""
        files = [source.given for source in self._sources if isinstance(source.given, Path)]
        now = self._wall()
        return [
            f"Other users can read {file}, and be who its tokens say: chmod 600 {file}"
            for file in files
            if readable_by_others(file)
        ] + [
            f"The token {token.name} has expired"
            for token in self._tokens
            if not token.is_valid(now)
        ]

    def _look(self) -> None:
        """Read the files if one has changed, and see who has expired."""
        try:
            if self._stamp() != self._stamps:
                self.reload()
            elif self._count() != self._valid:
                self._heed(self._tokens)
        except Exception:  # whatever it is, the next look may succeed
            _log.failure("Looking at the tokens failed")

    def reload(self) -> None:
        """Read the files; when they can't be used, say so and keep what was read before."""
        if not self._sources:
            return
        self._stamps = self._stamp()
        if not all(source.is_lasting for source in self._sources):
            _log.error("A token file is no regular file: it can't be read again")
            return
        try:
            tokens = tokens_of(self._sources)
        except ValueError as error:
            _log.error("The tokens can't be read again, the old ones stay: {error}", error=error)
            return
        self._heed(tokens)
        _log.info("The tokens were read again: {count} are valid", count=self._valid)

    def _heed(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._valid = self._count()
        self._changed(tokens)

    def _count(self) -> int:
        now = self._wall()
        return sum(token.is_valid(now) for token in self._tokens)

    def _stamp(self) -> list[object]:
        return [source.stamp() for source in self._sources]
