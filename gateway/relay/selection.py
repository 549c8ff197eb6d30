"""Which events a client wants: its own narrowing of what is relayed.

Two clients with equal selections share one view, so a thousand browsers on the same
screen cost one encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from gateway.relay.event import Event
    from gateway.relay.keys import Subject

MAX_NAMES = 1000
"""Event names or codes one selection may list."""
MAX_LENGTH = 100
"""Characters of one of them."""


class SelectionError(ValueError):
    """A filter that cannot be understood; the text says what to send instead."""


@attrs.frozen
class Selection:
    """Events of the given names, and of the given codes; None: of any.

    `codes` narrows only events whose first argument has a string `code`.
    """

    events: frozenset[str] | None = None
    codes: frozenset[str] | None = None

    def wants(self, event: Event | Subject) -> bool:
        """Whether `event`, or one about that subject, is for this client."""
        return (self.events is None or event.name in self.events) and (
            self.codes is None or event.code is None or event.code in self.codes
        )


EVERYTHING, NOTHING = Selection(), Selection(events=frozenset())


def parse(wish: dict[str, Any]) -> Selection:
    """The selection in `{events: [...], codes: [...]}`, both optional.

    Raises `SelectionError`.
    """
    return Selection(_names(wish, "events"), _names(wish, "codes"))


def _names(wish: dict[str, Any], field: str) -> frozenset[str] | None:
    names = wish.get(field)
    if names is None:
        return None
    if (
        not isinstance(names, list)
        or len(names) > MAX_NAMES
        or not all(isinstance(name, str) and len(name) <= MAX_LENGTH for name in names)
    ):
        raise SelectionError(
            f"'{field}' must be a list of at most {MAX_NAMES} texts"
            f" of at most {MAX_LENGTH} characters"
        )
    return frozenset(names)
