"""Whether the kernel killed processes to get memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def kills(root: Path = Path("/")) -> tuple[int, ...]:
    """Its counters: of our own control group, and of the machine; none where there are none.

    From `memory.events` of cgroup v2 (hierarchical) and `oom_kill` of /proc/vmstat; a group
    of its own tells more exactly, the machine's counter is there on hosts without it.
    """
    counters = []
    with suppress(OSError, ValueError, StopIteration):
        groups = (root / "proc/self/cgroup").read_text().splitlines()
        own = next(line[3:] for line in groups if line.startswith("0::"))
        events = root / "sys/fs/cgroup" / own.lstrip("/") / "memory.events"
        counters.append(_counter(events, "oom_kill"))
    if not counters:
        with suppress(OSError, ValueError, StopIteration):
            counters.append(_counter(root / "proc/vmstat", "oom_kill"))
    return tuple(counters)


def _counter(path: Path, name: str) -> int:
    lines = (line.split() for line in path.read_text().splitlines())
    return next(int(words[1]) for words in lines if words[:1] == [name])
