"""The broker's keys: what may be posted, where it is kept, how the worker gets it."""

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
from typing import TYPE_CHECKING, Final, Protocol

from attrs import field, fields, frozen
from dotenv import dotenv_values

from gateway.worker.errors import CredentialsError, WorkerError

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
REQUIRED: Final = ("apiKey", "secretKey")
"""Quotes need no certificate."""
NEVER: Final = frozenset(("PATH", "HOME", "GATEWAY_URL", "SOCKET_HUB", "SIMULATION"))
"""Variables that hold something else."""
MISSING: Final = f"Missing required fields: {', '.join(VARIABLES)}"
LONGEST: Final = 4096
DRAFT_BYTES: Final = 8
"""Random bytes in the name of a draft."""


class Posted(Protocol):
    """Keys as somebody sent them, unchecked."""

    @property
    def api_key(self) -> object: ...
    @property
    def secret_key(self) -> object: ...
    @property
    def ca_cert_path(self) -> object: ...
    @property
    def ca_password(self) -> object: ...


@frozen
class Credentials:
    """One set of keys; never shown by repr."""

    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    ca_cert_path: str = field(repr=False, default="")
    ca_password: str = field(repr=False, default="")

    @classmethod
    def validated(cls, posted: Posted) -> Credentials:
        """Credentials that an environment can carry.

        Raises CredentialsError, which names the field and never its value.
        """
        names = [attribute.name for attribute in fields(Credentials)]
        values = dict(zip(VARIABLES, (getattr(posted, name) for name in names), strict=True))
        absent = [name for name, value in values.items() if value in (None, "")]
        for name in absent:
            if name in REQUIRED or len(absent) == 1:  # half a certificate
                raise CredentialsError(name, MISSING)
        return cls(*(_checked(name, value or "") for name, value in values.items()))

    def environment(self, variables: Variables = VARIABLES) -> dict[str, str]:
        """Every variable of every group of which there is a value."""
        return {
            variable: value
            for group, value in zip(variables.values(), self._values(), strict=True)
            for variable in group
            if value
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no log may show; the path of the certificate is none."""
        return self.api_key, self.secret_key, self.ca_password

    def _values(self) -> tuple[str, ...]:
        return tuple(getattr(self, attribute.name) for attribute in fields(Credentials))


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise CredentialsError(name, f"{name} must be a string")
    if len(value) > LONGEST:
        raise CredentialsError(name, f"{name} is longer than {LONGEST} characters")
    if any(character in value for character in "\r\n\0"):
        raise CredentialsError(name, f"{name} must not contain line breaks or NUL")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise CredentialsError(
            name, f"{name} holds characters that no environment can carry"
        ) from None
    return value


def check_certificate(path: str, folder: Path) -> None:
    """That the certificate can be read; a relative `path` is from main.py's `folder`."""
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
    """`VARIABLES` and further names: each of `pairs` is such as `apiKey=MY_BROKER_KEY`.

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
        if taken or variable in NEVER:
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
    """A file in dotenv form, 0600, that no symbolic link stands for."""

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
            found = (values.get(group[0]) or "" for group in VARIABLES.values())
            return Credentials.validated(Credentials(*found))
        except CredentialsError as error:
            raise self._unusable(str(error)) from None

    def save(self, credentials: Credentials) -> None:
        """Replace the file, all or nothing.

        Raises WorkerError; the old content stays.
        """
        values = credentials.environment()
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
