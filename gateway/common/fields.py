"""Fields from outside as a msgspec struct, with an error that names the wrong field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=msgspec.Struct)


@frozen
class FieldError(Exception):
    """`field` has a wrong value; `message` says what is expected, and never the value."""

    field: str
    message: str


def convert(fields: Mapping[str, Any], kind: type[T], *, strict: bool) -> T:
    """`fields` as a `kind`; unknown names are ignored.  Raises FieldError.

    `strict`: a text is not taken for a number.  Each field of `kind` has a `Meta` with a
    description.
    """
    try:
        return msgspec.convert(fields, kind, strict=strict)
    except msgspec.ValidationError as error:
        # msgspec says "... - at `$.apiKey`"; the field's description says what we expect.
        name = str(error).rpartition("$.")[2].rstrip("`")
        properties = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
        expected = properties[name]["description"]
        raise FieldError(name, f"Invalid field: {name}. {expected}") from None
