"""Who may do what: one judgement, in front of every route.

Any page that the user opens can reach a port on his own machine, so a request must name
us by a name that nobody else can point here (Host), and must not come from a page that
has no business with us (Origin).  What it may do then depends on the route's `Access`,
the token it brings, and whether it comes from this machine.
"""

from __future__ import annotations

import re
from enum import Enum
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.web.security.addresses import (
    Host,
    Origin,
    names_this_machine,
    parse_app_origin,
    parse_host,
    parse_origin,
    with_port,
)
from gateway.web.security.proxies import Proxies
from gateway.web.security.tokens import Role, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.web.http_headers import Headers

    from gateway.web.security.guard_settings import GuardSettings
    from gateway.web.security.tokens import Token

_HEADER_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+)*")
_PREFLIGHT = (
    b"Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
    b"Access-Control-Allow-Headers: %s\r\n"
    b"Access-Control-Max-Age: 600\r\n"
)
_CREDENTIALS = b"Access-Control-Allow-Credentials: true\r\n"
_PRIVATE_NETWORK = b"Access-Control-Allow-Private-Network: true\r\n"
"""Lets an allowed page of the internet reach an address of a private network."""

VARY = b"Vary: Origin\r\n"


class Access(Enum):
    """What a route needs: nothing, the role VIEW, or the role CONTROL."""

    OPEN = "open"
    VIEW = "view"
    CONTROL = "control"


_NEEDED = {Access.OPEN: Role.NONE, Access.VIEW: Role.VIEW, Access.CONTROL: Role.CONTROL}


class Verdict(NamedTuple):
    """What `Guard.judge` decided.

    `status`: 0 lets the request pass; any other is the status of the answer, and `reason` says
    what to do.  `lines`: header lines for any answer, each with CRLF.
    `header`: the request was refused for this header, and an option would let it pass; that is
    logged.  `value`: what to list with that option, a host or an origin, and nothing else
    of the header.
    """

    status: int
    reason: str = ""
    lines: bytes = VARY
    header: str = ""
    value: str = ""


_GO_ON = Verdict(0)
_BAD_HOST = Verdict(400, "The Host header is not a host name.")
_FOREIGN_HOST = Verdict(
    403, "This Host is not served here; list it with --allowed-hosts.", header="Host"
)
_FOREIGN_ORIGIN = Verdict(
    403,
    "Pages of this Origin may not talk to the gateway; list it with --allowed-origins.",
    header="Origin",
)
_FOREIGN_SITE = Verdict(
    403,
    "Another site's page may talk to the gateway only with an Origin that is listed with"
    " --allowed-origins.",
    header="Sec-Fetch-Site",
)
TOO_MANY = Verdict(429, "This client has too many connections; see --max-connections-per-address.")
_NO_TOKEN = (401, "This route needs a token that allows it: Authorization: Bearer TOKEN.")
_NOT_LOCAL = (
    403,
    "Without a token this route answers only the gateway's own machine; see --token-file.",
)


class Guard:
    """Judges requests by `GuardSettings`."""

    revision = 0
    """Another number whenever a verdict on the same request may be another one."""
    _exposed = False

    def __init__(self, settings: GuardSettings, wall: Callable[[], float] = time) -> None:
        """`wall`: seconds since 1970."""
        self._settings = settings
        self._wall = wall
        self.proxies = Proxies(settings.trusted_proxies)
        self._tokens: dict[bytes, Token] = {}
        self._guarded = dict.fromkeys(Role, False)
        self.set_tokens(settings.all_tokens)

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach a listener; then Host may be any address."""
        return self._exposed

    @exposed.setter
    def exposed(self, exposed: bool) -> None:
        self.revision += 1
        self._exposed = exposed

    def set_tokens(self, tokens: Sequence[Token]) -> None:
        """Use these tokens from now on.

        What needed a token before still needs one, also when the last token of a role is gone.
        """
        self.revision += 1
        by_role = sorted(tokens, key=lambda token: token.role)  # of two, that which allows more
        self._tokens = {token.digest: token for token in by_role}
        for token in tokens:
            self._guarded[token.role] = True

    def judge(
        self,
        access: Access,
        method: bytes,
        headers: Headers,
        peer: str | None,
        *,
        secure: bool,
        credentials: bool = False,
        acts: bool = False,
    ) -> Verdict:
        """Decide on a request: see `Verdict`; 204 answers a preflight.

        `peer`: the other end's address, None for a UNIX socket.  `secure`: it came by TLS.
        `credentials`: pages may send cookies, which proxies use to keep a session on one
        server.  `acts`: the request has effects even if it is a GET.
        """
        refusal, host = self._judge_host(headers.getRawHeaders(b"Host"))
        if refusal is not None:
            return refusal
        origins = headers.getRawHeaders(b"Origin")
        cors = VARY
        if origins is not None:
            named = self._names_origin(origins, host, secure=secure)
            if not named and not self._takes_any(origins):
                return _FOREIGN_ORIGIN._replace(value=_to_list(origins))
            cors = b"%sAccess-Control-Allow-Origin: %s\r\n" % (VARY, origins[0])
            if named and credentials:
                cors += _CREDENTIALS
        elif (acts or method == b"POST") and _is_cross_site(headers):
            return _FOREIGN_SITE
        if method == b"OPTIONS":
            return _preflight(headers, cors if origins is None else cors + _PRIVATE_NETWORK)
        if access is not Access.OPEN:
            refused = self._judge_role(access, headers, peer)
            if refused is not None:
                return Verdict(*refused, cors)
        return _GO_ON if origins is None else Verdict(0, "", cors)

    def token_role(self, token: str) -> Role:
        """The role of `token`; an empty or wrong one allows what is allowed without a token."""
        known = self.token(token)
        if known is not None:
            return known.role
        return Role.NONE if self._guarded[Role.VIEW] else Role.VIEW

    def token(self, secret: str) -> Token | None:
        """The valid token with this `secret`; None: there is none, or it has expired."""
        token = self._tokens.get(digest(secret)) if secret else None
        return token if token is not None and token.is_valid(self._wall()) else None

    def is_valid(self, token: Token) -> bool:
        """Whether `token` is still valid and has the same role."""
        known = self._tokens.get(token.digest)
        return known is not None and known.role is token.role and known.is_valid(self._wall())

    @property
    def needs_token(self) -> bool:
        """Whether viewing needs a token."""
        return self._guarded[Role.VIEW]

    @property
    def has_tokens(self) -> bool:
        """Whether anything needs a token."""
        return any(self._guarded.values())

    def role(self, token: str, *, local: bool) -> Role:
        """What a caller with `token` may do; `local`: it is on this machine."""
        role = self.token_role(token)
        if role >= Role.VIEW and local and not self._guarded[Role.CONTROL]:
            return Role.CONTROL
        return role

    def who(self, headers: Headers, peer: str | None) -> str:
        """Who asks, for the log: the name of a token, or `this machine`."""
        token = self.token(bearer(headers))
        if token is not None:
            return f"token {token.name}"
        return "this machine" if self.proxies.is_local(headers, peer) else "nobody known"

    def access(self, headers: Headers, peer: str | None) -> dict[str, Any]:
        """Who asks: the `name` of his token, "" without one, and his `role` as a word.

        Who may control also learns of `others`: the name and the role of each other token.
        """
        secret = bearer(headers)
        token = self.token(secret)
        role = self.role(secret, local=self.proxies.is_local(headers, peer))
        told: dict[str, Any] = {"name": token.name if token else "", "role": role.name.lower()}
        if role is Role.CONTROL:
            others = (each for each in self._tokens.values() if each is not token)
            told["others"] = [
                {"name": each.name, "role": each.role.name.lower()}
                for each in others
                if each.is_valid(self._wall())
            ]
        return told

    def is_wrong(self, secret: str) -> bool:
        """Whether `secret` is a wrong token, where tokens are needed."""
        return bool(secret) and self.has_tokens and self.token(secret) is None

    # -- Host and Origin --------------------------------------------------------------

    def _judge_host(self, values: Sequence[bytes] | None) -> tuple[Verdict | None, Host | None]:
        if not values:
            return None, None  # HTTP/1.0: not a browser
        host = parse_host(values[0]) if len(values) == 1 else None
        if host is None:
            return _BAD_HOST, None
        if (
            names_this_machine(values[0])
            or host.name in self._settings.allowed_hosts
            or (self.exposed and host.is_literal)
        ):
            return None, host
        return _FOREIGN_HOST._replace(value=host.name), None

    def _takes_any(self, values: Sequence[bytes]) -> bool:
        """Whether the Origin is allowed by `*` or `null`, which any page can have."""
        allowed = self._settings.allowed_origins
        return len(values) == 1 and ("*" in allowed or (values[0] == b"null" and "null" in allowed))

    def _names_origin(self, values: Sequence[bytes], host: Host | None, *, secure: bool) -> bool:
        """Whether the Origin is a loopback one, a listed one, or the one of the accepted Host."""
        if len(values) != 1:
            return False
        origin = parse_origin(values[0])
        if origin is None:
            return parse_app_origin(values[0]) in self._settings.allowed_origins
        if origin.host.is_loopback or origin in self._settings.allowed_origins:
            return True
        scheme = "https" if secure else "http"
        return host is not None and origin == Origin(scheme, with_port(host, scheme))

    # -- roles ------------------------------------------------------------------------

    def _judge_role(
        self, access: Access, headers: Headers, peer: str | None
    ) -> tuple[int, str] | None:
        role = self.role(bearer(headers), local=self.proxies.is_local(headers, peer))
        if role >= _NEEDED[access]:
            return None
        # Without any role a token for viewing is set and was not brought.
        asks_token = role is Role.NONE or self._guarded[Role.CONTROL]
        return _NO_TOKEN if asks_token else _NOT_LOCAL


def bearer(headers: Headers) -> str:
    """The token of an Authorization header; "" when there is none."""
    values = headers.getRawHeaders(b"Authorization", [])
    scheme, _, token = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
    return token.strip().decode("utf-8", "replace") if scheme.lower() == b"bearer" else ""


def _to_list(origins: Sequence[bytes]) -> str:
    """The origin as `--allowed-origins` takes it; "" for anything else, which may be a secret."""
    if len(origins) != 1:
        return ""
    origin = parse_origin(origins[0])
    if origin is None:
        return "null" if origins[0] == b"null" else parse_app_origin(origins[0]) or ""
    return str(origin)


def _is_cross_site(headers: Headers) -> bool:
    """Whether a browser says that a page of another site sent the request (Fetch Metadata).

    Browsers say so for images and forms too, which may have no Origin.
    """
    values = headers.getRawHeaders(b"Sec-Fetch-Site", ())
    return b"cross-site" in [value.strip().lower() for value in values]


def _preflight(headers: Headers, cors: bytes) -> Verdict:
    wanted = headers.getRawHeaders(b"Access-Control-Request-Headers", [])
    names = wanted[0] if len(wanted) == 1 and _HEADER_NAMES.fullmatch(wanted[0]) else b""
    return Verdict(204, "", cors + _PREFLIGHT % (names or b"Authorization, Content-Type"))
