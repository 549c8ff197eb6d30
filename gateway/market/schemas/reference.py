"""Writes docs/events.d.ts, docs/events.md and docs/events.zh-TW.md.

`python -m gateway.market.schemas.reference` does; a test fails when that was forgotten.
"""

from __future__ import annotations

from pathlib import Path

from gateway.market.schemas.tables import CHINESE, ENGLISH, document
from gateway.market.schemas.typescript import declarations


def texts() -> dict[str, str]:
    """What is in each file of docs/, by its name."""
    tables = {f"events{each.suffix}.md": document(each) for each in (ENGLISH, CHINESE)}
    return {"events.d.ts": declarations(), **tables}


def main(root: Path) -> None:
    """Write them below `root`."""
    for name, text in texts().items():
        (root / "docs" / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path.cwd())
