"""Which events a client wants: its filter.

Clients with equal selections share one view, so a thousand browsers on the same page cost one
encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from gateway.relay.acks import QuestionContext
    from gateway.relay.event import Event

MAX_NAMES = 1000
"""Event names, or codes, in one selection."""
MAX_LENGTH = 100
"""Characters of a name or code."""


class SelectionError(ValueError):
    """A filter that cannot be understood; the text says what to send instead."""


@attrs.frozen(cache_hash=True)
class Selection:
    """The names and the codes of the events that a client wants; None: any.

    `codes` leaves out only events whose first argument has another text as `code`; a code
    stands for all that name the same thing.  `trusted`: only events of the worker and the gateway.
    """

    events: frozenset[str] | None = None
    codes: frozenset[str] | None = None
    trusted: bool = False

    @property
    def is_indexed(self) -> bool:
        """Whether it asks for codes alone, or for names alone: then an index knows all it wants."""
        return not self.trusted and (self.codes is None) is not (self.events is None)

    def wants(self, event: Event | QuestionContext) -> bool:
        """Whether `event` is for this client."""
        return (
            (self.events is None or event.name in self.events)
            and (
                self.codes is None
                or event.code is None
                or event.code in self.codes
                or not self.codes.isdisjoint(event.aliases)
            )
            and (event.trusted or not self.trusted)
        )


EVERYTHING, NOTHING = Selection(), Selection(events=frozenset())
FIELDS = frozenset(field.name for field in attrs.fields(Selection))


def parse(wish: dict[str, Any], *, trusted: bool = False) -> Selection:
    """The selection in `{events: [...], codes: [...], trusted: ...}`, all optional.

    `trusted` is the value if `wish` has none.  Raises `SelectionError`.
    """
    only = wish.get("trusted")
    if only is None:
        only = trusted
    if not isinstance(only, bool):
        raise SelectionError("'trusted' must be true or false")
    return Selection(_names(wish, "events"), _names(wish, "codes"), only)


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
