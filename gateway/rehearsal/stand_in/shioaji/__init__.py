"""Stands for the broker's library in a rehearsal: the version that SJGATEWAY_SHIOAJI names."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

_VERSION = "1_2" if os.environ.get("SJGATEWAY_SHIOAJI", "1.7").startswith("1.2") else "1_7"
_face = importlib.import_module(f"rehearsed.face_{_VERSION}")
globals().update({name: value for name, value in vars(_face).items() if name[:1].isalpha()})
__version__ = _face.__version__

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def _names(module: str) -> dict[str, Any]:
    """What the module `module` of the library has."""
    found: dict[str, Any] = _face.MODULES[module]
    return found


for _name in ("constant", "error", "order", "contracts", "stream_data_type"):
    importlib.import_module(f"shioaji.{_name}")
