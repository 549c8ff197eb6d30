"""What the gateway can be told, as one table.

- `chinese`: what each option does in Traditional Chinese, for docs/options.zh-TW.md; by field.
- `groups`: the groups in which `--help` and docs/options.md show the options.
- `load`: from the command line and the environment to `Settings`.
- `option`: from an option's text to its value; ValueError says what was expected.
- `reference`: docs/options.md, docs/options.zh-TW.md, and the READMEs' table, made of the table
  of options.
- `table`: the one table of options.
"""

from gateway.options.groups import grouped
from gateway.options.load import load, options
from gateway.options.option import Option
from gateway.options.table import Settings

__all__ = ["Option", "Settings", "grouped", "load", "options"]
