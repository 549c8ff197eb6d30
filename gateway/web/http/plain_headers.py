"""The headers of a request that was read in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.web.http_headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class PlainHeaders(Headers):
    """Headers of lines that are known to be well formed; they are read, and never changed.

    Twisted's own looks at each name and value again, which costs twice as much.
    """

    __slots__ = ("_values",)

    def __init__(self, lines: Iterable[bytes]) -> None:
        """`lines`: each is a name, a colon and a value."""
        self._values: dict[bytes, list[bytes]] = {}  # by names in lower case
        for line in lines:
            name, _, value = line.partition(b":")
            self._values.setdefault(name.lower(), []).append(value.strip(b" \t"))

    def getRawHeaders(self, name: str | bytes, default: Any = None) -> Any:
        if isinstance(name, bytes):
            return self._values.get(name.lower(), default)
        values = self._values.get(name.lower().encode("latin-1"))
        return default if values is None else [value.decode() for value in values]

    def hasHeader(self, name: str | bytes) -> bool:
        return self.getRawHeaders(name) is not None

    def getAllRawHeaders(self) -> Iterator[tuple[bytes, Sequence[bytes]]]:
        """The names are in lower case."""
        return iter(self._values.items())
