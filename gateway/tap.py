"""`twistd sjgateway`, and the way into an application of your own.

In a `.tac` file:

    options = Options()
    options.parseOptions(["--port", "3001"])
    makeService(options).setServiceParent(application)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.app.command_line import Options
from gateway.web.http.listen_plan import ListenError

if TYPE_CHECKING:
    from gateway.app.service import Gateway

__all__ = ["Options", "makeService"]


def makeService(options: Options, reactor: Any = None) -> Gateway:
    """The gateway as a service, which opens its ports when it starts.

    `options` were parsed; `reactor` is the installed one by default.  Raises SystemExit with one
    line for the user when the settings make no sense.
    """
    # Only now: the options, which come first, open the ports.
    from gateway.app.assembly import GatewayAssembly  # noqa: PLC0415
    from gateway.web.private import check as check_private_names  # noqa: PLC0415

    if reactor is None:
        from twisted.internet import reactor  # noqa: PLC0415  # twistd chose it just before
    try:
        check_private_names(imported=True)
        made = GatewayAssembly(
            options.settings, reactor, options.parent, options.folder, options.early
        )
        return made.gateway
    except (ValueError, OSError, ListenError) as error:
        raise SystemExit(f"sjgateway: {error}") from None
