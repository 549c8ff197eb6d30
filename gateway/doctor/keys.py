"""The broker's keys: where they come from, and whether the certificate can be used."""

from __future__ import annotations

import stat
from io import StringIO
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.worker.credentials import check_certificate, from_environment
from gateway.worker.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KEYS = ("API_KEY", "SECRET_KEY")
_PATH, _PASSWORD = "CA_CERT_PATH", "CA_PASSWORD"
_SEQUENCE = b"\x30"
"""The first byte of a PKCS #12 file (RFC 7292: a DER sequence)."""


def check_keys(
    credentials_file: Path | None, environ: Mapping[str, str], folder: Path, *, demo: bool
) -> Iterator[Finding]:
    """The keys that the next worker would find; `folder` is main.py's."""
    source, values = _keys(credentials_file, environ, folder)
    missing = [name for name in _KEYS if not values.get(name)]
    if demo:
        yield ok("keys", "the demonstration (--demo) needs none")
    elif missing:
        yield warn(
            "keys",
            f"no {' and no '.join(missing)} in {source}",
            "post them to /set-sj-key, set the variables for the gateway itself "
            f"(export, or Environment= in systemd), or write them to {folder / '.env'}",
        )
    else:
        yield ok("keys", f"they are in {source}")
    yield _certificate(values.get(_PATH, ""), values.get(_PASSWORD, ""), folder)


def _keys(
    credentials_file: Path | None, environ: Mapping[str, str], folder: Path
) -> tuple[str, dict[str, str]]:
    """Where the worker's keys are, and what is there: the credentials file, else the
    environment over the worker's own .env."""
    kept = _dotenv(credentials_file) if credentials_file else {}
    if kept:
        return str(credentials_file), from_environment(kept)
    given = from_environment(environ)
    dotenv = _dotenv(folder / ".env")
    source = f"{folder / '.env'} and the environment" if dotenv else "the environment"
    return source, {**from_environment(dotenv), **given}


def _dotenv(file: Path) -> dict[str, str]:
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError):
        return {}
    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value}


def _certificate(path: str, password: str, folder: Path) -> Finding:
    if not path:
        return ok("certificate", "none is named; only orders need one")
    file = folder / path
    if file.is_dir():
        return fail("certificate", f"{file} is a folder", "name the .pfx file in CA_CERT_PATH")
    try:
        check_certificate(path, folder)
    except CredentialsError:
        return fail(
            "certificate",
            f"{file} is missing or can't be read",
            "correct CA_CERT_PATH (a relative path is from main.py's folder), or chown the "
            "file to the gateway's user and chmod 600 it",
        )
    with file.open("rb") as stream:
        first = stream.read(1)
    if first != _SEQUENCE:
        return fail(
            "certificate",
            f"{file} is no PKCS #12 file (.pfx, .p12)",
            "export the certificate again from the broker's tool as .pfx",
        )
    if not password:
        return warn("certificate", f"{file} has no password given", "set CA_PASSWORD as well")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return warn("certificate", f"other users can read {file}", f"chmod 600 {file}")
    return ok("certificate", f"{file} can be read")
