"""Builds the example of a front end as its reader would: `python -m tests.front_ends`.

npm brings what `examples/react` needs; `npm run build` checks its types and makes its page.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.interop.node import require_node

ROOT = Path(__file__).parents[1]
INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent")


def main() -> int:
    require_node()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        left = shutil.ignore_patterns("node_modules", "dist")
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=left)
        (folder / "docs").mkdir()
        shutil.copy(ROOT / "docs" / "events.d.ts", folder / "docs")
        project = folder / "examples" / "react"
        for command in (INSTALL, ("npm", "run", "build")):
            if subprocess.run(command, cwd=project, check=False).returncode:
                return 1
        page = (project / "dist" / "index.html").read_text("utf-8")
        scripts = list((project / "dist" / "assets").glob("*.js"))
        print(f"{len(page)} bytes of index.html, {len(scripts)} script")
        return 0 if scripts and scripts[0].name in page else 1


if __name__ == "__main__":
    sys.exit(main())
