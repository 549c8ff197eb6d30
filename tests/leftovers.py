"""Which files are written into the source tree: tests write into folders of their own."""

import os
from pathlib import Path

CACHES = (
    ".*_cache",
    ".coverage*",
    ".git",
    ".hypothesis",
    ".tox",
    ".venv*",
    "__pycache__",
    "_trial_temp*",
    "*.egg-info",
    "dropin.cache",
    "node_modules",
    "test-output",
    "venv",
)
"""What tools and the tests may keep there; version control ignores it."""

Files = dict[str, tuple[int, int]]


def listed(root: Path) -> Files:
    """The time of the last change, in ns, and the size of each file below `root`, by its path."""
    found: Files = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_cache(name)]
        for name in files:
            path = Path(folder, name)
            if not is_cache(name):
                status = path.lstat()
                found[str(path.relative_to(root))] = (status.st_mtime_ns, status.st_size)
    return found


def new_or_changed(before: Files, after: Files) -> list[str]:
    """The paths of files that were made, written to or taken away, in order."""
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def is_cache(name: str) -> bool:
    return any(Path(name).match(pattern) for pattern in CACHES)
