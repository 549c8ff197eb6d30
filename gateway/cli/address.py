"""The URL of a gateway."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import attrs

PATH = "/socket.io/"
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@attrs.frozen
class Address:
    """Where a gateway is; `path` is that of Socket.IO."""

    host: str
    port: int
    is_tls: bool
    path: str = PATH

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address in a URL such as `http://127.0.0.1:3001`; a path in it replaces `PATH`.

        Raises ValueError with a text for the user, which shows no password or token in it.
        """
        if "@" in text:
            raise ValueError("the URL has a password in it: a token is given by --token-file")
        if "?" in text or "#" in text:
            raise ValueError("the URL can't have a ? or #: a token is given by --token-file")
        try:
            url = urlsplit(text)
            scheme, host, port = url.scheme.lower(), url.hostname or "", url.port
        except ValueError:
            scheme = host = ""
        if scheme not in PORTS or not host or not re.fullmatch(r"[\x21-\x7e]+", text):
            raise ValueError(f"{text!r} is not a URL such as http://127.0.0.1:3001")
        path = f"{url.path.rstrip('/')}/" if url.path.strip("/") else PATH
        return cls(host, port or PORTS[scheme], scheme in ("https", "wss"), path)

    @property
    def websocket(self) -> str:
        """The URL of a WebSocket that opens an Engine.IO session."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "wss" if self.is_tls else "ws"
        return f"{scheme}://{host}:{self.port}{self.path}?EIO=4&transport=websocket"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = "" if self.path == PATH else self.path
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}{path}"
