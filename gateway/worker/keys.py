"""Which keys the next worker gets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dotenv import dotenv_values
from twisted.logger import Logger

from gateway.worker.credentials import VARIABLES, Credentials, CredentialsFile, from_environment
from gateway.worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.worker.redact import Redactor
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")
_SECRET = frozenset(
    name for field, group in VARIABLES.items() if field != "caCertPath" for name in group
)


class Keys:
    """Posted keys win over the file's; without either the environment's count."""

    def __init__(self, settings: Settings, redactor: Redactor, environ: Mapping[str, str]) -> None:
        self._file = (
            CredentialsFile(settings.credentials_file) if settings.credentials_file else None
        )
        self._redactor = redactor
        self.current: Credentials | None = None
        self._environ = from_environment(environ)
        self._dotenv: Mapping[str, str | None] = {}
        self._learn(self._environ)

    @property
    def missing(self) -> bool:
        """Whether the next worker finds no keys, as far as can be seen from here."""
        found = {**from_environment(self._dotenv), **self._environ}
        return self.current is None and not (found.get("API_KEY") and found.get("SECRET_KEY"))

    def load(self) -> None:
        """Take what the file holds; a file that can't be used is logged."""
        try:
            self.current = self._file.load() if self._file else None
        except WorkerError as error:
            _log.error("{error}", tag="Config", error=str(error))
        if self.current is not None:
            self._redactor.learn(*self.current.secrets)
            _log.info("Credentials read from their file", tag="Config")

    def replace(self, new: Credentials) -> Credentials | None:
        """Use `new` from now on; the keys before.  Raises WorkerError, and nothing changed."""
        self._redactor.learn(*new.secrets)
        if self._file is not None:
            self._file.save(new)
        previous, self.current = self.current, new
        _log.info("Credentials updated: {fields}", tag="Config", fields=", ".join(VARIABLES))
        return previous

    def put_back(self, new: Credentials, previous: Credentials | None) -> bool:
        """`new` did not work; False when other keys have replaced it meanwhile."""
        if self.current is not new:
            return False
        self.current = previous
        _log.warn("The previous credentials are back", tag="Config")
        if self._file is not None:
            try:
                self._file.restore(previous)
            except WorkerError as error:
                _log.error("{error}", tag="Config", error=str(error))
        return True

    def learn_dotenv(self, folder: Path) -> None:
        """The secrets in the worker's own .env, so that its output can be redacted."""
        self._dotenv = {}
        for parent in (folder, *folder.parents):
            path = parent / ".env"
            if path.is_file():
                with suppress(OSError, ValueError):  # then the worker can't read it either
                    for interpolate in (False, True):
                        self._dotenv = dotenv_values(path, interpolate=interpolate)
                        self._learn(self._dotenv)
                return

    def _learn(self, values: Mapping[str, str | None]) -> None:
        self._redactor.learn(*(values.get(name) or "" for name in _SECRET))
