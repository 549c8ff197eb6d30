"""Makes `Settings` of the command line and the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Attribute, fields

from gateway.options.option import Option, declared
from gateway.options.table import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def options() -> Iterator[Option]:
    """The table, in the order of `Settings`."""
    attribute: Attribute[Any]
    for attribute in fields(Settings):
        yield declared(attribute)


def load(
    given: Mapping[str, Sequence[str]],
    environ: Mapping[str, str],
    outdated: Callable[[str], object] = str,
) -> Settings:
    """Settings from the command line (`given`: option names to texts), else the environment.

    `outdated` is told, in a line, of each option that was given by its name of the release before.
    Raises ValueError with one line that names the option or the variable.
    """
    values = {}
    for each in options():
        source, texts = _source(each, given, environ)
        if source in {f"--{each.formerly}", each.former_variable} and texts:
            outdated(f"{source} goes away with the next release: use {_name(each, source)}")
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
    for name in (each.name, each.formerly):
        if name in given:
            return f"--{name}", given[name]
    for variable in (*each.variables, each.former_variable):
        if environ.get(variable):
            return variable, [environ[variable]]
    return "", []


def _name(each: Option, former: str) -> str:
    """Its name of now, of the kind that the former one is: an option, or a variable."""
    return f"--{each.name}" if former.startswith("--") else each.variables[0]
