"""How a field is written down: its type, what it means, whether it may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

MAY_BE_MISSING: Final[Any] = UNSET
"""The default of a field that not every event has."""


class Field(NamedTuple):
    """One field of an event, as documents need it."""

    name: str
    type: inspect.Type
    english: str
    chinese: str
    is_required: bool


def says(english: str, chinese: str) -> Meta:
    """What a field means."""
    return Meta(description=english, extra={"zh-TW": chinese})


def own_fields(struct: type[Struct]) -> Iterator[Field]:
    """The fields that `struct` adds to those of its base, in their order."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    for each in found.fields:
        if each.name in struct.__annotations__:
            told = each.type
            assert isinstance(told, inspect.Metadata), f"{struct.__name__}.{each.name} says nothing"
            texts = (told.extra_json_schema or {})["description"], (told.extra or {})["zh-TW"]
            yield Field(each.encode_name, told.type, *texts, each.required)


def base(struct: type[Struct]) -> type[Struct] | None:
    """The type whose fields `struct` has, too; None: there is none."""
    (parent,) = struct.__bases__
    return None if parent is Struct else parent


def names(struct: type[Struct]) -> set[str]:
    """The names of all fields, as they stand in an event."""
    return {each.encode_name for each in msgspec.structs.fields(struct)}


def summary(struct: type[Struct]) -> str:
    """The first line of what is said about `struct`."""
    return (struct.__doc__ or "").partition("\n")[0]
