"""Cells that are no columns of a file: taken from another row, from a second column, or joined.

A bulk file lists campaigns, ad groups and keywords one below the other; a keyword's row names its ad
group by id, and the campaign is named in the ad group's row only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from optimizer.errors import RefusedInput
from optimizer.reports import cells
from optimizer.reports.layout import First, Joined, Layout, Step, Taken, positions
from optimizer.reports.profiles import Lookup, ReportProfile

BASE: Final = "base"
"""Name of the table of all lines, made where rows take cells from one another."""
SEPARATOR: Final = " | "


@dataclass
class _Growing:
    """A layout to which steps are added."""

    layout: Layout
    file: str
    headers: list[str]
    columns: dict[str, int]
    steps: list[Step] = field(default_factory=list)

    def add(self, step: Step, headers: Sequence[str]) -> int:
        """Add a step that makes one cell per header; the place of the first."""
        at = len(self.headers)
        self.headers.extend(headers)
        self.steps.append(step)
        return at

    def place(self, names: Sequence[str], field_name: str) -> int:
        """The column of the file with one of these headers. Raises `RefusedInput`."""
        found = positions(self.layout.headers, {field_name: names})
        if field_name not in found:
            raise RefusedInput("columns_lacking", file=self.file, missing=[names[0]])
        return found[field_name]


def with_extras(layout: Layout, profile: ReportProfile, file: str) -> Layout:
    """`layout` with the columns that lookups, second columns and joined cells make.

    Raises `RefusedInput` where the file lacks a column that a lookup needs.
    """
    grown = _Growing(layout, file, list(layout.headers), dict(layout.columns))
    for lookup in profile.lookups:
        _take(grown, lookup)
    for name, headers in profile.otherwise.items():
        found = positions(layout.headers, {header: (header,) for header in headers})
        own = [grown.columns[name]] if name in grown.columns else []
        _prefer(grown, name, [*own, *found.values()])
    for name, headers in profile.joined.items():
        found = positions(layout.headers, {header: (header,) for header in headers})
        if found:
            step = Joined(tuple(found.values()))
            grown.columns[name] = grown.add(step, [layout.headers[step.cells[0]]])
    return replace(
        layout,
        headers=tuple(grown.headers),
        columns=grown.columns,
        steps=tuple(grown.steps),
    )


def _take(grown: _Growing, lookup: Lookup) -> None:
    known = positions(grown.layout.headers, lookup.cells)
    if not known:
        return
    by = grown.columns.get(lookup.by)
    if by is None:
        raise RefusedInput("columns_lacking", file=grown.file, missing=[lookup.by])
    step = Taken(
        tuple(each.lower() for each in lookup.rows),
        grown.columns["row_type"],
        grown.place(lookup.key, "key"),
        by,
        tuple(known.values()),
    )
    at = grown.add(step, [grown.headers[place] for place in step.cells])
    for offset, name in enumerate(known):
        own = [grown.columns[name]] if name in grown.columns else []
        _prefer(grown, name, [*own, at + offset])


def _prefer(grown: _Growing, name: str, places: Sequence[int]) -> None:
    """The field is the first of the cells that says something."""
    if len(places) == 1:
        grown.columns[name] = places[0]
    elif places:
        grown.columns[name] = grown.add(First(tuple(places)), [grown.headers[places[0]]])


def own_cell(layout: Layout, at: int) -> int:
    """The cell that comes first in the one at `at`: itself, where that is a column of the file."""
    place, made = layout.width, dict[int, Step]()
    for step in layout.steps:
        made[place] = step
        place += len(step.cells) if isinstance(step, Taken) else 1
    while isinstance(first := made.get(at), First):
        at = first.cells[0]
    return at


def takes_from_rows(layout: Layout) -> bool:
    """True where rows take cells from one another, so that all lines must be at hand."""
    return any(isinstance(step, Taken) for step in layout.steps)


def scan_sql(source: str, layout: Layout, null_marks: Sequence[str]) -> str:
    """SELECT of all cells c0… of each line of `source`, the made ones included, in file order."""
    sql, at = f"SELECT * FROM {source}", layout.width
    for step in layout.steps:
        if isinstance(step, Taken):
            sql = _taken_sql(sql, step, at)
            at += len(step.cells)
        else:
            sql = f"SELECT *, {_made_sql(step, null_marks)} AS c{at} FROM ({sql})"
            at += 1
    return f"{sql} ORDER BY place" if takes_from_rows(layout) else sql


def _taken_sql(rows: str, step: Taken, at: int) -> str:
    types = cells.literals(step.types)
    taken = ", ".join(
        f"arg_min(c{place}, place) AS c{at + offset}" for offset, place in enumerate(step.cells)
    )
    own = f"SELECT {_id(f'c{step.key}')} AS taken_key, {taken} FROM {BASE}"
    own += f" WHERE lower(trim(c{step.type_at})) IN {types} GROUP BY taken_key"
    return (
        f"SELECT own.*, taken.* EXCLUDE (taken_key) FROM ({rows}) AS own LEFT JOIN ({own}) AS taken"
        f" ON taken.taken_key = {_id(f'own.c{step.by}')}"
    )


def _id(cell: str) -> str:
    return f"nullif({cells.identifier(f'trim({cell})')}, '')"


def _made_sql(step: First | Joined, null_marks: Sequence[str]) -> str:
    texts = ", ".join(cells.text(f"c{place}", null_marks) for place in step.cells)
    if isinstance(step, First):
        return f"coalesce({texts})"
    return f"nullif(concat_ws({cells.quoted(SEPARATOR)}, {texts}), '')"
