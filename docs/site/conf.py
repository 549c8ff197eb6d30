"""How Sphinx makes the site of the documents; `python -m tests.site` lays out what it reads."""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from gateway import __version__

project = "sjgateway"
author = "the authors of sjgateway"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["examples/**", "deploy/**"]
myst_heading_anchors = 4
suppress_warnings = [
    "ref.python",  # both libraries have a `Packet`, a `Server` and `Settings`
    "misc.highlighting_failure",  # DuckDB's SQL has operators of its own
]
default_role = "literal"  # docstrings quote names as Markdown does

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"

html_theme = "furo"
html_title = f"sjgateway {__version__}"
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """`wire` is the language of the examples in protocol.md."""
    app.add_lexer("wire", TextLexer)
