"""Files of tokens, which are read again when they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.logger import Logger

from gateway.web.security.tokens import ROLES, parse, read, readable_by_others

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.web.security.tokens import Role, Token

LOOK_INTERVAL = 1.0
"""Seconds between two looks at the files.

A change is read when two looks find the same, since a file may be half written.  So a revoked
token counts for two looks at most.
"""

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

    def __str__(self) -> str:
        return f"the token file {self.given}" if isinstance(self.given, Path) else self.what

    @property
    def is_lasting(self) -> bool:
        """Whether it can be read again; a pipe cannot."""
        return isinstance(self.given, str) or self.given.is_file() or not self.given.exists()

    def stamp(self) -> object:
        """A value that differs when the tokens may have changed."""
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


def first_tokens(sources: Sequence[Source]) -> tuple[Token, ...]:
    """`tokens_of` at the start; also raises ValueError for a file without a token."""
    tokens: list[Token] = []
    for source in sources:
        found = source.tokens()
        if not found:
            raise ValueError(f"{source} has no token in it: write one, or leave the option out")
        tokens += found
    return tuple(tokens)


class TokenFiles:
    """Calls `changed(tokens)` when files were read again or a token has expired.

    `tokens`: those at the start.  `wall`: seconds since 1970.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        tokens: tuple[Token, ...],
        changed: Callable[[tuple[Token, ...]], None],
        *,
        wall: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._tokens = tokens
        self._changed = changed
        self._wall = wall
        self._stamps = self._seen = self._stamp()
        self._valid = self._count()

    def doubts(self) -> list[str]:
        """Warnings about the tokens, one line each."""
        files = [source.given for source in self._sources if isinstance(source.given, Path)]
        doubts = [
            f"Other users can read {file}, and be who its tokens say: chmod 600 {file}"
            for file in files
            if readable_by_others(file)
        ]
        now = self._wall()
        for token in self._tokens:
            if len(token.secret.split()) > 1:
                roles = ", ".join(ROLES)
                doubts.append(
                    f"The token {token.name} has spaces in it: if it is meant as NAME TOKEN ROLE,"
                    f" the role is none of {roles}"
                )
            if not token.is_valid(now):
                doubts.append(f"The token {token.name} has expired")
        return doubts

    def look(self) -> None:
        """Read files that have changed, and find expired tokens; call it every `LOOK_INTERVAL`."""
        seen, self._seen = self._seen, self._stamp()
        if self._seen != self._stamps and self._seen == seen:
            self.reload()
        elif self._count() != self._valid:
            self._heed(self._tokens)

    def reload(self) -> None:
        """Read the files; if they cannot be used, log it and keep the old tokens."""
        if not self._sources:
            return
        stamps = self._stamp()
        if not all(source.is_lasting for source in self._sources):
            self._stamps = stamps
            _log.error("A token file is no regular file: it can't be read again")
            return
        try:
            tokens = tokens_of(self._sources)
        except ValueError as error:
            self._stamps = stamps
            _log.error("The tokens can't be read again, the old ones stay: {error}", error=error)
            return
        if self._stamp() != stamps:
            return  # written meanwhile: the next looks take what it becomes
        self._stamps = stamps
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
