"""A gateway whose calls are counted: what `benchmarks.revisions --calls` runs in each checkout.

`python counting.py FILE sjgateway OPTIONS` counts from the signal `BEGIN` on, and at `END` writes
to FILE how often each function was called, as JSON.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

BEGIN, END = signal.SIGRTMIN + 3, signal.SIGRTMIN + 4


class Counting:
    """How often each function was called, by its name: of Python, and of C."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._calls: Counter[str] = Counter()
        signal.signal(BEGIN, lambda _, __: self._begin())
        signal.signal(END, lambda _, __: self._write())

    def _begin(self) -> None:
        self._calls.clear()
        sys.setprofile(self._count)

    def _count(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "call":
            code = frame.f_code
            self._calls[f"python {code.co_qualname} {Path(code.co_filename).name}"] += 1
        elif event == "c_call":
            self._calls[f"c {function.__qualname__}"] += 1

    def _write(self) -> None:
        sys.setprofile(None)
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._calls))
        part.replace(self._file)


if __name__ == "__main__":
    Counting(Path(sys.argv[1]))
    sys.path[0] = str(Path.cwd())
    sys.argv[:2] = ["twisted"]
    runpy.run_module("twisted", run_name="__main__", alter_sys=True)
