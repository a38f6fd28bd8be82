"""Sentences with fields: `{cost:money}`, `{share:percent}`, `{day:date}`, `{names:list}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

MISSING = "–"


class Template(Formatter):
    """`str.format` whose format specs are the names of functions that put a value into words.

    A field that was not given or is null reads "–": a sentence is never lost to a missing number.
    """

    def __init__(self, formats: Mapping[str, Callable[[Any], str]]) -> None:
        self._formats = formats

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The field, or None where it was not given."""
        return kwargs.get(str(key))

    def format_field(self, value: Any, format_spec: str) -> str:
        """The value in words; unknown specs are Python's own."""
        if value is None:
            return MISSING
        if format_spec in self._formats:
            return self._formats[format_spec](value)
        return format(value, format_spec) if format_spec else self._formats[""](value)
