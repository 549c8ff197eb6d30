"""The import rule of ARCHITECTURE.md, read off the source by `ast`."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import TextWrapper

from twisted.trial.unittest import SynchronousTestCase

from tests.untraced import untraced

GATEWAY = Path(__file__).parents[1] / "gateway"
ARCHITECTURE = GATEWAY.parent / "ARCHITECTURE.md"

ANY = {path.stem for path in GATEWAY.iterdir()} | {"__version__"}

MAY_IMPORT = {
    "engineio": set(),
    "socketio": {"engineio"},
    "common": set(),
    "system": set(),
    "options": {"market/events", "replay/wishes", "rehearsal/script"},
    "relay": {"common", "socketio", "engineio"},
    "cluster": {"relay", "contract", "common", "socketio", "engineio"},
    "cluster/election": {"cluster/terms"},
    "cluster/terms": set(),
    "market/events": set(),
    "market/hours": {"common"},
    "market": {"common", "engineio"},
    "history": {"common", "market"},
    "replay": {"common", "history", "market", "socketio", "engineio"},
    "replay/wishes": {"common", "market/hours"},
    "rehearsal": {"history", "market", "replay/wishes"},
    "rehearsal/script": {"market/hours"},
    "contract": {"common"},
    "web/security": {"common"},
    "web/http": {"web/security", "common", "engineio"},
    "web/websocket": {"web/http", "common", "engineio"},
    "web/routes": {
        "web/websocket", "web/http", "web/security", "contract", "replay/wishes", "common",
        "engineio",
    },
    "web": set(),
    "worker/settings": {"worker/keys/credentials", "market/events"},
    "worker/sources": {"contract"},
    "worker/keys": {
        "contract", "worker/settings", "worker/sources", "worker/lifecycle",
        "common",
    },
    "worker/keys/credentials": {"contract", "common/credentials"},
    "worker/keys/own_files": {"worker/keys/credentials"},
    "worker/readiness": {
        "contract", "worker/settings", "worker/keys/own_files", "worker/lifecycle",
        "market/events", "market/freshness",
    },
    "worker/readiness/vitals": {"worker/settings", "market/events"},
    "worker/lifecycle": {
        "contract", "worker/settings", "worker/readiness/vitals", "market/hours",
        "common",
    },
    "worker/calendar": {
        "worker/lifecycle", "worker/settings", "worker/sources", "worker/process", "common",
    },
    "worker/process": {
        "contract", "worker/settings", "worker/sources", "worker/keys",
        "worker/lifecycle", "worker/readiness/vitals", "market/events", "system",
        "common",
    },
    "worker/process/guardian": {"worker/process/guarding"},
    "worker/process/guarding": set(),
    "worker/process/interpreters": set(),
    "worker/process/connections": {"system"},
    "worker/process/target": {"contract", "worker/settings"},
    "worker": {"market/events", "system", "common"},
    "ops/doctor": {
        "contract", "worker/settings", "worker/sources", "worker/keys",
        "worker/process", "worker/calendar/schedule", "worker/lifecycle/ledger",
        "worker/lifecycle/ledger_file", "options",
        "web/http", "web/security", "market/hours", "cluster/address", "cluster/blocking",
        "cluster/version", "cluster/told", "cluster/scripts", "cluster/settings", "system",
        "common",
    },
    "ops/metrics": {
        "web/http/counting", "history/recording", "market", "relay", "common", "engineio",
    },
    "ops/alerts": {"contract", "market", "common", "engineio"},
    "ops/logs": {"options", "common", "engineio"},
    "ops": set(),
    "app": {
        "ops", "history", "contract", "options", "web", "worker", "market", "relay", "cluster",
        "replay/wishes", "rehearsal", "socketio",
        "system", "engineio", "common",
    },
    "tap": {"app", "web/http/listen_plan", "web/private"},
    "client": set(),
    "cli": {"history", "market", "web/security", "socketio", "engineio", "common"},
    "__main__": {"cli"},
}  # fmt: skip
"""Room -> the rooms that it may import besides its own.

A room is a folder or a module; a module is in the smallest room that holds it.  A room may
import what is inside of it, and whoever may import a room may import what is inside of that.
"""

BEGIN, END = "<!-- imports -->", "<!-- end of imports -->"
"""Around the rule in ARCHITECTURE.md."""

SANS_IO = {"socketio", "engineio"}
DOES_IO = {
    "asyncio", "autobahn", "http", "klein", "multiprocessing", "os", "selectors", "signal",
    "socket", "subprocess", "threading", "time", "treq", "twisted", "urllib.request",
}  # fmt: skip


def within(name: str, rooms: Iterable[str]) -> str | None:
    """The smallest of `rooms` that holds the module `name`, such as `web/http/site`."""
    holding = [room for room in rooms if f"{name}/".startswith(f"{room}/")]
    return max(holding, key=len, default=None)


def drawing() -> str:
    """`MAY_IMPORT` as text: a line for each room."""
    width = max(map(len, MAY_IMPORT)) + 2
    wrapper = TextWrapper(100, initial_indent=" " * 4, subsequent_indent=" " * (width + 7))
    lines = []
    for room, others in MAY_IMPORT.items():
        text = f"{room:{width}}-> {', '.join(sorted(others)) or 'nothing'}"
        lines += wrapper.wrap(text) if others else [f"    {text}"]
    return "\n".join(lines)


def with_drawing(document: str) -> str:
    """ARCHITECTURE.md with the rule of today."""
    made = f"{BEGIN}\n\n{drawing()}\n\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: made, document, flags=re.DOTALL)


def modules() -> Iterator[tuple[str, Path]]:
    """Each module but the package's own: its name, such as `web/http/site`, and the file."""
    for path in sorted(GATEWAY.glob("**/*.py")):
        name = path.relative_to(GATEWAY).with_suffix("").as_posix().removesuffix("/__init__")
        if name != "__init__":
            yield name, path


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, typing-only ones included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            if node.module == "gateway":
                yield from (f"gateway.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


class ImportTests(SynchronousTestCase):
    def test_every_module_is_in_a_room(self) -> None:
        self.assertEqual([name for name, _ in modules() if not within(name, MAY_IMPORT)], [])

    def test_every_room_exists_and_is_ruled_by_rooms_that_exist(self) -> None:
        names = {name for name, _ in modules()}
        ruled = set(MAY_IMPORT).union(*MAY_IMPORT.values())
        self.assertEqual({each for each in ruled if each not in names}, set())

    @untraced
    def test_rooms_import_only_what_they_may(self) -> None:
        wrong = []
        for name, path in modules():
            room = within(name, MAY_IMPORT)
            assert room is not None
            for dotted in imports(path):
                other = dotted.removeprefix("gateway.").replace(".", "/")
                if not dotted.startswith("gateway.") or other == "__version__":
                    continue
                if not within(other, {room, *MAY_IMPORT[room]}):
                    wrong.append(f"{name} imports {dotted}")
        self.assertEqual(wrong, [])

    @untraced
    def test_no_room_may_import_more_than_it_does(self) -> None:
        used: set[tuple[str, str]] = set()
        for name, path in modules():
            room = within(name, MAY_IMPORT)
            assert room is not None
            others = (each.removeprefix("gateway.").replace(".", "/") for each in imports(path))
            found = (within(other, MAY_IMPORT[room]) for other in others)
            used.update((room, each) for each in found if each is not None)
        allowed = {(room, other) for room, others in MAY_IMPORT.items() for other in others}
        self.assertEqual(allowed - used, set())

    def test_architecture_shows_this_rule(self) -> None:
        text = ARCHITECTURE.read_text(encoding="utf-8")
        self.assertTrue(text == with_drawing(text), "write it anew: python -m tests.test_imports")

    def test_the_protocols_do_no_io(self) -> None:
        wrong = [
            f"{name} imports {dotted}"
            for name, path in modules()
            if within(name, SANS_IO)
            for dotted in imports(path)
            if any(f"{dotted}.".startswith(f"{io}.") for io in DOES_IO)
        ]
        self.assertEqual(wrong, [])

    def test_a_start_loads_nothing_that_is_for_tests(self) -> None:
        script = (
            "import sys, gateway.tap\n"
            "print(*(n for n in sys.modules if '.trial' in n or n.endswith('.testing')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=GATEWAY.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        self.assertEqual(done.stdout.split(), [])


if __name__ == "__main__":
    ARCHITECTURE.write_text(with_drawing(ARCHITECTURE.read_text("utf-8")), "utf-8")
