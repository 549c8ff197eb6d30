"""Finds the commands in all documents.

English is enough: `tests.test_documents` compares the commands of both languages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
    if not page.name.endswith(".zh-TW.md") and page.name not in {"ARCHITECTURE.md", "CHANGELOG.md"}
)
"""All but the two that tell what is and what was, not what to do."""
BLOCK: Final = re.compile(r"^ *```(?:sh|powershell)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
FENCED: Final = re.compile(r"```.*?```", re.DOTALL)
QUOTED: Final = re.compile(r"`([^`]+)`")
PROGRAMS: Final = (
    r"\.venv/bin/\S+|apt|apt-get|chown|curl|docker|git|journalctl|kill|nginx|npm|npx|pip|python3?"
    r"|systemctl|timedatectl|twistd?|wsl"
)
"""What is quoted in a sentence is a command where it begins with one of these and goes on."""
IN_A_SENTENCE: Final = re.compile(rf"(?:sudo |[A-Z_]+=\S+ )*(?:{PROGRAMS}) \S.*")


def commands(page: Path) -> Iterator[str]:
    """Each command that `page` tells to type, in one line, without the comment at its end."""
    text = page.read_text("utf-8")
    for block in BLOCK.findall(text):
        joined = re.sub(r"\\\n\s*|(?<=\|)\n\s*", "", block)
        joined = joined.replace("|jq", "| jq")
        yield from (re.sub(r"\s{2,}#.*", "", line).strip() for line in joined.splitlines() if line)
    for quoted in QUOTED.findall(FENCED.sub("", text)):
        if IN_A_SENTENCE.fullmatch(line := " ".join(quoted.split())):
            yield line
