"""Everything that must hold, by one command: `python -m tests`.

Runs the suite under trial with coverage, and lint, format and types beside it; ends with one
line that counts: `N passed, N failed, N skipped`.  Each step counts as one test more: those
of `STEPS`, the bound on coverage (pyproject.toml), and that no file was written beside the
sources (`leftovers.py`).  With `--all` the steps of `MORE` follow.
"""

import compileall
import os
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.leftovers import listed, new_or_changed

ROOT = Path(__file__).parents[1]
TABLES = ROOT / ".hypothesis"
"""Where Hypothesis keeps its tables of all characters, and what has failed."""
MAKE_TABLES = "from hypothesis.strategies import text; text().validate()"
"""Under the tracer it takes ten seconds to make them, in each of trial's processes."""
JOBS = min(4, (os.cpu_count() or 1) + 1)
"""One more than there are processors: many tests wait for other processes."""
STEPS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
}
COMPILED = ("benchmarks", "gateway", "tests", "twisted")
"""Folders of ours that hundreds of processes import."""
LAST = "interop"
"""Its gateways and browsers are kept until the tests end, and should not run beside others.

What it tests is in processes of its own, which are not measured: it runs without the tracer.
"""
BROWSER = tuple(
    f"tests.{LAST}.test_{name}"
    for name in (
        "agreement",
        "desk",
        "handshakes",
        "operations",
        "origins",
        "page",
        "rehearsal",
        "states",
    )
)
"""Modules of it with a browser: one process of tests has all of them, so that there is one."""
PAGES = tuple(f"tests.{LAST}.test_{name}" for name in ("agreement", "desk", "operations", "states"))
"""Modules of it that look at the page in all sizes, states and languages."""
WORKERS = tuple(
    f"tests.{LAST}.test_{name}"
    for name in ("commands", "compose_cluster", "one_worker", "rehearsed_faults")
)
"""Modules of it for what documents tell to type, and for workers to whom everything happens."""
MORE = {
    "the page in every state": ("twisted.trial", *PAGES),
    "workers to whom everything happens": ("twisted.trial", *WORKERS),
    "the release": ("tests.release",),
    "the image": ("tests.image",),
    "worker, listening and deployment as on macOS": ("tests.portable",),
    "the compiled core": ("tests.compiled",),
    "the documentation site": ("tests.site",),
    "the example in React": ("tests.front_ends",),
    "a cluster with Valkey": ("tests.valkey",),
    "a cluster in which everything goes wrong": ("tests.chaos", "--seconds=30", "--enough=0.1"),
}
"""Steps that take minutes, when all else is over: each waits for the network or other processes
for a good part of them, so two of them run at once."""
SKIPPED = 77
"""The status with which a step ends that can't be shown on this machine; it says why."""

VERDICT = re.compile(r"^(?:PASSED|FAILED)(?: \((?P<counts>.*)\))?$")
"""Trial's last line, such as `FAILED (skips=1, failures=2, successes=3)`."""
MEANING = {
    "successes": "passed",
    "expectedFailures": "passed",
    "failures": "failed",
    "errors": "failed",
    "unexpectedSuccesses": "failed",
    "skips": "skipped",
}


def counts(verdict: str) -> Counter[str]:
    """How many tests passed, failed and were skipped, by trial's last line."""
    match = VERDICT.match(verdict)
    found: Counter[str] = Counter()
    for item in ((match and match["counts"]) or "").split(", "):
        name, _, number = item.partition("=")
        if name in MEANING:
            found[MEANING[name]] += int(number)
    return found


def parts() -> list[str]:
    """The folders and modules of tests, in the order in which trial runs them."""
    names = [
        each.name
        for each in pkgutil.iter_modules([str(Path(__file__).parent)])
        if each.ispkg or each.name.startswith("test_")
    ]
    return [f"tests.{name}" for name in sorted(names, key=lambda name: (name == LAST, name))]


def compile_sources() -> None:
    """Write Python's bytecode, as an installation has it.

    Where Python may not write it by itself (PYTHONDONTWRITEBYTECODE) each gateway of the tests
    would compile all that it imports: that takes as long as all else of its start.
    """
    others = re.compile(r"node_modules")
    for name in COMPILED:
        compileall.compile_dir(ROOT / name, quiet=1, rx=others)


def last() -> list[str]:
    """The modules of `LAST` that always run."""
    folder = Path(__file__).with_name(LAST)
    names = sorted(f"tests.{LAST}.{path.stem}" for path in folder.glob("test_*.py"))
    return [name for name in names if name not in (*PAGES, *WORKERS)]


def suite() -> Counter[str]:
    """Run the tests; how many passed, failed and were skipped."""
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.fspath(TABLES)
    subprocess.run([sys.executable, "-c", MAKE_TABLES], check=True)
    *measured, _ = parts()
    found = trial(coverage_command("run"), measured)
    names = last()
    browser = [name for name in names if name in BROWSER]
    others = [name for name in names if name not in BROWSER]
    with ThreadPoolExecutor() as pool:
        shown = pool.submit(trial, [sys.executable], browser, jobs=1, aside=True)
        return found + trial([sys.executable], others) + shown.result()


def trial(
    python: list[str], names: Sequence[str], jobs: int = JOBS, *, aside: bool = False
) -> Counter[str]:
    """Run these folders and modules with this command of Python; what came of their tests.

    What trial says of them is printed, if `aside` when they are over.
    """
    command = [*python, "-m", "twisted.trial", f"-j{jobs}", *names]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
    )
    assert process.stdout is not None
    verdict, said = "", []
    for line in process.stdout:
        if aside:
            said.append(line)
        else:
            print(line, end="", flush=True)
        verdict = line.rstrip() if VERDICT.match(line.rstrip()) else verdict
    print("".join(said), end="", flush=True)
    found = counts(verdict)
    if process.wait() and not found["failed"]:  # it broke off
        found["failed"] += 1
    return found


@contextmanager
def beside(steps: dict[str, tuple[str, ...]], found: Counter[str]) -> Iterator[None]:
    """Run modules of Python beside what is in the block; after it, tell and count each."""
    running = {name: started(command) for name, command in steps.items()}
    try:
        yield
    finally:
        for name, process in running.items():
            said, _ = process.communicate()
            conclude(name, process.returncode, said, found)


def started(command: Sequence[str]) -> subprocess.Popen[str]:
    """A module of Python that runs; all that it says can be read together."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def by_twos(steps: dict[str, tuple[str, ...]], found: Counter[str]) -> None:
    """Run modules of Python, two at a time; tell and count each, in their order."""

    def run(command: Sequence[str]) -> tuple[int, str]:
        process = started(command)
        said, _ = process.communicate()
        return process.returncode, said

    with ThreadPoolExecutor(2) as pool:
        for name, outcome in zip(steps, pool.map(run, steps.values()), strict=True):
            conclude(name, *outcome, found)


def conclude(name: str, status: int, said: str, found: Counter[str]) -> None:
    """Count a step, and print its verdict; what it said only where it did not pass."""
    verdict = {0: "passed", SKIPPED: "skipped"}.get(status, "failed")
    found[verdict] += 1
    print(f"{name}: {verdict.upper() if verdict == 'failed' else verdict}", flush=True)
    if verdict != "passed":
        print(said)


def coverage() -> int:
    """0: enough is covered; prints what is not."""
    subprocess.run(coverage_command("combine", "-q"), cwd=ROOT, check=False)
    return subprocess.run(coverage_command("report"), cwd=ROOT, check=False).returncode


def coverage_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "coverage", *arguments]


def main(arguments: Sequence[str]) -> int:
    if arguments not in ([], ["--all"]):
        print("usage: python -m tests [--all]", file=sys.stderr)
        return 2
    subprocess.run(coverage_command("erase"), cwd=ROOT, check=True)
    before = listed(ROOT)
    compile_sources()
    found: Counter[str] = Counter()
    with beside(STEPS, found):
        found += suite()
    left = new_or_changed(before, listed(ROOT))
    conclude("files written beside the sources", int(bool(left)), "\n".join(left), found)
    conclude("coverage", coverage(), "Less is covered than pyproject.toml asks for.", found)
    if arguments:
        print("What else there is takes minutes", flush=True)
        by_twos(MORE, found)
    print(f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
