"""What a replay can be asked for, by an option or by `POST /replay`: a speed, a place, a pause."""

from __future__ import annotations

import math
import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import attrs
from msgspec import Meta, Struct

from gateway.common.fields import FieldError, convert
from gateway.common.times import LATEST
from gateway.market.hours import DAY_BEGINS, NIGHT_BEGINS, TAIPEI

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX: Final = "max"
"""The speed of a replay that waits for nothing."""
FASTEST: Final = 10_000.0
_NUMBER: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_SPEED_HELP: Final = (
    "A number up to 10000 or `max`: 1 is as recorded, 10 ten times as fast; 0: pause."
)
_PLACE_HELP: Final = (
    "A time of the recording, as 09:00, 09:00:30 or 2026-11-30T09:00, on the clock of Taipei."
)


def read_speed(text: str | float) -> float:
    """The speed that is meant; infinite for `max`.  Raises ValueError, which says what to write."""
    word = str(text).strip()
    if word == MAX:
        return math.inf
    value = float(word) if _NUMBER.fullmatch(word) else math.inf
    if value > FASTEST:
        raise ValueError(f"{word!r} is no speed; write a number from 0 to 10000, or max")
    return value


def speed_text(speed: float) -> float | str:
    """The speed as it is told."""
    if math.isinf(speed):
        return MAX
    return int(speed) if speed == int(speed) else speed


@attrs.frozen
class Place:
    """A time of a recording: on the clock alone, or on a date, too."""

    at: time | datetime

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that `text` names.  Raises ValueError, which says what is expected."""
        word = text.strip()
        try:
            if re.fullmatch(_CLOCK, word):
                return cls(time.fromisoformat(word))
            at = datetime.fromisoformat(word)
            at = at if at.tzinfo else at.replace(tzinfo=TAIPEI)
            if not 0 <= at.timestamp() <= LATEST:
                raise ValueError(word)
        except ValueError:
            raise ValueError(f"{word!r} is no time; write 09:00 or 2026-11-30T09:00") from None
        return cls(at)

    def after(self, begins: float) -> float:
        """The time in seconds since 1970, in a recording that begins at `begins`.

        A time of the clock is the first such one after the recording's part of the trading day
        began, at 05:30 or at 14:30: of a night 01:00 is after midnight.
        """
        if isinstance(self.at, datetime):
            return self.at.timestamp()
        first = datetime.fromtimestamp(begins, TAIPEI)
        days = (first.date() - timedelta(days=1), first.date())
        parts = (
            datetime.combine(day, at, TAIPEI) for day in days for at in (DAY_BEGINS, NIGHT_BEGINS)
        )
        part = max(each for each in parts if each <= first)
        found = datetime.combine(part.date(), self.at, TAIPEI)
        return (found if found >= part else found + timedelta(days=1)).timestamp()


class Wish(Struct, frozen=True):
    """What is to change; whatever is absent stays as it is."""

    paused: Annotated[bool | None, Meta(description="`true` pauses, `false` goes on.")] = None
    speed: Annotated[float | str | None, Meta(description=_SPEED_HELP)] = None
    to: Annotated[str | None, Meta(description=_PLACE_HELP)] = None

    @classmethod
    def validated(cls, fields: Mapping[str, object]) -> Wish:
        """The wish in the fields of a request.  Raises FieldError."""
        wish = convert(fields, cls, strict=False)
        name = "speed"
        try:
            if wish.speed is not None:
                read_speed(wish.speed)
            name = "to"
            if wish.to is not None:
                Place.read(wish.to)
        except ValueError as error:
            raise FieldError(name, f"Invalid field: {name}. {error}") from None
        if wish == cls():
            raise FieldError("paused", "Say what to change: paused, speed or to")
        return wish
