"""A folder of `.pem` files: one TLS context for each host name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import (
    DNSName,
    ExtensionNotFound,
    SubjectAlternativeName,
    load_pem_x509_certificate,
)
from OpenSSL.SSL import TLS_SERVER_METHOD, Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cryptography.x509 import Certificate

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def pem_files(folder: Path) -> list[Path]:
    """All `.pem` files in `folder` and below it."""
    return sorted(folder.rglob("*.pem"))


def read(folder: Path) -> dict[str, Context]:
    """A context for each host name (lower case, perhaps with `*.`) of a certificate with a key.

    Keys, certificates and their signers may be in one file or in several.
    Raises ValueError when there is none, and for what is no PEM; OSError; OpenSSL's errors.
    """
    keys, certificates = {}, []
    for file in pem_files(folder):
        for block in _BLOCK.finditer(file.read_bytes()):
            if block[1].endswith(b"PRIVATE KEY"):
                key: Any = load_pem_private_key(block[0], None)
                keys[_public(key.public_key())] = key
            elif block[1] == b"CERTIFICATE":
                certificates.append(load_pem_x509_certificate(block[0]))
    contexts = {
        name.lower(): _context(keys[_public(each.public_key())], each, certificates)
        for each in certificates
        if _public(each.public_key()) in keys
        for name in _names(each)
    }
    if not contexts:
        raise ValueError(f"no .pem file in {folder} has a certificate with a host's name, and key")
    return contexts


def _context(key: Any, certificate: Certificate, others: Sequence[Certificate]) -> Context:
    context = Context(TLS_SERVER_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    for signer in _signers(certificate, others):
        context.add_extra_chain_cert(signer)
    return context


def _signers(certificate: Certificate, others: Sequence[Certificate]) -> Iterator[Certificate]:
    """The signer of `certificate`, its signer, and so on, as far as `others` has them."""
    left = [each for each in others if each.issuer != each.subject]  # no roots: clients have them
    while signer := next((each for each in left if each.subject == certificate.issuer), None):
        yield signer
        left.remove(signer)
        certificate = signer


def _names(certificate: Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except ExtensionNotFound:
        return []
    return found.value.get_values_for_type(DNSName)


def _public(key: Any) -> bytes:
    """The public key as bytes: equal for a key and its certificate."""
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
