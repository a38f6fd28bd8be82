"""What the operator ticked and edited, held by id and version whatever part of the list is on screen."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

Cells = Mapping[int, Mapping[str, Any]]
"""Edited cells as a grid tells them: of each row, by its position in what was drawn, by column."""


@dataclass(frozen=True)
class Choice:
    """Ticked rows as (id, version), and edited bids by id, of ticked rows and of others."""

    refs: tuple[tuple[str, int], ...]
    edits: Mapping[str, float]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the ticked rows."""
        return tuple(identity for identity, _ in self.refs)

    @property
    def bids(self) -> dict[str, float]:
        """The edited bids of ticked rows by id."""
        return {identity: self.edits[identity] for identity in self.ids if identity in self.edits}

    def among(self, ids: Container[str]) -> Choice:
        """What of it is on rows with these ids."""
        return self._where(lambda identity: identity in ids)

    def beside(self, ids: Container[str]) -> Choice:
        """What of it is on other rows than these."""
        return self._where(lambda identity: identity not in ids)

    def _where(self, wanted: Callable[[str], bool]) -> Choice:
        refs = tuple(ref for ref in self.refs if wanted(ref[0]))
        return Choice(refs, {id_: bid for id_, bid in self.edits.items() if wanted(id_)})

    def __or__(self, other: Choice) -> Choice:
        return Choice((*self.refs, *other.refs), {**self.edits, **other.edits})

    def __bool__(self) -> bool:
        return bool(self.refs or self.edits)


NOTHING = Choice((), {})


def chosen(before: Choice, rows: pd.DataFrame, cells: Cells) -> Choice:
    """`before`, and over it what the `cells` of a grid that shows `rows` say.

    The versions are those of `rows`. A bid that stands as it is offered is no edit.
    """
    shown = rows[["id", "version"]].assign(offered=offered(rows))
    ids = shown["id"].astype(str)
    here = before.among(set(ids))
    ticked, edits = dict(here.refs), dict(here.edits)
    for position, told in cells.items():
        row = shown.iloc[int(position)]
        identity = str(row["id"])
        if told.get("pick", identity in ticked):
            ticked[identity] = int(row["version"])
        else:
            ticked.pop(identity, None)
        if "new_bid" in told:
            edits.pop(identity, None)
            if told["new_bid"] is not None and told["new_bid"] != row["offered"]:
                edits[identity] = float(told["new_bid"])
    return before.beside(set(ids)) | Choice(tuple(ticked.items()), edits)


def offered(rows: pd.DataFrame) -> pd.Series[float]:
    """The bid that approving a row as it stands would approve."""
    return rows["approved_bid"].fillna(rows["proposed_bid"])
