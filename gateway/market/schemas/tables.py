"""docs/events.md, and the same in Chinese: a table of fields for each event."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, NamedTuple

from msgspec import inspect

from gateway.market.schemas.catalogue import GATEWAYS, WORKERS
from gateway.market.schemas.fields import base, own_fields
from gateway.market.schemas.quotes import Marked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgspec import Struct

    from gateway.market.schemas.catalogue import Told
    from gateway.market.schemas.fields import Field


class Language(NamedTuple):
    """What the document has in one language besides the fields."""

    suffix: str
    head: str
    worker: str
    gateway: str
    common: str
    has: str
    columns: str
    types: Mapping[type[inspect.Type], str]
    or_: str
    is_chinese: bool = False


ENGLISH = Language(
    "",
    """# Events

[繁體中文](events.zh-TW.md)

Each event carries one object. These are the events of `main.py` and of the gateway, with all
fields; a `?` behind a type means that not every event has the field. A worker of your own may send
others, or leave out fields: the gateway relays whatever it sends.
[protocol.md](protocol.md) tells what clients may ask for, and how events are filtered.

For TypeScript all of this is in [events.d.ts](events.d.ts). A field or an event that is misspelt
does not compile then:

```ts
import { io, type Socket } from "socket.io-client";
import type { ClientToServerEvents, ServerToClientEvents } from "./events";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("http://localhost:3001");
socket.on("market_tick", (tick) => console.log(tick.code, tick.price));
```
""",
    "Of the worker",
    "Of the gateway",
    "In all of them",
    "`{name}` has:",
    "| Field | Type | Meaning |",
    {
        inspect.StrType: "text",
        inspect.IntType: "integer",
        inspect.FloatType: "number",
        inspect.BoolType: "true or false",
        inspect.NoneType: "null",
        inspect.StructType: "object",
        inspect.ListType: "list: {item}",
    },
    " or ",
)
CHINESE = Language(
    ".zh-TW",
    """# 事件

[English](events.md)

每個事件帶一個物件。這裡列出 `main.py` 與 gateway 的事件與所有欄位；型別後面的 `?` 表示不是每個事件
都有這個欄位。您自己的 worker 可以送其他事件，或省略欄位：gateway 一律照樣轉送。用戶端可以要求什麼、
事件如何篩選，見 [protocol.md](protocol.zh-TW.md)。

給 TypeScript 用的型別在 [events.d.ts](events.d.ts)。欄位或事件拼錯時就無法編譯：

```ts
import { io, type Socket } from "socket.io-client";
import type { ClientToServerEvents, ServerToClientEvents } from "./events";

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("http://localhost:3001");
socket.on("market_tick", (tick) => console.log(tick.code, tick.price));
```
""",
    "worker 的事件",
    "gateway 的事件",
    "所有事件共有",
    "`{name}` 的內容：",
    "| 欄位 | 型別 | 意義 |",
    {
        inspect.StrType: "文字",
        inspect.IntType: "整數",
        inspect.FloatType: "數字",
        inspect.BoolType: "true 或 false",
        inspect.NoneType: "null",
        inspect.StructType: "物件",
        inspect.ListType: "陣列：{item}",
    },
    " 或 ",
    is_chinese=True,
)


def document(language: Language) -> str:
    """The text of docs/events.md in `language`."""
    return "\n".join((language.head, *_parts(language)))


def _parts(language: Language) -> Iterator[str]:
    for title, told in ((language.worker, WORKERS), (language.gateway, GATEWAYS)):
        yield f"## {title}\n"
        for name, each in told.items():
            yield f"### `{name}`\n"
            yield f"{each.chinese if language.is_chinese else _said(each)}\n"
            yield from _tables(each.struct, language)
    yield f"## {language.common}\n"
    yield _table(own_fields(Marked), language)


def _said(told: Told) -> str:
    """What the type says about itself, in lines as they come."""
    return cleandoc(told.struct.__doc__ or "").replace("  ", " ")


def _tables(struct: type[Struct], language: Language) -> Iterator[str]:
    """A table of all fields but those that every event has, and one for each object in it."""
    found = list(_fields(struct))
    yield _table(found, language)
    for field in found:
        if isinstance(field.type, inspect.StructType):
            yield f"{language.has.format(name=field.name)}\n"
            yield from _tables(field.type.cls, language)


def _fields(struct: type[Struct]) -> Iterator[Field]:
    """Those of its base first, then its own."""
    parent = base(struct)
    if parent not in (None, Marked):
        yield from _fields(parent)
    yield from own_fields(struct)


def _table(found: Iterator[Field] | list[Field], language: Language) -> str:
    return "\n".join((language.columns, "|---|---|---|", *_rows(found, language), ""))


def _rows(found: Iterator[Field] | list[Field], language: Language) -> Iterator[str]:
    for each in found:
        text = (each.chinese if language.is_chinese else each.english).replace("|", r"\|")
        kind = f"{_type(each.type, language)}{'' if each.is_required else '?'}"
        yield f"| `{each.name}` | {kind} | {text} |"


def _type(told: inspect.Type, language: Language) -> str:
    match told:
        case inspect.UnionType(types=types):
            return language.or_.join(_type(each, language) for each in types)
        case inspect.LiteralType(values=values):
            return language.or_.join(
                str(each).lower() if isinstance(each, bool) else f"`{each}`" for each in values
            )
        case inspect.ListType(item_type=item):
            return language.types[inspect.ListType].format(item=_type(item, language))
    return language.types[type(told)]
