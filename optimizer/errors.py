"""What can go wrong, as codes and fields; the words are in `interfaces.locale`.

Wrong *use* (a file that cannot be trusted, a stale version, a missing setting) raises one of the
exceptions below. Wrong *data* inside an otherwise good file is a `Problem`: a value that is counted,
stored and shown while the work goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class OptimizerError(Exception):
    """Base of every error this package raises on purpose.

    `code` names the situation; `fields` carry what a message needs (file, line, key, value, range).
    """

    def __init__(self, code: str, /, **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{key}={value!r}" for key, value in self.fields.items())])

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.code, self.fields)


def _rebuild(kind: type[OptimizerError], code: str, fields: dict[str, Any]) -> OptimizerError:
    return kind(code, **fields)


class RefusedInput(OptimizerError):
    """A file, or an account's data, that must not be used; nothing was stored."""


class BadSettings(OptimizerError):
    """A configuration file with an unknown key, a value out of range, or a missing one."""


class NotFound(OptimizerError):
    """An account, suggestion, batch or profile that does not exist."""


class Conflict(OptimizerError):
    """The thing to be changed moved since it was read, or its state forbids the change."""


class Forbidden(OptimizerError):
    """The actor's role does not allow this."""


class Infeasible(OptimizerError):
    """Constraints that no plan can meet; `fields` name the constraint and the nearest feasible value."""


class BadTable(OptimizerError):
    """A frame that does not match its description in `tables`: a defect, not an operator's mistake."""


@dataclass(frozen=True)
class Problem:
    """One bad row, cell or key of a file: what is wrong, where, and the text found there.

    `line` counts from 1 in the file as given; `column` is the file's own header, "" for a whole row.
    """

    code: str
    file: str = ""
    line: int = 0
    column: str = ""
    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
