"""The one table of options; command line, variables, `--help` and documents follow from it.

- `table`: the options: a field of `Settings` each.
- `option`: how an option is declared, and converters from text to value.
- `groups`: the groups of options, and the ten that the READMEs show.
- `load`: makes `Settings` of the command line and the environment.
- `chinese`: the help texts in Traditional Chinese.
- `reference`: writes docs/options.md, docs/options.zh-TW.md, and the READMEs' table.

`gateway.app` and `gateway.ops` import it.  It imports only `gateway.market.events` and
`gateway.replay.wishes`.
"""

from gateway.options.groups import grouped
from gateway.options.load import load, options
from gateway.options.option import Option
from gateway.options.table import Settings

__all__ = ["Option", "Settings", "grouped", "load", "options"]
