"""Keys that were posted."""

from __future__ import annotations

from typing import Any

from gateway.common.credentials import Credentials

AWKWARD = " #'\"=$ {} ${HOME} `id` \\ \\n 臺指期 \t"
"""What a key may hold."""


def posted(**changes: Any) -> Credentials:
    given = {
        "api_key": "API-abcdefghijklmnop",
        "secret_key": "SECRET-abcdefghijklmnop",
        "ca_cert_path": __file__,
        "ca_password": "A123456789",
    }
    return Credentials(**{**given, **changes})
