"""The paths in ARCHITECTURE.md: of one event, compared with a run; of one restart request."""

import ast
import re
import sys
from itertools import groupby
from pathlib import Path
from types import FrameType

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.log import Log
from tests.fuzz.whole import Whole
from tests.web.peer import REQUEST, frame
from tests.web.wire import Kernel

ROOT = Path(__file__).parents[1]
GATEWAY = ROOT / "gateway"
ROW = re.compile(r"^\| \d+ \| `([\w/.]+)` \| `([\w.]+)` \|", re.MULTILINE)
OF_EVENT, OF_RESTART = 13, 15
"""Hops that are allowed."""


def path(title: str) -> list[tuple[str, str]]:
    """The hops below a title of ARCHITECTURE.md: file and function."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return ROW.findall(text.partition(f"## {title}\n")[2].partition("\n## ")[0])


def stack() -> list[FrameType]:
    """The frames of the gateway's own code that led here, outermost first."""
    frames, each = [], sys._getframe(2)
    while each is not None:
        if each.f_code.co_filename.startswith(f"{GATEWAY}/"):
            frames.append(each)
        each = each.f_back
    return frames[::-1]


def hops(frames: list[FrameType]) -> list[tuple[str, str]]:
    """The first function of each object that is called from another one."""
    groups = (list(group) for _, group in groupby(frames, lambda each: id(each.f_locals["self"])))
    first = [group[0].f_code for group in groups]
    return [(str(Path(c.co_filename).relative_to(GATEWAY)), c.co_qualname) for c in first]


class PathTests(SynchronousTestCase):
    def test_the_path_of_an_event_is_as_written(self) -> None:
        walked: list[tuple[str, str]] = []
        extend, send = Log.extend, Kernel.send

        def extended(log: Log, events: object) -> None:
            walked.extend(hops(stack()))
            walked.append(("relay/log.py", "Log.extend"))
            extend(log, events)  # type: ignore[arg-type]

        def sent(kernel: Kernel, data: bytes) -> int:
            walked.extend(hops(stack()))
            return send(kernel, data)

        self.patch(Log, "extend", extended)
        self.patch(Kernel, "send", sent)
        world = Whole()
        sender = world.connect()
        for part in (REQUEST, frame(b"40")):
            sender.protocol.dataReceived(part)
        world.turn()
        walked.clear()
        sender.protocol.dataReceived(frame(b'42["tick",{"code":"A"}]'))
        world.turn()
        written = path("The path of one event")
        self.assertLessEqual(len(written), OF_EVENT)
        within = {("relay/hub.py", "Hub.enter"), ("engineio/forms.py", "WebSocket.encode")}
        self.assertEqual(walked, [each for each in written if each not in within])

    def test_what_an_event_passes_can_be_compiled(self) -> None:
        """But for a session, which others refer to weakly, and modules with a `Protocol`."""
        listed = re.findall(
            r'^    "(gateway/.+\.py)",$', (ROOT / "setup.py").read_text(), re.MULTILINE
        )
        self.assertEqual([each for each in listed if not (ROOT / each).is_file()], [])
        files = {f"gateway/{file}" for file, _ in path("The path of one event")}
        left = {
            f"gateway/{each}.py"
            for each in ("engineio/session", "engineio/websocket", "common/attempt")
        }
        self.assertEqual(files - set(listed), left)

    def test_each_function_on_the_paths_exists(self) -> None:
        restart = path("The path of one restart request")
        self.assertTrue(9 < len(restart) <= OF_RESTART)
        for file, name in (*path("The path of one event"), *restart):
            source = ast.parse((GATEWAY / file).read_text(encoding="utf-8"))
            owner, _, function = name.partition(".")
            classes = [each for each in source.body if isinstance(each, ast.ClassDef)]
            found = [each for own in classes if own.name == owner for each in own.body]
            names = {each.name for each in found if isinstance(each, ast.FunctionDef)}
            self.assertIn(function, names, f"{name} in {file}")
