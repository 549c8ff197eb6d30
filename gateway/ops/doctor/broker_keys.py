"""Where the broker's keys come from, and whether the certificate can be used."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from gateway.common.attempt import reason
from gateway.common.credentials import CredentialsError
from gateway.ops.doctor.finding import Finding, fail, ok, warn
from gateway.worker.keys.credentials import check_certificate, from_environment
from gateway.worker.keys.overriding import overridden
from gateway.worker.keys.own_files import OwnEnv, damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.worker.keys.credentials import Variables
    from gateway.worker.process.target import Target
    from gateway.worker.settings import WorkerSettings

_KEYS = ("API_KEY", "SECRET_KEY")
_PATH, _PASSWORD = "CA_CERT_PATH", "CA_PASSWORD"
_SEQUENCE = b"\x30"
"""The first byte of a PKCS #12 file (RFC 7292: a DER sequence)."""


def check_keys(
    settings: WorkerSettings, environ: Mapping[str, str], target: Target
) -> Iterator[Finding]:
    """The keys that the next worker would get; `target`: what would be run."""
    folder = target.script.parent
    try:
        own = OwnEnv(folder)
        kept = OwnEnv(folder, settings.credentials_file) if settings.credentials_file else None
    except OSError as error:
        yield warn("keys", f"a file with keys can't be read: {reason(error)}", "look at its disk")
        return
    source, values = _keys(kept, environ, own, settings.variables)
    missing = [name for name in _KEYS if not values.get(name)]
    if settings.mark:
        yield ok("keys", f"a {settings.mark} needs no keys")
    elif missing:
        yield warn(
            "keys",
            f"no {' and no '.join(missing)} in {source}",
            "post them to /set-sj-key, set the variables for the gateway itself "
            f"(export, or Environment= in systemd), or write them to {folder / '.env'}",
        )
    else:
        yield ok("keys", f"the keys are in {source}")
    yield from _damage(kept, environ, own, settings.variables)
    if fields := overridden(target.script, values, settings.variables, target.roots):
        yield warn(
            "keys",
            f"the worker uses other values of {', '.join(fields)} than those in {source}, since its"
            f" own {own.file or '.env'} or its source overrides them",
            "remove them there, or load that file without override=True",
        )
    yield _certificate(values.get(_PATH, ""), values.get(_PASSWORD, ""), target.folder)


def _keys(
    kept: OwnEnv | None, environ: Mapping[str, str], own: OwnEnv, variables: Variables
) -> tuple[str, dict[str, str]]:
    """Where the worker's keys are, and what is there: the credentials file, else the
    environment over the worker's own .env."""
    if kept is not None and kept.values:
        return str(kept.file), from_environment(kept.values, variables)
    given = from_environment(environ, variables)
    source = f"{own.file} and the environment" if own.values else "the environment"
    return source, {**from_environment(own.values, variables), **given}


def _damage(
    kept: OwnEnv | None, environ: Mapping[str, str], own: OwnEnv, variables: Variables
) -> Iterator[Finding]:
    """Characters that nobody sees and the broker does not accept."""
    names = [name for group in variables.values() for name in group]
    texts = {name: environ[name] for name in names if name in environ}
    texts |= {str(env.file): env.text for env in (own, kept) if env is not None and env.file}
    for where, text in texts.items():
        if found := " and ".join(damaged(text)):
            yield warn(
                "keys",
                f"{where} holds {found}",
                "save it again as UTF-8 without BOM and with Unix line ends (dos2unix)",
            )


def _certificate(path: str, password: str, folder: Path) -> Finding:
    if not path:
        return ok("certificate", "no certificate is given; only orders need one")
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
        return warn("certificate", f"no password is given for {file}", "set CA_PASSWORD as well")
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return warn("certificate", f"other users can read {file}", f"chmod 600 {file}")
    return ok("certificate", f"{file} can be read")
