"""docs/options.md, docs/options.zh-TW.md, and the READMEs' table, made of the table of options.

`python -m gateway.options.reference` writes them; a test fails when that was forgotten.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.options.chinese import TEXTS
from gateway.options.groups import ESSENTIAL, grouped
from gateway.options.load import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.options.option import Option

BEGIN, END = "<!-- options -->", "<!-- end of options -->"
"""Around the table in a README; what is between them is made here."""


class Language(NamedTuple):
    """What a document has in one language besides the options themselves."""

    suffix: str
    head: str
    columns: str
    comma: str
    is_chinese: bool = False

    def text(self, option: Option) -> str:
        """What `option` does, for a cell of a table."""
        text = TEXTS[option.key] if self.is_chinese else option.help
        return text.replace("|", "\\|").replace("*", "\\*")


ENGLISH = Language(
    "",
    """# Options

[繁體中文](options.zh-TW.md)

Options stand after `sjgateway` on the command line. Each can also be given by an environment
variable; the command line wins, and an empty variable counts as none. An option without a name
here is secret and is read from its variable only, since everybody on a machine can see command
lines. `twistd sjgateway --help` prints the same groups.

Times are in seconds, fractions allowed. Sizes are in bytes; `K`, `M` and `G` at the end mean
1024, 1024² and 1024³. A flag takes no value on the command line, and `1` or `0` in a variable.
In a variable, several values are separated by commas or spaces; endpoints, cron expressions and
hours by semicolons.

Two more options start nothing: `--check` looks at everything a start needs and says what to do,
`--version` prints the version.
""",
    "| Option | Variable | Default | Meaning |",
    ", ",
)
CHINESE = Language(
    ".zh-TW",
    """# 選項

[English](options.md)

選項寫在命令列的 `sjgateway` 之後，也都可以用環境變數指定；兩者都有時以命令列為準，空的變數視為
沒有設定。這裡沒有名稱的選項是機密，只從環境變數讀取，因為同一台電腦上的人都看得到命令列。
`twistd sjgateway --help` 會依同樣的分組列出。

時間的單位是秒，可以有小數。大小的單位是位元組；結尾的 `K`、`M`、`G` 表示 1024、1024²、1024³。
旗標在命令列不帶值，在環境變數用 `1` 或 `0`。在環境變數中，多個值以逗號或空白分隔；endpoint、cron
運算式與時段以分號分隔。

另有兩個選項不會啟動任何東西：`--check` 檢查啟動所需的一切並說明處理方式，`--version` 印出版本。
""",
    "| 選項 | 環境變數 | 預設值 | 說明 |",
    "、",
    is_chinese=True,
)


def document(language: Language) -> str:
    """The text of docs/options.md in `language`."""
    parts = [language.head]
    for group, members in grouped():
        title = group.chinese if language.is_chinese else group.title
        parts.append(f"## {title}\n\n{table(members, language)}")
    return "\n".join(parts)


def essentials(language: Language) -> str:
    """The table of a README: the ten options that matter most."""
    known = {each.name: each for each in options()}
    return table((known[name] for name in ESSENTIAL), language)


def table(members: Iterable[Option], language: Language) -> str:
    """A table in Markdown, with a row for each option."""
    return "\n".join((language.columns, "|---|---|---|---|", *_rows(members, language), ""))


def with_table(readme: str, language: Language) -> str:
    """`readme` with the table of options written anew between its marks."""
    made = f"{BEGIN}\n{essentials(language)}{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: made, readme, flags=re.DOTALL)


def _rows(members: Iterable[Option], language: Language) -> Iterator[str]:
    for each in members:
        name = "—" if each.secret else f"`--{each.name}`"
        variables = language.comma.join(f"`{variable}`" for variable in each.variables)
        default = f"`{each.default}`" if each.default else ""
        yield f"| {name} | {variables} | {default} | {language.text(each)} |"


def main(root: Path) -> None:
    """Write the documents below `root`."""
    for language in (ENGLISH, CHINESE):
        (root / "docs" / f"options{language.suffix}.md").write_text(document(language), "utf-8")
        readme = root / f"README{language.suffix}.md"
        readme.write_text(with_table(readme.read_text("utf-8"), language), "utf-8")


if __name__ == "__main__":
    main(Path.cwd())
