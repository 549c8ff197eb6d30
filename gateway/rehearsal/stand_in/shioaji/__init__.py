"""Stands for the broker's library in a rehearsal.

It has the interface of the version that SJGATEWAY_SHIOAJI names, else of the one that is installed,
else of 1.7.

- `constant`: enumerations, for those who import from it; and so on.
- `contracts`: kinds of contracts.
- `error`: exceptions.
- `order`: orders.
- `stream_data_type`: quotes.
"""

from __future__ import annotations

import importlib
import os
from importlib import metadata
from typing import TYPE_CHECKING, Any


def _version() -> str:
    if named := os.environ.get("SJGATEWAY_SHIOAJI"):
        return named
    try:
        return metadata.version("shioaji")
    except metadata.PackageNotFoundError:
        return "1.7"


def _is_old(version: str) -> bool:
    numbers = [int(each) for each in version.split(".")[:2] if each.isdigit()]
    return numbers < [1, 7]


_face = importlib.import_module(f"rehearsed.face_{'1_2' if _is_old(_version()) else '1_7'}")
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
