"""`events.d.ts`: the events for a front end in TypeScript, as types of socket.io-client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import inspect

from gateway.market.schemas.catalogue import ASKED, CONNECT, TOLD
from gateway.market.schemas.fields import base, own_fields, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

HEAD = """\
// The events of sjgateway; `python -m gateway.market.schemas.reference` writes this file.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { Auth, ClientToServerEvents, ServerToClientEvents } from "./events";
//
//   const auth: Auth = { events: ["market_tick"], codes: ["TXFR1"] };
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, { auth });
//
// The fields are those of main.py; for a worker of your own, extend these by what it adds.
// `offset` is there only for clients that connect with `recover: true`.
"""
NAMES = {
    inspect.StrType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
}


def declarations() -> str:
    """The text of docs/events.d.ts."""
    wanted: list[type[Struct]] = [*(each.struct for each in TOLD.values()), CONNECT]
    for question in ASKED.values():
        wanted += (question.asked, *question.answers)
    structs: dict[type[Struct], None] = {}
    for struct in wanted:
        _collect(struct, structs)
    return "\n".join((HEAD, *map(_interface, structs), *_maps()))


def _collect(struct: type[Struct], found: dict[type[Struct], None]) -> None:
    """Note `struct` after all that it needs."""
    parent = base(struct)
    if parent is not None:
        _collect(parent, found)
    for field in own_fields(struct):
        inner = getattr(field.type, "item_type", field.type)
        if isinstance(inner, inspect.StructType):
            _collect(inner.cls, found)
    found[struct] = None


def _interface(struct: type[Struct]) -> str:
    parent = base(struct)
    extends = f" extends {parent.__name__}" if parent is not None else ""
    return "\n".join(
        (
            f"/** {summary(struct)} */",
            f"export interface {struct.__name__}{extends} {{",
            *_members(struct),
            "}",
            "",
        )
    )


def _members(struct: type[Struct]) -> Iterator[str]:
    for field in own_fields(struct):
        yield f"  /** {field.english} */"
        yield f"  {field.name}{'' if field.is_required else '?'}: {_type(field.type)};"


def _type(told: inspect.Type) -> str:
    match told:
        case inspect.UnionType(types=types):
            return " | ".join(map(_type, types))
        case inspect.LiteralType(values=values):
            return " | ".join(_literal(each) for each in values)
        case inspect.ListType(item_type=item):
            return f"{_type(item)}[]"
        case inspect.StructType(cls=struct):
            return struct.__name__
    return NAMES[type(told)]


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _maps() -> Iterator[str]:
    """What socket.io-client wants to know: a function for each event."""
    yield "/** What a client hears. */"
    yield "export interface ServerToClientEvents {"
    for name, told in TOLD.items():
        yield f'  "{name}": (told: {told.struct.__name__}, offset?: string) => void;'
    yield "}\n"
    yield "/** What a client may ask. */"
    yield "export interface ClientToServerEvents {"
    for name, question in ASKED.items():
        answers = " | ".join(each.__name__ for each in question.answers)
        asked = f"asked: {question.asked.__name__}, answer: (answer: {answers}) => void"
        yield f'  "{name}": ({asked}) => void;'
    yield "}\n"
