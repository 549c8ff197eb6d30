"""Reading requests: bytes in, structures or `BadRequestError` out.

No error repeats what was sent: it could be a secret.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.web.request import Request

T = TypeVar("T", bound=msgspec.Struct)

MAX_FIELDS = 100
_UTF8 = frozenset(("utf-8", "utf8", "us-ascii"))
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r';\s*charset[^;=]*=\s*"?([^";\s]*)')
"""A parameter `charset`, in whatever form (RFC 9110 section 5.6.6; RFC 2231 has others)."""


class BadRequestError(Exception):
    """The request is not as it should be; `error` and `status` are for the client."""

    def __init__(self, error: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def read_query(request: Request, kind: type[T]) -> T:
    """The query as `kind`.  A name without a value means yes."""
    fields = _form_fields(request.uri.partition(b"?")[2], kind)
    return _convert({name: value or "true" for name, value in fields.items()}, kind, strict=False)


def read_body(request: Request, kind: type[T]) -> T:
    """The body, JSON or form-urlencoded, as `kind`."""
    body = request.content.read()
    is_json = _media_type(request, body) == _JSON
    fields = _json_fields(body) if is_json else _form_fields(body, kind)
    fields = {name: value for name, value in fields.items() if value is not None}
    required = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    pair = [fields.get(name) in (None, "") for name in getattr(kind, "BOTH_OR_NEITHER", ())]
    if any(fields.get(name) in (None, "") for name in required) or len(set(pair)) > 1:
        raise BadRequestError(f"Missing required fields: {', '.join(_names(kind))}")
    return _convert(fields, kind, strict=True)


def _media_type(request: Request, body: bytes) -> str:
    """`_JSON` or `_FORM`; an empty body is an empty form."""
    if not body:
        return _FORM
    header = (request.getHeader(b"Content-Type") or b"").decode("latin-1").lower()
    media_type = header.partition(";")[0].strip()
    if (
        media_type not in {_JSON, _FORM}
        or not _UTF8.issuperset(_CHARSET.findall(header))
        or request.requestHeaders.hasHeader(b"Content-Encoding")
    ):
        raise BadRequestError(
            f"Send {_JSON} or {_FORM}, in UTF-8 and not compressed.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return media_type


def _json_fields(body: bytes) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequestError("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise BadRequestError("The body must be a JSON object.")
    return value


def _form_fields(encoded: bytes, kind: type[T]) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise BadRequestError("The fields are not form-urlencoded UTF-8.") from None
    known = [(name, value) for name, value in pairs if name in _names(kind)]
    fields = dict(known)
    if len(fields) != len(known):
        raise BadRequestError("A field is given twice.")
    return fields


def _names(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _convert(fields: Mapping[str, Any], kind: type[T], *, strict: bool) -> T:
    try:
        return msgspec.convert(fields, kind, strict=strict)
    except msgspec.ValidationError as error:
        # msgspec says "... - at `$.apiKey`"; what we expect is said by the field's description.
        name = str(error).rpartition("$.")[2].rstrip("`")
        raise BadRequestError(f"Invalid field: {name}. {_expected(kind, name)}") from None


def _expected(kind: type[msgspec.Struct], name: str) -> str:
    definition = msgspec.json.schema(kind)["$defs"][kind.__name__]
    return str(definition["properties"][name]["description"])
