"""TLS for `ssl:` and `tls:` endpoints: versions, ciphers, and certificates that are read again.

An `ssl:` endpoint has one certificate; a `tls:` one a folder of them, chosen by the name that
the client asks for.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from OpenSSL.SSL import MODE_RELEASE_BUFFERS, TLS1_2_VERSION, Connection, Context
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from zope.interface import implementer

from gateway.web.http import pems
from gateway.web.http.listen_plan import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KINDS = frozenset(("ssl", "tls"))
"""The endpoints that speak TLS themselves."""

_FILES = frozenset(("privateKey", "certKey", "extraCertChain", "dhParameters"))
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""The ciphers of TLS 1.2; those of TLS 1.3 are all accepted."""

_PART = re.compile(r"(?:[^:\\]|\\.)+")

_log = Logger(namespace="gateway")


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """The TLS context of new connections; open connections keep theirs."""

    def __init__(self, files: Callable[[], list[Path]], read: Callable[[], Context]) -> None:
        """`read()` makes a context of the files that `files()` names, or raises."""
        self._files = files
        self._read = read
        self._stamp = self._stamps()
        self._context = read()

    def serverConnectionForTLS(self, tlsProtocol: Any) -> Connection:
        return Connection(self._context, None)

    def reload(self) -> None:
        """Read the files again; if they cannot be used, log it and keep the old context."""
        self._stamp = self._stamps()
        try:
            self._context = self._read()
        except Exception as error:
            _log.error(
                "The TLS certificate can't be read again, the old one stays: {error}",
                error=f"{type(error).__name__}: {error}",
            )
        else:
            _log.info("The TLS certificate was read again")

    def reload_if_changed(self) -> None:
        """Read the files again if one of them has changed."""
        if self._stamps() != self._stamp:
            self.reload()

    def _stamps(self) -> list[tuple[Path, int, int] | None]:
        return [_stamp(path) for path in self._files()]


def reloading(reactor: Any, description: str) -> tuple[Any, Certificate]:
    """The endpoint of `description`, one of `KINDS`, and its certificate.

    Raises what Twisted raises for a description, a key or a certificate that is wrong.
    """
    endpoint: Any = serverFromString(reactor, description)
    if kind_of(description) == "tls":
        folder = Path(_value(_PART.findall(description)[1]))
        certificate = Certificate(partial(pems.pem_files, folder), partial(_of_folder, folder))
        endpoint.connectionCreator = certificate
        return endpoint, certificate

    def context_factory() -> Any:
        return serverFromString(reactor, description)._sslContextFactory

    files = [Path(name) for name in _arguments(description).values()]
    certificate = Certificate(lambda: files, lambda: _hardened(context_factory().getContext()))
    endpoint._sslContextFactory = certificate
    return endpoint, certificate


def _of_folder(folder: Path) -> Context:
    """A context that switches to the certificate of the host name that a client asks for.

    Without one of that name the first certificate stays.  Twisted's own way would read the
    folder again for every unknown name.
    """
    contexts = pems.read(folder)
    for context in contexts.values():
        _hardened(context).set_tlsext_servername_callback(partial(_choose, contexts))
    return next(iter(contexts.values()))


def _choose(contexts: Mapping[str, Context], connection: Connection) -> None:
    """Switch to the certificate of the host name that the client asks for, if there is one."""
    name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
    context = contexts.get(name) or contexts.get("*." + name.partition(".")[2])
    if context is not None:
        connection.set_context(context)


def _hardened(context: Context) -> Context:
    """`context` without CBC ciphers, and without RSA key exchange (no forward secrecy).

    An idle connection keeps no buffers, which would be 34 KB.
    Source: RFC 9325, sections 3.1.1 and 4.1.
    """
    context.set_mode(MODE_RELEASE_BUFFERS)
    context.set_min_proto_version(TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS)
    return context


def _arguments(description: str) -> dict[str, str]:
    """The arguments of an `ssl:` description that name files."""
    pairs = (part.partition("=") for part in _PART.findall(description))
    return {name: _unescaped(value) for name, _, value in pairs if name in _FILES} or {
        "privateKey": "server.pem"
    }


def _value(argument: str) -> str:
    """The value of an argument that may be written as `path=VALUE`."""
    return _unescaped(argument.removeprefix("path="))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _stamp(path: Path) -> tuple[Path, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return path, stat.st_mtime_ns, stat.st_ino
