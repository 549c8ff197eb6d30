"""The way of one restart request, from the supervisor to the guardian."""

from __future__ import annotations

import errno
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from ..simulated import Child, Simulation

if TYPE_CHECKING:
    from types import FrameType

HOPS = 15
"""From the handler of the REST route to the signal at the worker."""
AROUND = 4
"""Of them: two in the handler, the guardian that reads `stop`, and its signal."""


class WalkTests(SynchronousTestCase):
    def test_it_is_short_and_calls_nobody_back(self) -> None:
        world = Simulation(self, errno.EIO)
        world.supervisor.start()
        world.advance(4)
        frames: list[FrameType] = []

        def written(child: Child, fd: int, data: bytes) -> None:
            frame = sys._getframe(1)
            while frame is not None:
                if "/gateway/" in frame.f_code.co_filename:
                    frames.append(frame)
                frame = frame.f_back

        self.patch(Child, "writeToChild", written)
        world.ask(world.supervisor.restart())
        names = [frame.f_code.co_qualname for frame in reversed(frames)]
        self.assertEqual((names[0], names[-1]), ("Supervisor.restart", "GuardedProcess._say"))
        self.assertLessEqual(len(names), HOPS - AROUND, names)
        objects = [id(me) for frame in frames if (me := frame.f_locals.get("self")) is not None]
        visits = [each for each, _ in groupby(objects)]
        self.assertEqual(len(visits), len(set(visits)), names)
