"""What the gateway that has the worker leaves to the one that has it next, on another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway.common.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.ledger import Ledger
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.takeover import Takeover


class Estate:
    """The ledger, the keys that were posted, and whether a person stopped the worker."""

    def __init__(
        self,
        ledger: Ledger,
        limits: BrokerLimits,
        keys: CredentialStore,
        takeover: Takeover,
        lifecycle: Callable[[], Lifecycle],
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._keys = keys
        self._takeover = takeover
        self._lifecycle = lifecycle

    def told(self) -> bytes:
        """All of it.  It holds secrets; equal ones are equal bytes."""
        return msgspec.json.encode(
            {
                "ledger": self._ledger.told(),
                "keys": self._keys.current,
                "stopped": self._takeover.is_stopped,
            },
            order="sorted",
        )

    def learn(self, told: bytes) -> None:
        """Go on with what another gateway `told`.  Of nonsense nothing is believed, and logged."""
        attempt("Reading what the gateway knew that had the worker", lambda: self._learn(told))

    def _learn(self, told: bytes) -> None:
        estate: dict[str, Any] = msgspec.json.decode(told, type=dict[str, Any])
        self._ledger.learn(estate["ledger"])
        self._limits.begin()
        if estate["keys"] is not None:
            self._keys.inherit(estate["keys"])
        if estate["stopped"] != self._takeover.is_stopped:
            self._takeover.wished(stopped=estate["stopped"])
            if estate["stopped"]:
                self._lifecycle().stop()
            else:
                self._lifecycle().begin()
