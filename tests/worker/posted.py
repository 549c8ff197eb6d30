"""Keys as they are posted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

AWKWARD = " #'\"=$ {} ${HOME} `id` \\ \\n 臺指期 \t"
"""What a key may hold."""


def posted(**changes: Any) -> SimpleNamespace:
    given = {
        "api_key": "API-abcdefghijklmnop",
        "secret_key": "SECRET-abcdefghijklmnop",
        "ca_cert_path": __file__,
        "ca_password": "A123456789",
    }
    return SimpleNamespace(**{**given, **changes})
