"""Goes through the checks of a release: `python -m tests.release`.

`--keep FOLDER` leaves both archives there, and `--tag v1.2.3` also asks whether version and
changelog are ready for that tag.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.release.archives import contents, metadata, same_bytes, version
from tests.release.building import Built, Wrong, build
from tests.release.installed import empty_folder, upgrade
from tests.release.newcomer import first_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHECKS: dict[str, Callable[[Built, str | None], str]] = {
    "version": version,
    "contents": contents,
    "same bytes": same_bytes,
    "metadata": metadata,
    "first steps": first_steps,
    "upgrade": upgrade,
    "empty folder": empty_folder,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.release")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to leave the archives")
    parser.add_argument("--tag", help="the tag under which this is to be published")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        try:
            built = build(Path(name))
            for each, check in CHECKS.items():
                print(f"{each}: {check(built, options.tag)}", flush=True)
        except (Wrong, AssertionError) as wrong:
            print(f"{wrong}", file=sys.stderr)
            return 1
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for path in (built.sdist, built.wheel):
                shutil.copy(path, options.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
