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


def counts(verdict: str) -> Counter[str]:
    """How many tests passed, failed and were skipped, by trial's last line."""
    match = VERDICT.match(verdict)
    found: Counter[str] = Counter()
    for item in ((match and match["counts"]) or "").split(", "):
        name, _, number = item.partition("=")
        if name in MEANING:
            found[MEANING[name]] += int(number)
    return found


def trial() -> Counter[str]:
    """Run the suite; how many tests passed, failed and were skipped."""
    command = coverage_command("run", "-m", "twisted.trial", f"-j{JOBS}", "tests")
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
    )
    assert process.stdout is not None
    verdict = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        verdict = line.rstrip() if VERDICT.match(line.rstrip()) else verdict
    found = counts(verdict)
    if process.wait() and not found["failed"]:  # it broke off
        found["failed"] += 1
    return found


def coverage() -> bool:
    """Whether enough is covered; prints what is not."""
    subprocess.run(coverage_command("combine", "-q"), cwd=ROOT, check=False)
    return subprocess.run(coverage_command("report"), cwd=ROOT, check=False).returncode == 0


def coverage_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "coverage", *arguments]


def main() -> int:
    subprocess.run(coverage_command("erase"), cwd=ROOT, check=True)
    found = trial()
    found["passed" if coverage() else "failed"] += 1
    print(f"{found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
