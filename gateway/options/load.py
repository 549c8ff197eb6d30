"""Makes `Settings` of the command line and the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Attribute, fields

from gateway.options.option import Option, declared
from gateway.options.table import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def options() -> Iterator[Option]:
    """The table, in the order of `Settings`."""
    attribute: Attribute[Any]
    for attribute in fields(Settings):
        yield declared(attribute)


def load(given: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Settings:
    """Settings from the command line (`given`: option names to texts), else the environment.

    Raises ValueError with one line that names the option or the variable.
    """
    values = {}
    for each in options():
        source, texts = _source(each, given, environ)
        if texts:
            try:
                values[each.key] = each.convert(texts)
            except ValueError as error:
                raise ValueError(f"{source}: {error}") from None
    return Settings(**values)


def _source(
    each: Option, given: Mapping[str, Sequence[str]], environ: Mapping[str, str]
) -> tuple[str, Sequence[str]]:
    """Where an option was given, for an error, and the texts; ("", []) when it was not."""
    if each.name in given:
        return f"--{each.name}", given[each.name]
    for variable in each.variables:
        if environ.get(variable):
            return variable, [environ[variable]]
    return "", []
