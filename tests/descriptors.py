"""What this process has open.

How many that are says nothing: what tests before left may be closed meanwhile.
"""

from pathlib import Path


def links(start: str = "") -> list[str]:
    """What its descriptors point at; only what begins with `start`, such as a folder."""
    files = [each for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sorted(
        link for link in (str(each.readlink()) for each in files) if link.startswith(start)
    )
