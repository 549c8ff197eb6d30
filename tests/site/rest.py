"""A page of all REST routes, made of the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.web.routes.openapi import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.web.routes.route_table import Route

HEAD = """# REST reference

What `GET /openapi.json` says, as a page. *open* routes answer everybody; *view* and *control* need
such a token where one is set.
"""


def reference(routes: Sequence[Route]) -> str:
    """The page, in Markdown."""
    told = document(routes)
    return "\n".join((HEAD, *_paths(told["paths"]), *_types(told["components"]["schemas"])))


def _paths(paths: dict[str, dict[str, Any]]) -> Iterator[str]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            yield f"## {method.upper()} {path}\n"
            yield f"*{', '.join(operation['tags'])}*. {operation['summary']}\n"
            if parameters := operation.get("parameters"):
                yield "| Parameter | Type | Meaning |\n|---|---|---|"
                for each in parameters:
                    kind = _type(each["schema"])
                    yield f"| `{each['name']}` | {kind} | {_cell(each['description'])} |"
                yield ""
            if body := operation.get("requestBody"):
                kinds = " or ".join(f"`{kind}`" for kind in body["content"])
                schema = next(iter(body["content"].values()))["schema"]
                yield f"Body: {_type(schema)} as {kinds}.\n"
            yield "| Status | Answer |\n|---|---|"
            for status, answer in operation["responses"].items():
                content = next(iter(answer.get("content", {}).values()), {})
                kind = _type(content["schema"]) if "schema" in content else ""
                yield f"| {status} | {kind or _cell(answer['description'])} |"
            yield ""


def _types(schemas: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, schema in schemas.items():
        yield f"## {name}\n"
        yield f"{schema.get('description', '')}\n"
        properties = schema.get("properties", {})
        if properties:
            yield "| Field | Type |\n|---|---|"
            for field, kind in properties.items():
                missing = "" if field in schema.get("required", ()) else "?"
                yield f"| `{field}` | {_type(kind)}{missing} |"
            yield ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return " or ".join(f"`{each}`" if each != "" else "nothing" for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema.get("type") == "array":
        parts = schema.get("prefixItems") or [schema.get("items", {})]
        return f"list: {', '.join(map(_type, parts))}"
    return str(schema.get("const", schema.get("type", "anything")))


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
