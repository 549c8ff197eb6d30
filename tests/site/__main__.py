"""Lays out what Sphinx reads, a folder for each language, and lets it make the pages.

Each warning is a failure.  A folder has the documents of `docs/` in that language under their plain
names, the README as the first page, and what there is in English alone at the root.
`--keep FOLDER` leaves the site there.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.chinese import TEXTS
from tests.site.rest import reference
from tests.web.site import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
AT_THE_ROOT = ("SECURITY", "CHANGELOG", "CONTRIBUTING", "ARCHITECTURE")
"""Documents that are not in `docs/`."""
FOLDERS = ("deploy", "examples")
"""To which documents link; a link to a file of them is a download."""
HAN = "[\u3001-\u303f\u4e00-\u9fff\uff08-\uff1b]"
HAN_LINES = re.compile(f"(?<={HAN})\n(?={HAN})")
"""Ends of lines that no space stands for: Chinese has none between words."""
MADE = ("__pycache__", "dist", "node_modules")


@dataclass(frozen=True)
class Language:
    """One half of the site."""

    code: str
    suffix: str
    other: str
    """The other half."""
    say: Callable[[str], str]
    """A text of the page of REST routes, by the English one."""


ENGLISH = Language("en", "", "zh-TW", str)
CHINESE = Language("zh-TW", ".zh-TW", "en", TEXTS.__getitem__)


def lay_out(language: Language, folder: Path) -> None:
    """Write all that Sphinx reads for this language."""
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.md", "site"))
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*MADE))
    for name in ("main.py", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("conf.py", "api.md"):
        shutil.copy(DOCS / "site" / name, folder)
    for page in DOCS.glob("*.md"):
        plain = page.name.replace(".zh-TW", "")
        if (plain != page.name) == bool(language.suffix):
            write(folder / plain, page.read_text("utf-8"), language)
    for name in AT_THE_ROOT:
        translated = ROOT / f"{name}{language.suffix}.md"
        page = translated if translated.exists() else ROOT / f"{name}.md"
        write(folder / f"{name.lower()}.md", page.read_text("utf-8"), language)
    (folder / "rest-reference.md").write_text(reference(routes(), language.say), "utf-8")
    readme = (ROOT / f"README{language.suffix}.md").read_text("utf-8")
    contents = (DOCS / "site" / f"contents{language.suffix}.md").read_text("utf-8")
    write(folder / "index.md", readme + contents, language)


def write(path: Path, text: str, language: Language) -> None:
    """Write a page whose links lead to the pages of the site."""

    def led(match: re.Match[str]) -> str:
        words, target, chapter = match.groups()
        name = target.removeprefix("../").removeprefix("docs/")
        if words in ("English", "繁體中文"):
            here = "index" if name.startswith("README") else name.removesuffix(".md")
            page = here.removesuffix(".zh-TW").replace("SECURITY", "security")
            return f'<a href="../{language.other}/{page}.html">{words}</a>'
        if name in FOLDERS:
            return words
        name = name.replace(".zh-TW.md", ".md")
        if name == "README.md":
            name = "index.md"
        elif name.removesuffix(".md") in AT_THE_ROOT:
            name = name.lower()
        shown = "" if words.endswith(".md") else words  # then it is the page's title
        return f"[{shown}]({name}{chapter or ''})"

    text = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)", led, text)
    text = HAN_LINES.sub("", text)
    path.write_text(text.replace("](docs/", "]("), "utf-8")


def build(language: Language, out: Path, work: Path) -> bool:
    """Whether Sphinx found nothing to complain of; what it says is printed."""
    source = work / language.code
    lay_out(language, source)
    code = language.code.replace("-", "_")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    language_of_it = ["-D", f"language={code}"]
    folders = ["-d", str(work / f"{code}.trees"), str(source), str(out / language.code)]
    return (
        subprocess.run([*command, *language_of_it, *folders], cwd=ROOT, check=False).returncode == 0
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.site")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to leave the site")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        out = options.keep or work / "out"
        fine = [build(language, out, work) for language in (ENGLISH, CHINESE)]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
