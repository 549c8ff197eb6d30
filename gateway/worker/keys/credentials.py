"""The broker's keys: the file that keeps them, and the variables that the worker reads."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values
from msgspec import structs

from gateway.common.credentials import FIELDS, Credentials, CredentialsError
from gateway.contract import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Variables = Mapping[str, tuple[str, ...]]


def _family(*names: str) -> tuple[str, ...]:
    """`names` as the workers of both brands write them."""
    return tuple(f"{brand}_{name}" for brand in ("SHIOAJI", "SINOPAC") for name in names)


VARIABLES: Final[Variables] = {
    "apiKey": ("API_KEY", "SJ_KEY", "SJ_API_KEY", *_family("API_KEY", "KEY")),
    "secretKey": (
        *("SECRET_KEY", "SJ_SEC", "SJ_SEC_KEY", "SJ_SECRET_KEY"),
        *_family("SECRET_KEY", "SECRET", "API_SECRET", "SEC_KEY"),
    ),
    "caCertPath": (
        *("CA_CERT_PATH", "SJ_CA_PATH", "CA_PATH"),
        *_family("CA_PATH", "CA_CERT_PATH", "CERT_PATH"),
    ),
    "caPassword": (
        *("CA_PASSWORD", "SJ_CA_PASSWD", "CA_PASSWD"),
        *_family("CA_PASSWORD", "CA_PASSWD", "CERT_PASSWORD"),
    ),
}
"""The posted field and the environment variables that hold it, as public workers name them;
the first names it in a file."""
RESERVED: Final = frozenset(("PATH", "HOME", "GATEWAY_URL", "SOCKET_HUB", "SIMULATION"))
"""Variables that hold something else."""
DRAFT_BYTES: Final = 8
"""Random bytes in the name of a draft."""


def as_environment(credentials: Credentials, variables: Variables = VARIABLES) -> dict[str, str]:
    """Every variable of every field that has a value."""
    return {
        variable: value
        for field, value in zip(FIELDS, structs.astuple(credentials), strict=True)
        for variable in variables[field]
        if value
    }


def check_certificate(path: str, folder: Path) -> None:
    """Check that the certificate can be read; a relative `path` starts in main.py's `folder`."""
    try:
        file = _open_regular(folder / path)
        try:
            os.read(file, 1)
        finally:
            os.close(file)
    except OSError as error:
        raise CredentialsError(
            "caCertPath", f"caCertPath: the certificate can't be read ({error.strerror})"
        ) from None


def name_more(pairs: Iterable[str]) -> Variables:
    """`VARIABLES` with the further names in `pairs`, such as `apiKey=MY_BROKER_KEY`.

    Raises ValueError.
    """
    named = dict(VARIABLES)
    for pair in pairs:
        field, _, variable = pair.partition("=")
        if field not in named or not variable.isidentifier() or not variable.isascii():
            raise ValueError(
                f"{pair!r} does not name a variable: write apiKey=MY_BROKER_KEY; the fields are"
                f" {', '.join(VARIABLES)}"
            )
        taken = any(variable in names for other, names in named.items() if other != field)
        if taken or variable in RESERVED:
            raise ValueError(f"{pair!r}: the variable {variable} holds something else")
        named[field] = tuple(dict.fromkeys((*named[field], variable)))
    return named


def from_environment(
    environ: Mapping[str, str | None], variables: Variables = VARIABLES
) -> dict[str, str]:
    """The variables of all groups: the first that is set in each counts for the group."""
    return {
        variable: value
        for group in variables.values()
        if (value := next((found for name in group if (found := environ.get(name))), ""))
        for variable in group
    }


class CredentialsFile:
    """A file in dotenv form, mode 0600; a symbolic link in its place is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Credentials | None:
        """What the file holds; None when there is no file.

        Drafts that a killed gateway left are removed.  Raises WorkerError when it can't be
        used.
        """
        self._remove_drafts()
        try:
            text = _read(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error.strerror) from None
        except UnicodeDecodeError:
            raise self._unusable("it is no text") from None
        values = dotenv_values(stream=StringIO(text), interpolate=False)
        try:
            return Credentials.validated(
                {field: values.get(names[0]) for field, names in VARIABLES.items()}
            )
        except CredentialsError as error:
            raise self._unusable(str(error)) from None

    def save(self, credentials: Credentials) -> None:
        """Replace the file, all or nothing.

        Raises WorkerError; the old content stays.
        """
        values = as_environment(credentials)
        names = [group[0] for group in VARIABLES.values() if group[0] in values]
        text = "".join(f"{name}={_quoted(values[name])}\n" for name in names)
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(DRAFT_BYTES)}")
        try:
            if self._path.is_symlink():
                raise self._unusable("it is a symbolic link")
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(draft, text, self._path)
        except OSError as error:
            with suppress(OSError):  # where no draft can be made, none may be removable
                draft.unlink()
            raise self._unusable(error.strerror) from None

    def restore(self, previous: Credentials | None) -> None:
        """Make it hold `previous` again; no file, if there was none.  Raises WorkerError."""
        if previous is not None:
            self.save(previous)
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error.strerror) from None

    def _remove_drafts(self) -> None:
        """Of others than a gateway that is writing now: that holds a lock on its draft."""
        pattern = re.compile(rf"\.{re.escape(self._path.name)}\.[0-9a-f]{{{2 * DRAFT_BYTES}}}")
        with suppress(OSError):  # a folder that can't be read is told by what comes next
            for path in self._path.parent.iterdir():
                if pattern.fullmatch(path.name):
                    with suppress(OSError):
                        _remove(path)

    def _unusable(self, reason: str | None) -> WorkerError:
        return WorkerError("The credentials file can't be used", f"{self._path}: {reason}")


def _quoted(value: str) -> str:
    """In the single quotes of dotenv, where only these two are escaped."""
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "\\'"))


def _read(path: Path) -> str:
    """The text of a regular file, which is made private."""
    file = _open_regular(path, os.O_NOFOLLOW)
    try:
        os.fchmod(file, 0o600)
        with open(file, encoding="utf-8", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(file)


def _open_regular(path: Path, flags: int = 0) -> int:
    """Open for reading; OSError for what is no file, such as a pipe that would be waited for."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "it is no regular file")
    return file


def _write(draft: Path, text: str, path: Path) -> None:
    """Put `text` into the place of `path`; the draft is locked until it is there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        draft.replace(path)


def _remove(draft: Path) -> None:
    file = os.open(draft, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.unlink()
    finally:
        os.close(file)
