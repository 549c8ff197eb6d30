"""How large and how many the messages of a connection may be.

Strangers have one limit, the worker another.  Who the peer is, is asked only when it
goes over the first: asking costs more than most connections ever will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gateway.web.limits import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.session import Session


@attrs.frozen(kw_only=True)
class Allowance:
    """Sizes in bytes, rates in messages a second.

    `is_worker(session)` knows who is behind an Engine.IO session.
    """

    max_payload: int
    worker_payload: int = 0
    """Where it is more than `max_payload`, the worker may send messages of this size."""
    rate: float = 0
    """In the long run; 0: any.  The worker's is not limited."""
    burst: float = 0
    """At once."""
    is_worker: Callable[[Session], bool] | None = None

    def bucket(self, clock: Callable[[], float]) -> TokenBucket | None:
        """What a new connection may send from now on; None: without limit."""
        return TokenBucket(self.rate, self.burst, clock) if self.rate else None

    def limit(self, session: Session | None) -> int:
        """Bytes of the largest message that this peer may send."""
        if self.worker_payload > self.max_payload and self.exempts(session):
            return self.worker_payload
        return self.max_payload

    def exempts(self, session: Session | None) -> bool:
        """Whether this peer is the worker."""
        return session is not None and self.is_worker is not None and self.is_worker(session)
