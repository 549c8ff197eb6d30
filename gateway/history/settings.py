"""What the recorder can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from pathlib import Path


@attrs.frozen(kw_only=True)
class RecordSettings:
    """Where events are recorded, whose, and how long that is kept."""

    folder: Path
    days: int = 30
    """Recordings of earlier trading days are removed; 0: none is."""
    max_bytes: int = 10 << 30
    """The oldest recordings are removed beyond this; 0: no bound."""
    everybody: bool = False
    """Record events of everybody, and not of the present worker and the gateway alone."""
