"""Makes characters visible that could forge a line of a log, or hide what it says.

Both functions escape the same characters and differ in how they write them.  Only `escape`
keeps tabs: programs indent their output by them.
"""

from __future__ import annotations

_UNSAFE = (
    *range(0x20),  # C0 controls: line ends, escape sequences of terminals
    *range(0x7F, 0xA0),  # delete and the C1 controls
    *(0x2028, 0x2029),  # line and paragraph separators
    *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # direction marks
    *range(0xD800, 0xE000),  # lone surrogates, which have no UTF-8
)
_PYTHON = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSAFE}
del _PYTHON[ord("\t")]
_JSON = {code: f"\\u{code:04x}" for code in _UNSAFE} | {9: r"\t", 10: r"\n", 13: r"\r"}


def escape(text: str) -> str:
    r"""`text` with escapes as Python writes them, such as `\x1b`; tabs stay."""
    return text.translate(_PYTHON)


def escape_line(text: str) -> str:
    r"""`text` as one line, with escapes as JSON writes them, such as `\u001b` and `\t`.

    A text that is JSON stays valid, and means the same.
    """
    return text.translate(_JSON)
