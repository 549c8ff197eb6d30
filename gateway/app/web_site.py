"""Makes the site of the gateway: its routes and `/socket.io/`, behind the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.web.http.site import Mount, make_site
from gateway.web.routes.client_bundle import bundle_routes
from gateway.web.routes.engine import EngineResource
from gateway.web.routes.page import page_routes
from gateway.web.routes.route_table import metrics_route, rest_routes
from gateway.web.routes.router import mounts

if TYPE_CHECKING:
    from gateway.app.access_parts import AccessParts
    from gateway.app.collectors import Registry
    from gateway.engineio.server import Server as EngineServer
    from gateway.web.http.site import Site
    from gateway.web.routes.rest import RestHandlers
    from gateway.web.websocket.upgrade import Upgrader


def make_gateway_site(
    reactor: Any,
    access: AccessParts,
    *,
    rest: RestHandlers,
    registry: Registry,
    engine: EngineServer,
    upgrader: Upgrader,
    more_paths: tuple[str, ...] = (),
    client_bundle: bytes | None = None,
) -> Site:
    """The factory of all connections.

    `registry` is what `/metrics` shows; `more_paths` are further paths of Engine.IO;
    `client_bundle` is what browsers get at `socket.io.js` below each of them.
    """
    bundles = bundle_routes((engine.settings.path, *more_paths), client_bundle)
    routes = [*rest_routes(rest), *page_routes(), *bundles, metrics_route(registry)]
    resource = EngineResource(
        engine, upgrader, allowance=access.allowance, too_old=access.worker_sessions.too_old
    )
    site = make_site(
        reactor,
        access.guard,
        mounts(routes),
        engine=Mount(
            resource.render, body_limit=engine.settings.max_payload, upgrade=resource.upgrade
        ),
        engine_path=engine.settings.path.encode(),
        more_engine_paths=[path.encode() for path in more_paths],
        wrong_tokens=access.wrong_tokens,
    )
    site.noisy = False
    return site
