"""Which build runs: pure Python, or with a core that mypyc has compiled."""

from __future__ import annotations

from gateway import __version__
from gateway.relay import hub


def build() -> str:
    """`compiled` or `pure Python`."""
    return "pure Python" if str(hub.__file__).endswith(".py") else "compiled"


def version() -> str:
    """The version and the build, for people."""
    return f"sjgateway {__version__}, {build()}"
