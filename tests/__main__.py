"""Everything that must hold, by one command: `python -m tests`.

Runs the suite under trial with coverage, and ends with one line that counts:
`N passed, N failed, N skipped`.  The bound on coverage (pyproject.toml) counts as one
test more.  Lint and types are tests themselves: `tests/test_quality.py`.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
JOBS = min(4, os.cpu_count() or 1)

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


def trial() -> Counter[str]:
    """Run the suite; how many tests passed, failed and were skipped."""
    command = ("run", "-m", "twisted.trial", f"-j{JOBS}", "tests")
    process = subprocess.Popen(
        coverage_command(*command), cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    verdict = None
    for line in process.stdout:
        print(line, end="", flush=True)
        verdict = VERDICT.match(line.rstrip()) or verdict
    status = process.wait()
    counts: Counter[str] = Counter()
    numbers = verdict["counts"] if verdict else None
    for item in (numbers or "").split(", "):
        name, _, number = item.partition("=")
        if name in MEANING:
            counts[MEANING[name]] += int(number)
    if status and not counts["failed"]:  # it broke off
        counts["failed"] += 1
    return counts


def coverage() -> bool:
    """Whether enough is covered; prints what is not."""
    subprocess.run(coverage_command("combine", "-q"), cwd=ROOT, check=False)
    return subprocess.run(coverage_command("report"), cwd=ROOT, check=False).returncode == 0


def coverage_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "coverage", *arguments]


def main() -> int:
    subprocess.run(coverage_command("erase"), cwd=ROOT, check=True)
    counts = trial()
    counts["passed" if coverage() else "failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
