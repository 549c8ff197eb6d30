"""What must be true where the wheel is installed: in an environment that has nothing else.

Each check returns what it saw, and raises `Wrong`.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from gateway import __version__
from tests.ports import free_port
from tests.release.building import build, expect, pack, run, unpack
from tests.release.installation import Installation, at_home, first_line, new_home

if TYPE_CHECKING:
    from pathlib import Path

    from tests.release.building import Built

BEFORE = "0.0.1"
"""The version that stands for the one before."""
COMMIT = "99672f6"
"""Its code, until there is a release: an earlier state whose wheel was looked at as a whole."""
BOUND = ("setpriv", "--bounding-set=-dac_override")
"""Lets root be bound by permissions, as others are."""


def upgrade(built: Built, _: str | None) -> str:
    """From the wheel of the version before to this one and back: same process, same worker."""
    before, code = version_before(built.folder / "before")
    installation = Installation(built.folder / "newcomer")
    installation.pip("install", str(before.wheel))
    with installation.gateway(new_home(built.folder / "home"), "--demo") as running:
        worker = running.worker()
        for wheel, version in ((built.wheel, __version__), (before.wheel, BEFORE)):
            installation.pip("install", str(wheel))
            running.hand_over(version)
            expect(running.worker() == worker, f"another worker runs:\n{running.said()}")
    installation.pip("install", str(built.wheel))
    return f"{BEFORE} ({code}), {__version__} and {BEFORE} again, with one worker"


def version_before(folder: Path) -> tuple[Built, str]:
    """It, built in `folder`, and whose code it has."""
    sources = folder / "sources"
    if unpack(COMMIT, sources):
        return pack(sources, BEFORE), f"the code of {COMMIT}"
    return build(folder, BEFORE), f"the same code: Git does not have {COMMIT} here"


def empty_folder(built: Built, _: str | None) -> str:
    """The demonstration, its page, its events and its check; nothing can be written there."""
    installation = Installation(built.folder / "newcomer")
    installation.pip("check")
    home = new_home(built.folder / "another")
    bound = () if os.geteuid() else BOUND
    with installation.read_only(), installation.gateway(home, "--demo", before=bound) as running:
        page = running.get("/").decode()
        files = re.findall(r'"(static/[\w./-]+)"', page)
        expect(files, "the page names none of its files")
        for path in files:
            expect(running.get(f"/{path}"), f"{path} is empty")
        name = first_event(installation, running.url, home)
        trade = first_trade(installation, running.url, home)
    check = installation.twistd("--demo", "--check", "--port", str(free_port()))
    checked = run(check, home / "here", **at_home(home))
    lines = len(checked.splitlines())
    return f"{len(files)} files of the page; {name}; {trade}; {lines} lines of --check"


def first_event(installation: Installation, url: str, folder: Path) -> str:
    """The name of the first event that `tail` shows."""
    tail = [installation.program("python"), "-m", "gateway", "tail", "--json", "--url", url]
    return str(json.loads(first_line(tail, folder))["e"][0])


def first_trade(installation: Installation, url: str, folder: Path) -> str:
    """What the example of a front end in Python prints first."""
    example = installation.shared / "examples" / "python" / "feed.py"
    return first_line([installation.program("python"), str(example), url], folder)
