"""One log line for every control action: what, who, from where, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from gateway.web.http.request import Request

_log = Logger(namespace="gateway")


def audit(request: Request, outcome: str) -> None:
    """Say what became of a control action; `outcome` holds no secret.

    Of the request only its path is told: a query could hold anything.
    """
    where = request.announced or getattr(request.client, "host", "") or "a UNIX socket"
    _log.info(
        "{what} by {who} from {where}: {outcome}",
        tag="Audit",
        what=f"{request.method.decode('latin-1')} {request.path.decode('latin-1')}",
        who=request.who,
        where=where,
        outcome=outcome,
    )
