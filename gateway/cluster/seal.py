"""Secrets on their way through Redis: nobody without the cluster's key reads or makes one."""

from __future__ import annotations

from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE: Final = 12
"""Bytes."""


class Seal:
    """Seals texts with `key`, 32 bytes that only gateways of the cluster have."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, text: bytes, about: str) -> bytes:
        """Seal `text`; only who says the same `about` can open it."""
        nonce = urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, text, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """What was sealed.  Raises ValueError where that is not so."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
        except (InvalidTag, ValueError):
            raise ValueError("it was not sealed with the cluster's key") from None
