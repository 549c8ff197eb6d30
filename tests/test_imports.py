"""The import rule of ARCHITECTURE.md, read off the source by `ast`."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

GATEWAY = Path(__file__).parents[1] / "gateway"

ANY = {path.stem for path in GATEWAY.iterdir()} | {"__version__"}

MAY_IMPORT = {
    "app": ANY,
    "doctor": {"web", "worker", "config", "common"},
    "web": {"socketio", "engineio", "__version__"},
    "worker": {"relay", "socketio", "engineio", "common"},
    "relay": {"socketio", "engineio", "common"},
    "socketio": {"engineio"},
    "engineio": set(),
    "metrics": {"web", "relay", "engineio", "common"},
    "alerts": {"relay", "engineio"},
    "logs": {"config"},
    "config": set(),
    "common": set(),
}
"""Package -> what it may import of the gateway, besides its own.

`app` puts the packages together, with the modules beside them: those may import any, and no
package imports them, or `app`.
"""

SANS_IO = {"socketio", "engineio"}
DOES_IO = {
    "asyncio", "autobahn", "http", "klein", "multiprocessing", "os", "selectors", "signal",
    "socket", "subprocess", "threading", "time", "treq", "twisted", "urllib.request",
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    """Each module of a package: the package's name, and the file."""
    for path in sorted(GATEWAY.glob("*/**/*.py")):
        yield path.relative_to(GATEWAY).parts[0], path


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
    def test_every_package_is_in_the_rule(self) -> None:
        self.assertEqual({package for package, _ in modules()}, set(MAY_IMPORT))

    def test_packages_import_only_to_the_right(self) -> None:
        wrong = [
            f"{path.relative_to(GATEWAY)} imports {name}"
            for package, path in modules()
            for name in imports(path)
            if name.startswith("gateway.")
            and name.split(".")[1] not in MAY_IMPORT[package] | {package}
        ]
        self.assertEqual(wrong, [])

    def test_the_protocols_do_no_io(self) -> None:
        wrong = [
            f"{path.relative_to(GATEWAY)} imports {name}"
            for package, path in modules()
            if package in SANS_IO
            for name in imports(path)
            if any(f"{name}.".startswith(f"{io}.") for io in DOES_IO)
        ]
        self.assertEqual(wrong, [])
