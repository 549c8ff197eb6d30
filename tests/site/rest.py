"""A page of all REST routes, made of the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.web.routes.openapi import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.web.routes.route_table import Route

HEAD = (
    "What `GET /openapi.json` says, as a page. *open* routes answer everybody; *view* and *control*"
    " need such a token where one is set."
)


def reference(routes: Sequence[Route], say: Callable[[str], str] = str) -> str:
    """The page, in Markdown; `say` gives a text of it in the page's language."""
    told = document(routes)
    return "\n".join(_Page(say).lines(told["paths"], told["components"]["schemas"]))


class _Page:
    """Makes the page in one language."""

    def __init__(self, say: Callable[[str], str]) -> None:
        self._say = say

    def lines(self, paths: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
        yield f"# {self._say('REST reference')}\n\n{self._say(HEAD)}\n"
        for path, operations in paths.items():
            for method, operation in operations.items():
                yield f"## {method.upper()} {path}\n"
                yield from self._route(operation)
        for name, schema in schemas.items():
            yield f"## {name}\n"
            yield from self._kind_of_object(schema)

    def _route(self, operation: dict[str, Any]) -> Iterator[str]:
        yield f"*{', '.join(operation['tags'])}*. {self._say(operation['summary'])}\n"
        if parameters := operation.get("parameters"):
            yield f"{self._say('| Parameter | Type | Meaning |')}\n|---|---|---|"
            for each in parameters:
                meaning = _cell(self._say(each["description"]))
                yield f"| `{each['name']}` | {self._type(each['schema'])} | {meaning} |"
            yield ""
        if body := operation.get("requestBody"):
            forms = self._say(" or ").join(f"`{form}`" for form in body["content"])
            kind = self._type(next(iter(body["content"].values()))["schema"])
            yield self._say("Body: {kind} as {forms}.").format(kind=kind, forms=forms) + "\n"
        yield f"{self._say('| Status | Answer |')}\n|---|---|"
        for status, answer in operation["responses"].items():
            (content,) = answer["content"].values()
            yield f"| {status} | {self._type(content['schema'])} |"
        yield ""

    def _kind_of_object(self, schema: dict[str, Any]) -> Iterator[str]:
        yield f"{self._say(schema['description'])}\n"
        if properties := schema.get("properties"):
            yield f"{self._say('| Field | Type |')}\n|---|---|"
            for field, kind in properties.items():
                missing = "" if field in schema.get("required", ()) else "?"
                yield f"| `{field}` | {self._type(kind)}{missing} |"
            yield ""

    def _type(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        if "enum" in schema:
            values = (
                f"`{each}`" if each != "" else self._say("nothing") for each in schema["enum"]
            )
            return self._say(" or ").join(values)
        if "anyOf" in schema:
            return self._say(" or ").join(map(self._type, schema["anyOf"]))
        if schema.get("type") == "array":
            parts = schema.get("prefixItems") or [schema.get("items", {})]
            return self._say("list: {kinds}").format(kinds=", ".join(map(self._type, parts)))
        kind = schema.get("const", schema.get("type"))
        return self._say("anything") if kind is None else str(kind)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
