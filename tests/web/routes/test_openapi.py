"""The OpenAPI document: valid, complete, and true of what is answered."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator
from openapi_spec_validator import validate
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.routes.openapi import document
from tests.web.http.test_site import Answer, SiteTestCase
from tests.web.site import Memory, build_site, routes

ROUTES = routes()
DOCUMENT = document(ROUTES)
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    JUNK, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)


def of_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows."""
    if "$ref" in schema:
        return of_schema(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([of_schema(inner) for inner in schema["anyOf"]])
    if schema["type"] == "null":
        return st.none()
    if schema["type"] == "number":
        return st.floats(allow_nan=False, allow_infinity=False)
    if schema["type"] == "object":
        return st.fixed_dictionaries(
            {name: of_schema(inner) for name, inner in schema["properties"].items()}
        )
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if schema["type"] == "boolean":
        return st.booleans()
    alphabet = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")
    return st.text(alphabet, min_size=schema.get("minLength", 0), max_size=40)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A route's method and path, and a request: as documented, or somewhat off."""
    route = draw(st.sampled_from(ROUTES))
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    query = "&".join(
        f"{parameter['name']}={draw(of_schema(parameter['schema']) | st.integers() | st.just('x'))}"
        for parameter in operation.get("parameters", ())
        if draw(st.booleans())
    )
    body, content_type = b"", "text/plain"
    if "requestBody" in operation:
        content_type, media = draw(
            st.sampled_from(sorted(operation["requestBody"]["content"].items()))
        )
        value = draw(of_schema(media["schema"]))
        if draw(st.booleans()):
            value[draw(st.sampled_from(sorted(value)))] = draw(VALUES)
        body = draw(st.just(_encode(value)) | st.binary(max_size=60))
    head = (
        f"{route.method} {route.path}?{query} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return route.method, route.path, head.encode() + body


def _encode(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer that is too large, a lone surrogate
        return b"{}"


class DocumentTests(SiteTestCase):
    def test_it_is_valid(self) -> None:
        validate(DOCUMENT)

    def test_it_is_served(self) -> None:
        self.assertEqual(
            self.ask("GET", "/openapi.json").json, orjson.loads(orjson.dumps(DOCUMENT))
        )

    def test_every_route_of_the_contract_is_in_it(self) -> None:
        contract = {
            "/health": {"get"},
            "/healthz": {"get"},
            "/sj-ready": {"get"},
            "/livez": {"get"},
            "/readyz": {"get"},
            "/status": {"get"},
            "/logs": {"get"},
            "/bars": {"get"},
            "/codes": {"get"},
            "/set-sj-key": {"post"},
            "/restart-python": {"post"},
            "/start-python": {"post"},
            "/stop-python": {"post"},
            "/hand-over": {"post"},
            "/alerts/test": {"post"},
            "/replay": {"post"},
            "/openapi.json": {"get"},
        }
        self.assertEqual({path: set(item) for path, item in DOCUMENT["paths"].items()}, contract)

    def test_operations_have_names_of_their_own(self) -> None:
        names = [
            operation["operationId"]
            for item in DOCUMENT["paths"].values()
            for operation in item.values()
        ]
        self.assertEqual(len(set(names)), len(names))


class SchemaDrivenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.site = build_site(self.clock)

    @given(requests())
    @settings(max_examples=300, deadline=None)
    def test_answers_are_as_documented_and_never_500(self, request: tuple[str, str, bytes]) -> None:
        method, path, data = request
        answer = Answer(Memory(self.site, self.clock).send(data))
        self.assertLess(answer.status, 600)
        self.assertNotEqual(answer.status, 500, data)
        responses = DOCUMENT["paths"][path][method.lower()]["responses"]
        response = responses.get(str(answer.status), responses["default"])
        schema = {
            **response["content"]["application/json"]["schema"],
            "components": DOCUMENT["components"],
        }
        Draft202012Validator(schema).validate(answer.json)
