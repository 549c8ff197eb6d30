"""The keys of a client's `auth` that the gateway reads, and how they are misspelt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = ("token", "events", "codes", "trusted", "snapshot", "recover", "pid", "offset")
SHORTEST = 4
"""Keys of fewer letters have no misspellings: `id` and `uid` are not taken for `pid`."""


def misspelt(auth: dict[str, Any]) -> tuple[str, str] | None:
    """The first key that looks like one of `KEYS`, and the right word; None: there is none.

    Only an `auth` that has one of `KEYS` is judged: others belong to the application.
    """
    if OURS.isdisjoint(auth):
        return None
    for key in auth:
        right = _MISSPELT.get(key if len(key) > LONGEST else key.lower())
        if right is not None and key != right and right not in auth:
            return key, right
    return None


def _slips(key: str) -> Iterator[str]:
    """`key` with a letter left out, one too many, or two in the wrong order; not the first."""
    places = range(1, len(key) + 1)
    letters = "abcdefghijklmnopqrstuvwxyz_"
    yield from (key[:place] + key[place + 1 :] for place in places)
    yield from (key[:place] + letter + key[place:] for place in places for letter in letters)
    yield from (
        key[:place] + key[place + 1 : place + 2] + key[place] + key[place + 2 :]
        for place in places[:-1]
    )


OURS = frozenset(KEYS)
_MISSPELT = {
    slip: key for key in KEYS for slip in (key, *(_slips(key) if len(key) > SHORTEST else ()))
}
LONGEST = max(map(len, _MISSPELT))
