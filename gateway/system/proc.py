"""Processes, what they hold, and the kernel's counters, by proc(5)."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC: Final = Path("/proc")
BOOT: Final = PROC / "sys/kernel/random/boot_id"
_READ = os.O_RDONLY | os.O_CLOEXEC
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""Nothing can be opened now: that says nothing about what is there."""


def tree(root: int) -> Iterator[int]:
    """`root` and all processes below it.  Raises OSError for want of descriptors or memory."""
    yield root
    with _suppress_gone(), _folder(f"/proc/{root}/task") as (tasks, names):
        for name in names:
            for child in _read(f"{name}/children", tasks).split():
                yield from tree(int(child))


def held(pid: int) -> Iterator[str]:
    """What the open descriptors of `pid` point at.  Raises OSError as `tree`."""
    with _suppress_gone(), _folder(f"/proc/{pid}/fd") as (descriptors, names):
        for name in names:
            yield _link(name, descriptors)


def holders(file: Path, descriptor: int) -> list[int]:
    """The processes that have `file` as this descriptor, as far as this user can tell.

    Also one of that name that was removed since.
    """
    removed = f"{os.path.realpath(file)} (deleted)"
    wanted = None
    with suppress(OSError):
        wanted = file.stat()
    found = []
    with _suppress_gone(), _folder(os.fspath(PROC)) as (folder, entries):
        for pid in filter(str.isdigit, entries):
            name = f"{pid}/fd/{descriptor}"
            if _link(name, folder) == removed or (wanted and _is(name, folder, wanted)):
                found.append(int(pid))
    return found


def boot() -> str:
    """The random name of the time since the machine was started."""
    with suppress(OSError):
        return BOOT.read_text("ascii").strip()
    return ""


def memory_kills(root: Path = Path("/")) -> tuple[int, ...]:
    """How many processes the kernel killed to get memory, by its counters.

    They are those of our own control group, or else of the machine; none where there are none.
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


def _is(name: str, folder: int, file: os.stat_result) -> bool:
    """Whether a link leads to `file`, by whatever path; not when it is gone."""
    with suppress(OSError):
        return os.path.samestat(os.stat(name, dir_fd=folder), file)
    return False


def _link(name: str, folder: int) -> str:
    """What a link points at; nothing when it is gone."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return ""


def _read(name: str, folder: int) -> bytes:
    """A whole file; nothing when it is gone."""
    with _suppress_gone():
        file = os.open(name, _READ, dir_fd=folder)
        try:
            return b"".join(iter(partial(os.read, file, 65536), b""))
        finally:
            os.close(file)
    return b""


@contextmanager
def _suppress_gone() -> Iterator[None]:
    """Pass over a process or a file that is gone, or not ours to see."""
    try:
        yield
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise


@contextmanager
def _folder(path: str) -> Iterator[tuple[int, list[str]]]:
    """A folder's descriptor, and the names in it.

    All of the worker's threads and descriptors are looked at; by pathlib and whole paths that
    costs six times as much.
    """
    folder = os.open(path, _READ)
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        yield folder, names
    finally:
        os.close(folder)
