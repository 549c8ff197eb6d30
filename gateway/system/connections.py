"""The TCP connections of processes, by psutil: slow where there are many."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def held_ports(pids: Iterable[int]) -> set[tuple[int, int]]:
    """The ports of these processes' connections, of their own end and then of the other."""
    import psutil  # noqa: PLC0415  # by need

    found: set[tuple[int, int]] = set()
    for pid in pids:
        with suppress(psutil.Error):
            found |= {
                (each.laddr.port, each.raddr.port)
                for each in psutil.Process(pid).net_connections("tcp")
                if each.raddr
            }
    return found
