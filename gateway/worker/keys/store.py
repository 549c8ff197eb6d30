"""Which keys the next worker gets, and how they are changed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gateway.common.credentials import REQUIRED, Credentials, CredentialsError
from gateway.contract import HeldError, SupersededError, UnreachableError, WorkerError
from gateway.worker.keys.credentials import (
    VARIABLES,
    CredentialsFile,
    as_environment,
    check_certificate,
    from_environment,
)
from gateway.worker.keys.overriding import named, overridden
from gateway.worker.keys.own_files import OwnEnv, literals, read

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from gateway.common.redact import Redactor
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.lifecycle.requests import Facts
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")


class CredentialStore:
    """Posted keys win over the file's; without either the environment's count."""

    def __init__(
        self, settings: WorkerSettings, redactor: Redactor, environ: Mapping[str, str]
    ) -> None:
        self._file = (
            CredentialsFile(settings.credentials_file) if settings.credentials_file else None
        )
        self._redactor = redactor
        self._variables = settings.variables
        self.current: Credentials | None = None
        self._unreadable = False
        """The file could not be read."""
        self._recalled: list[Credentials | None] = []
        """What the program before us used last, if it could tell; None: the environment's."""
        self.overridden: list[str] = []
        """The fields of `current` of which the worker sees something else, see `own_env`."""
        self._environ = from_environment(environ, self._variables)
        self._own: Mapping[str, str] = {}
        self._redactor.learn(*(self._environ.get(name, "") for name in self._secret_names()))

    @property
    def missing(self) -> bool:
        """Whether the next worker finds no keys, as far as can be seen from here."""
        found = {**self._own, **self._environ}
        return self.current is None and not all(
            found.get(self._variables[field][0]) for field in REQUIRED
        )

    @property
    def warning(self) -> str:
        """What to tell people when the worker sees other keys than were posted."""
        if not self.overridden:
            return ""
        return (
            f"The worker sees other values of {', '.join(self.overridden)} than were posted: its"
            " own .env, or a key that is written in its source, wins. Take them out there, or load"
            " the .env without override"
        )

    def load(self) -> None:
        """Take what the file holds; a file that can't be used is logged."""
        try:
            self.current = self._file.load() if self._file else None
        except WorkerError as error:
            self._unreadable = True
            _log.error("{error}", tag="Config", error=str(error))
        if self.current is not None:
            self._redactor.learn(*self.current.secrets)
            _log.info("Credentials read from their file", tag="Config")
        for known in self._recalled:
            self._go_on_with(known)

    def memo(self) -> bytes:
        """The keys in use, for the next program of this process."""
        return msgspec.json.encode(self.current)

    def recall(self, memo: bytes) -> None:
        """Go on, from `load` on, with what the program before us used, which gave the `memo`."""
        try:
            known = msgspec.json.decode(memo, type=Credentials | None)
        except msgspec.MsgspecError:
            _log.warn("The keys of the program before this one are not known", tag="Config")
            return
        self._recalled = [known]

    def replace(self, new: Credentials) -> Credentials | None:
        """Use `new` from now on; the keys before.  Raises WorkerError, and nothing changed."""
        self._redactor.learn(*new.secrets)
        if self._file is not None:
            self._file.save(new)
        previous, self.current = self.current, new
        _log.info("Credentials updated: {fields}", tag="Config", fields=", ".join(VARIABLES))
        return previous

    def inherit(self, keys: Mapping[str, Any]) -> None:
        """Use from now on what was posted to another gateway that had the worker.

        Raises CredentialsError for nonsense.
        """
        new = Credentials.validated(keys)
        if new == self.current:
            return
        try:
            self.replace(new)
        except WorkerError as error:
            _log.error("{error}", tag="Config", error=str(error))
            self.current = new

    def put_back(self, new: Credentials, previous: Credentials | None) -> bool:
        """Use `previous` again; False when other keys than `new` are in use by now."""
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

    def adopt(self, environ: Mapping[str, str], *, own: bool) -> bool:
        """A worker with `environ` may be taken over: whether a new one would get the same keys.

        `own`: its keys were the gateway's own, posted or from the file.  They still are, if
        others are known neither from the file nor because somebody posted them meanwhile.
        """
        given = from_environment(environ, self._variables)
        fields = {field: given.get(names[0]) for field, names in self._variables.items()}
        self._redactor.learn(*(given.get(name, "") for name in self._secret_names()))
        if own and not self._recalled:
            with suppress(CredentialsError):
                self._go_on_with(Credentials.validated(fields))
        wanted = self._environ
        if self.current is not None:
            wanted = {**wanted, **as_environment(self.current, self._variables)}
        return wanted == given

    def look(self, main: Path, roots: Sequence[Path] = ()) -> None:
        """See what the worker's own .env and source hold: secrets to redact, and keys that win.

        Raises OSError where one of them can't be read now; what was seen before holds.
        `roots` is where its own modules are looked for, besides beside `main`.
        """
        own = OwnEnv(main.parent)
        written = literals(read(main))
        self._redactor.learn(*(text for field, text in written if field != "caCertPath"))
        for env in named(main):
            self._redactor.learn(*env.secrets(self._variables))
        self._own = from_environment(own.values, self._variables)
        self._redactor.learn(*own.secrets(self._variables))
        if self.current is not None:
            self._redactor.learn(*self.current.secrets)  # the last ones are never forgotten
        posted = self.current and as_environment(self.current, self._variables)
        self.overridden = overridden(main, posted, self._variables, roots) if posted else []

    def _go_on_with(self, known: Credentials | None) -> None:
        """Use what was our own before, unless the file or somebody has given us others."""
        if known is None or self.current is not None:
            return
        if self._file is None or self._unreadable:
            self._redactor.learn(*known.secrets)
            self.current = known

    def _secret_names(self) -> list[str]:
        groups = self._variables.items()
        return [name for field, names in groups if field != "caCertPath" for name in names]


# -- New keys for the worker, and the previous ones again when those don't work.


class CredentialChange:
    """Changes keys and worker together.

    `check()` raises a WorkerError while no worker can be launched; then nothing is changed.
    `folder()` is where the worker works: a relative path of a certificate is from there.
    """

    def __init__(
        self,
        keys: CredentialStore,
        lifecycle: Lifecycle,
        *,
        check: Callable[[], object],
        folder: Callable[[], Path],
    ) -> None:
        self._keys = keys
        self._lifecycle = lifecycle
        self._check = check
        self._folder = folder

    @inlineCallbacks
    def change(self, new: Credentials, *, wait_ready: bool) -> Generator[Deferred[Any], Any, Facts]:
        """As `Supervisor.set_credentials`."""
        self._check()
        if new.ca_cert_path:
            check_certificate(new.ca_cert_path, self._folder())
        previous = self._keys.replace(new)
        try:
            facts = yield self._lifecycle.restart()
            if wait_ready:
                yield self._lifecycle.until_ready()
        except HeldError as error:
            raise type(error)(
                error.message, f"{error.details}; the new keys are used then", error.next_start
            ) from None
        except SupersededError:
            raise  # somebody wants it otherwise
        except WorkerError as error:
            warning = self._keys.warning
            if wait_ready and self._keys.put_back(new, previous):
                yield self._fall_back()
            if warning:
                raise type(error)(error.message, f"{error.details}. {warning}") from None
            raise
        return {**facts, **({"warning": self._keys.warning} if self._keys.warning else {})}

    @inlineCallbacks
    def _fall_back(self) -> Generator[Deferred[Facts], Any, None]:
        """A worker with the previous keys, now or when nothing forbids it."""
        try:
            yield self._lifecycle.restart()
        except (HeldError, UnreachableError):
            yield self._lifecycle.stop()
            self._lifecycle.begin()
        except WorkerError as error:
            _log.warn("With the previous credentials: {error}", tag="Python", error=str(error))
