"""The broker's keys, as they are posted or read from a file, and the one look at them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Final

from attrs import frozen
from msgspec import Meta, Struct, structs

from gateway.common.fields import FieldError, convert

if TYPE_CHECKING:
    from collections.abc import Mapping

# The lookahead: in Python, $ also matches before a last line feed.
_ONE_LINE = r"^[^\r\n\u0000]*$(?!\n)"

Secret = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        pattern=_ONE_LINE,
        description="A string of 1 to 1024 characters, without CR, LF and NUL.",
    ),
]
FilePath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=_ONE_LINE,
        description="A path of at most 4096 characters, without CR, LF and NUL; empty: none.",
    ),
]
Password = Annotated[
    str,
    Meta(
        max_length=1024,
        pattern=_ONE_LINE,
        description="A string of at most 1024 characters, without CR, LF and NUL; empty: none.",
    ),
]


class Credentials(Struct, rename="camel", frozen=True):
    """The broker's keys.  Certificate and password are for orders; there are both or neither."""

    api_key: Secret
    secret_key: Secret
    ca_cert_path: FilePath = ""
    ca_password: Password = ""

    @classmethod
    def validated(cls, fields: Mapping[str, object]) -> Credentials:
        """Credentials from `fields`, by the names in `FIELDS`; None counts as absent.

        Raises CredentialsError for a field that is missing, breaks its type's bounds, or holds
        characters that no environment variable can carry.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        absent = [name for name in FIELDS if given.get(name, "") == ""]
        for name in absent:
            if name in REQUIRED or len(absent) == 1:  # half a certificate
                raise CredentialsError(name, MISSING)
        try:
            made = convert(given, cls, strict=True)
        except FieldError as error:
            raise CredentialsError(error.field, error.message) from None
        for name, value in zip(FIELDS, structs.astuple(made), strict=True):
            try:
                os.fsencode(value)
            except UnicodeEncodeError:
                text = f"{name} holds characters that no environment can carry"
                raise CredentialsError(name, text) from None
        return made

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no log may show; the path of the certificate is none."""
        return self.api_key, self.secret_key, self.ca_password

    def __repr__(self) -> str:
        return "Credentials(...)"


FIELDS: Final = tuple(field.encode_name for field in structs.fields(Credentials))
"""The names of the fields, as they are posted."""
REQUIRED: Final = ("apiKey", "secretKey")
"""Those that are always needed; quotes need no certificate."""
MISSING: Final = f"Missing required fields: {', '.join(FIELDS)}"


@frozen
class CredentialsError(Exception):
    """Credentials that cannot be used; `message` names `field`, never its value."""

    field: str
    message: str

    def __str__(self) -> str:
        return self.message
