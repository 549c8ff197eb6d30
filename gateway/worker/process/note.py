"""What the next gateway is to know of a worker: the guardian keeps it, and hands it on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Note:
    """All times are in seconds after the worker's start, so that no clock must be compared."""

    generation: int
    own_keys: bool = False
    """Its keys were posted, or from the gateway's file; else from the environment."""
    settled: float | None = None
    """When it counted as started; None: it did not yet."""
    counted: bool = False
    """Its start is in the ledger's file."""
    tenure: Mapping[str, Any] = {}
    """`Tenure.told`."""
    vitals: Mapping[str, Any] = {}
    """`Vitals.facts`."""

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Note:
        """What `told` says.  Raises ValueError for what makes no sense."""
        match told:
            case {
                "generation": int(generation),
                "own_keys": bool(own_keys),
                "settled": float() | int() | None as settled,
                "vitals": dict(vitals),
            }:
                return cls(
                    generation=generation,
                    own_keys=own_keys,
                    settled=settled,
                    counted=told.get("counted", True) is not False,  # not told before it was
                    tenure=told.get("tenure") or {},
                    vitals=vitals,
                )
        raise ValueError("what was noted of the worker makes no sense")
