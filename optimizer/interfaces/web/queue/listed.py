"""The account's suggestions as last read, and what the page tells of all of them.

A run of the page that finds nothing new in the account pays for none of it again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from optimizer import workflows
from optimizer.interfaces.queue_tabs import tab_counts
from optimizer.interfaces.web import session
from optimizer.interfaces.web.queue.remembered import remembered


@dataclass(frozen=True, eq=False)
class Listed:
    """All rows as of `stamp`, which changes with everything that happens in the account."""

    stamp: Hashable
    rows: pd.DataFrame

    @cached_property
    def campaigns(self) -> list[str]:
        """The campaigns' names."""
        return sorted(self.rows["campaign_name"].dropna().unique())

    @cached_property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many rows each tab holds, by decision; of conflicts only where the rows tell them."""
        by_decision = self.rows.groupby("decision", sort=False, observed=True)
        return {str(decision): tab_counts(rows) for decision, rows in by_decision}

    @cached_property
    def expired(self) -> int:
        """How many suggestions nobody decided in time."""
        late = self.rows["decision"].eq("expired") & self.rows["kind"].ne("watch")
        return int(late.sum())


def read_list() -> Listed:
    """The account's list, read again once something happened there."""
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    stamp = (visit.account, workflows.queue_stamp(*where, visit.actor))
    return remembered("_suggestions", stamp, lambda: Listed(stamp, _rows()))


def _rows() -> pd.DataFrame:
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    rows = workflows.suggestions(*where, visit.actor)
    return workflows.with_deliveries(*where, rows, visit.actor)


def with_conflicts(listed: Listed) -> pd.DataFrame:
    """The rows with what each stands against."""
    return remembered("_conflicts", listed.stamp, lambda: _joined(listed.rows))


def _joined(rows: pd.DataFrame) -> pd.DataFrame:
    visit = session.current()
    told = workflows.conflicts(visit.workspace, str(visit.account), visit.actor)
    codes = told.set_index("id")["conflicts"]
    return rows.assign(conflicts=rows["id"].map(codes).map(lambda c: c if c == c else ()))
