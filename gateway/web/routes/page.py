"""The operator's page at `/`: the files of `web/static`, and the policy for browsers."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING

from gateway.web.routes.route_table import Route
from gateway.web.security.guard import Access

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from gateway.web.http.request import Request

TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
"""By the suffix of a file; files with other suffixes are not served."""

# Nothing inline, nothing from elsewhere, nothing that turns text into code, in nobody's frame.
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)
COMMON_LINES = (
    b"Cache-Control: no-cache\r\n"  # may be kept, but is asked for again: an update shows
    b"Content-Security-Policy: %s\r\n"
    b"Cross-Origin-Opener-Policy: same-origin\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"X-Frame-Options: DENY\r\n"
) % POLICY


def page_routes() -> list[Route]:
    """A row for `/`, and one for each file at `/static/`; all are open, and hold no data."""
    routes = []
    for path, file in _files("/static", files("gateway.web") / "static"):
        kind = TYPES.get(PurePath(file.name).suffix)
        if kind is not None:
            where = "/" if path == "/static/index.html" else path
            answer = StaticFile(file.read_bytes(), kind).render
            routes.append(Route("GET", where, answer, Access.OPEN, is_leaf=True))
    return routes


def _files(path: str, folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    """All files of `folder` and the folders in it, each with its path."""
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(f"{path}/{each.name}", each)
        else:
            yield f"{path}/{each.name}", each


class StaticFile:
    """A file in memory; answers 304 to a client that has it (RFC 9110, section 13.1.2)."""

    def __init__(self, content: bytes, kind: bytes) -> None:
        self._content = content
        self._tag = b'"%s"' % sha256(content).hexdigest()[:32].encode()
        self._lines = b"Content-Type: %s\r\nETag: %s\r\n%s" % (kind, self._tag, COMMON_LINES)

    def render(self, request: Request) -> bytes:
        """The file, or nothing with 304."""
        request.header_lines += self._lines
        if self._tag in _tags(request.getHeader(b"If-None-Match")):
            request.setResponseCode(HTTPStatus.NOT_MODIFIED)
            return b""
        return self._content


def _tags(header: bytes | None) -> list[bytes]:
    """The entity tags of `header`; weak ones too: a proxy that compresses makes ours weak."""
    return [tag.strip().removeprefix(b"W/") for tag in (header or b"").split(b",")]
