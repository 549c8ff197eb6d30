"""New keys for the worker, and the previous ones again when those don't work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.logger import Logger

from gateway.contract import Credentials, HeldError, WorkerError
from gateway.worker.keys.credentials import check_certificate
from gateway.worker.request_errors import SupersededError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.lifecycle.requests import Facts

_log = Logger(namespace="gateway.worker")


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
