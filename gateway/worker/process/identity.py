"""What makes a worker another one: a gateway takes over only one that it would start just so."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

SESSION: Final = frozenset(
    (
        *("_", "SHLVL", "PWD", "OLDPWD", "TERM", "COLUMNS", "LINES", "STY", "WINDOW"),
        *("DISPLAY", "WAYLAND_DISPLAY", "WINDOWID"),
        *("INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"),
    )
)
"""Variables that tell from where a gateway was started; a worker is none the wiser."""
SESSIONS: Final = ("SSH_", "XDG_SESSION", "DBUS_SESSION", "TMUX", "MEMORY_PRESSURE_", "LISTEN_")
OPTIONS: Final = "SJGATEWAY_"
"""The gateway's own options; what of them concerns the worker is in its command."""


def identify(
    script: Path,
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    keys: Collection[str],
    *,
    cluster: str = "",
) -> dict[str, str]:
    """Digests by name, where the names are for people: "another environment".

    The broker's `keys` (the variables that hold them) count apart, by `CredentialStore.adopt`.
    `cluster`: the gateways that share the right to run it.
    """
    source = b""
    with suppress(OSError):  # a program that is no file of ours
        source = script.read_bytes()
    counts = {
        name: value
        for name, value in env.items()
        if name not in SESSION and name not in keys and not name.startswith((*SESSIONS, OPTIONS))
    }
    return {
        "program": _digest([*argv, cwd]),
        "main.py": hashlib.sha256(source).hexdigest(),
        "environment": _digest(sorted(counts.items())),
        **({"cluster": _digest(cluster)} if cluster else {}),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
