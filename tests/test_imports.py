"""The import rule of ARCHITECTURE.md, read off the source by `ast`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

GATEWAY = Path(__file__).parents[1] / "gateway"

LAYERS = {"web", "worker", "relay", "socketio", "engineio"}
MAY_IMPORT = {
    "tap": LAYERS | {"admission", "layers", "logs", "options", "overseer", "service", "config"},
    "layers": LAYERS | {"config"},
    "admission": {"web", "socketio", "engineio"},
    "overseer": {"relay", "socketio", "engineio"},
    "service": set(),
    "options": {"config", "__version__"},
    "logs": {"config"},
    "config": set(),
    "web": {"socketio", "engineio", "__version__"},
    "worker": {"relay", "socketio", "engineio"},
    "relay": {"socketio", "engineio"},
    "socketio": {"engineio"},
    "engineio": set(),
}
"""Room -> the rooms it may import from, besides its own."""

SANS_IO = {"socketio", "engineio"}
DOES_IO = {
    "asyncio", "autobahn", "http", "klein", "multiprocessing", "os", "selectors", "signal",
    "socket", "subprocess", "threading", "time", "treq", "twisted", "urllib.request",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    """The room of each module, and its file."""
    for path in sorted(GATEWAY.rglob("*.py")):
        room = path.relative_to(GATEWAY).parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, path


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
    def test_every_room_is_in_the_rule(self) -> None:
        self.assertEqual({room for room, _ in modules()} - set(MAY_IMPORT), set())

    def test_rooms_import_only_to_the_right(self) -> None:
        wrong = [
            f"{path.relative_to(GATEWAY)} imports {name}"
            for room, path in modules()
            for name in imports(path)
            if name.startswith("gateway.") and name.split(".")[1] not in MAY_IMPORT[room] | {room}
        ]
        self.assertEqual(wrong, [])

    def test_the_protocols_do_no_io(self) -> None:
        wrong = [
            f"{path.relative_to(GATEWAY)} imports {name}"
            for room, path in modules()
            if room in SANS_IO
            for name in imports(path)
            if any(f"{name}.".startswith(f"{io}.") for io in DOES_IO)
        ]
        self.assertEqual(wrong, [])
