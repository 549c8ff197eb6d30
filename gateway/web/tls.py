"""Certificates that are read again when their files change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from OpenSSL.SSL import TLS1_2_VERSION, Connection, Context
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.endpoints import SSL4ServerEndpoint

_FILES = frozenset(("privateKey", "certKey", "extraCertChain", "dhParameters"))
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""Those of TLS 1.2; all of TLS 1.3 are as good."""

_PART = re.compile(r"(?:[^:\\]|\\.)+")

_log = Logger(namespace="gateway")


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """What new TLS connections are made with; those that are open keep what they have."""

    def __init__(self, files: tuple[Path, ...], read: Callable[[], Context]) -> None:
        """`read` makes a context of `files`, or raises."""
        self._files = files
        self._read = read
        self._stamp = self._stamps()
        self._context = read()

    def serverConnectionForTLS(self, tlsProtocol: Any) -> Connection:
        return Connection(self._context, None)

    def reload(self) -> None:
        """Read the files; when they can't be used, say so and keep what was read before."""
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
        """Read the files if one of them is not the one that was read last."""
        if self._stamps() != self._stamp:
            self.reload()

    def _stamps(self) -> list[tuple[int, int] | None]:
        return [_stamp(path) for path in self._files]


def reloading(reactor: Any, description: str) -> tuple[SSL4ServerEndpoint, Certificate]:
    """The endpoint of an `ssl:` description, with a certificate that can be read again.

    Raises what Twisted raises for a description, a key or a certificate that is wrong.
    """

    def context_factory() -> Any:
        return serverFromString(reactor, description)._sslContextFactory

    files = tuple(Path(name) for name in _arguments(description).values())
    certificate = Certificate(files, lambda: _hardened(context_factory().getContext()))
    endpoint = serverFromString(reactor, description)
    endpoint._sslContextFactory = certificate
    return endpoint, certificate


def _hardened(context: Context) -> Context:
    """`context` without what is broken or forgets nothing: CBC, and RSA for the key exchange.

    Source: RFC 9325, sections 3.1.1 and 4.1.
    """
    context.set_min_proto_version(TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS)
    return context


def _arguments(description: str) -> dict[str, str]:
    """The arguments of an endpoint description that name files."""
    pairs = (part.partition("=") for part in _PART.findall(description))
    return {name: re.sub(r"\\(.)", r"\1", value) for name, _, value in pairs if name in _FILES} or {
        "privateKey": "server.pem"
    }


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino
