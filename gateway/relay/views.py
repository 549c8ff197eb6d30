"""The views of one log, and which of them may want an event.

Most filters leave out most events, so an event visits only the views that may want it.  A view
that wants none of a turn's events has read everything all the same, see `Views.level`.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from gateway.relay.selection import MAX_LENGTH
from gateway.relay.view import EncodedTurn, View

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from gateway.engineio.outbox import Form
    from gateway.relay.event import Event
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription
    from gateway.relay.view import Traffic

SPARE: Final = 16
"""Views without members that are kept: a publisher leaves its view for each of its turns."""

VALUES: Final = 10_000
"""Codes, or names, whose views are remembered: bounded, since a publisher may invent any."""


class Views:
    """The views of one log, each made when it is asked for first."""

    def __init__(self, traffic: Traffic) -> None:
        self.level = 0
        """The position in the log of the views that have nothing left to write."""
        self._traffic = traffic
        self._views: dict[tuple[Selection | None, str], View] = {}
        self._open: dict[View, None] = {}  # those that want any code and any name
        self._by_code = Index()
        self._by_name = Index()  # those that want any code
        self._vacant: dict[View, None] = {}  # the longest so comes first

    def __len__(self) -> int:
        return len(self._views)

    def of(self, form: Form, selection: Selection | None) -> View:
        """The view of the subscriptions with this selection and form."""
        key = selection, form.key
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(form, selection, self)
            if selection is not None and selection.codes is not None:
                self._by_code.add(view, selection.codes)
            elif selection is not None and selection.events is not None:
                self._by_name.add(view, selection.events)
            else:
                self._open[view] = None
            self.vacated(view)
        return view

    def vacated(self, view: View) -> None:
        """`view` has no members now: it is kept for a while."""
        self._vacant[view] = None
        if len(self._vacant) > SPARE:
            self._drop(next(iter(self._vacant)))

    def occupied(self, view: View) -> None:
        """`view` has members again."""
        del self._vacant[view]

    def flush(self, events: list[Event], end: int, speaker: Subscription | None = None) -> None:
        """Write `events`, all up to `end`, to the members of the views that want them.

        `speaker`: who said all of them, and gets none; None: all members get them.
        """
        deliveries: dict[Hashable, EncodedTurn] = {}
        every = len(events)
        for view, due in self._due(events):
            if not (view.direct or view.members):
                continue
            key: Hashable = view.form.key
            for_it, failure = due, None
            if not view.is_found and view.selection is not None:
                try:
                    for_it = [event for event in due if view.selection.wants(event)]
                except Exception as error:
                    key, failure = view, error
                else:
                    if not for_it:
                        continue
            if len(for_it) < every and failure is None:  # of all events, the form is key enough
                key = (key, *for_it)
            delivery = deliveries.get(key)  # views may share it
            if delivery is None:
                delivery = EncodedTurn(view.form, for_it, self.level, self._traffic, failure)
                deliveries[key] = delivery
            delivery.views.append(view)
            view.delivery = delivery
        self.level = end
        for delivery in deliveries.values():
            delivery.run(speaker)

    def _due(self, events: list[Event]) -> Iterable[tuple[View, list[Event]]]:
        """The views that may want some of `events`, each once, and which of them."""
        if len(events) == 1:
            return zip(chain(self._open, self._found(events[0])), repeat(events))
        due = dict.fromkeys(self._open, events)
        if self._by_code.views or self._by_name.views:
            for event in events:
                for view in self._found(event):
                    due.setdefault(view, []).append(event)
        return due.items()

    def _found(self, event: Event) -> Iterable[View]:
        """The views with a filter that `event` may be for, each once."""
        by_name = self._by_name.wanting(event.name)
        if event.code is None:  # no choice of codes leaves it out
            return chain(self._by_code.views, by_name)
        by_code: Iterable[View] = self._by_code.wanting(event.code)
        if event.aliases:
            others = [self._by_code.wanting(code) for code in event.aliases]
            by_code = dict.fromkeys(chain(by_code, *others))
        return chain(by_code, by_name)

    def _drop(self, view: View) -> None:
        del self._vacant[view], self._views[view.selection, view.form.key]
        self._open.pop(view, None)
        self._by_code.remove(view)
        self._by_name.remove(view)


_NOBODY: Final[dict[View, None]] = {}


class Index:
    """By value, the views that want it: found out when the value comes for the first time.

    Values that nobody sends take no memory, nor do those that nobody can want: whoever publishes
    may send a megabyte as the name.
    """

    def __init__(self) -> None:
        self.views: dict[View, frozenset[str]] = {}
        """What each view wants."""
        self._wanting: dict[Hashable, dict[View, None]] = {}

    def add(self, view: View, values: frozenset[str]) -> None:
        """Add `view`, which wants `values`."""
        self.views[view] = values
        for value in self._wanting.keys() & values:
            self._wanting[value][view] = None

    def remove(self, view: View) -> None:
        """Forget `view`, if it is here."""
        for value in self._wanting.keys() & self.views.pop(view, ()):
            del self._wanting[value][view]

    def wanting(self, value: Hashable) -> dict[View, None]:
        """The views that want `value`."""
        if not self.views or value.__class__ is not str or len(value) > MAX_LENGTH:
            return _NOBODY
        found = self._wanting.get(value)
        if found is None:
            if len(self._wanting) >= VALUES:
                self._wanting.clear()
            found = self._wanting[value] = {
                view: None for view, values in self.views.items() if value in values
            }
        return found
