"""The browsers' library at `socket.io.js` below Engine.IO's path, where many pages look for it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.web.routes.page import TYPES, StaticFile
from gateway.web.routes.route_table import Route
from gateway.web.security.guard import Access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.web.http.request import Request

NAME = "socket.io.js"
MISSING = "There is no client's library here"
CURE = (
    "Name a file by --client-bundle, such as node_modules/socket.io-client/dist/socket.io.min.js,"
    " or bundle socket.io-client with the page."
)


def bundle_routes(paths: Iterable[str], bundle: bytes | None) -> list[Route]:
    """A row below each of `paths`, which end with a slash; open: it holds no data."""
    answer = _missing if bundle is None else StaticFile(bundle, TYPES[".js"]).render
    return [Route("GET", f"{path}{NAME}", answer, Access.OPEN, is_leaf=True) for path in paths]


def _missing(request: Request) -> bytes:
    return request.problem(HTTPStatus.NOT_FOUND, MISSING, CURE)
