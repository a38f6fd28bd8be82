"""An account that takes edits as a platform would: what a file changes, its rollback must change back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import pandas as pd

from optimizer.review.exports.amounts import exact
from optimizer.review.exports.changes import Change
from optimizer.settings import BidLimit

Name = tuple[str, ...]


@dataclass
class SmallPlatform:
    """Keywords (bid in force, status), negatives, and settings of campaigns and ad groups."""

    keywords: dict[Name, tuple[Decimal | None, str]] = field(default_factory=dict)
    negatives: set[Name] = field(default_factory=set)
    settings: dict[Name, Decimal | None] = field(default_factory=dict)
    default_bids: dict[Name, Decimal | None] = field(default_factory=dict)
    names: dict[str, Name] = field(default_factory=dict)
    campaigns: dict[str, str] = field(default_factory=dict)

    @classmethod
    def before(cls, rows: pd.DataFrame, limit: BidLimit) -> "SmallPlatform":
        """The account as the rows say it was."""
        made = cls()
        for row in rows.to_dict("records"):
            made._hold(row, limit)
        return made

    def _hold(self, row: dict, limit: BidLimit) -> None:
        old = exact(row["old_bid"], limit.step)
        if row["kind"] in ("set_budget", "set_target"):
            what = row["target"] if row["kind"] == "set_target" else "budget"
            self.settings[row["campaign_name"], what] = old
        elif row["kind"] not in ("add_keyword", "add_negative"):
            name = (
                row["campaign_name"],
                row["ad_group_name"],
                row["keyword_text"],
                row["match_type"],
            )
            self.keywords[name] = (old, row["status"])
            self.default_bids[name] = old
            self.names[row["keyword_id"]] = name

    def state(self) -> tuple:
        """Everything that an edit can change, as values to compare."""
        return dict(self.keywords), set(self.negatives), dict(self.settings)

    def apply(self, changes: Iterable[Change]) -> None:
        """Every edit; one that does not fit the account fails the test."""
        for change in changes:
            self._apply(change)

    def _apply(self, change: Change) -> None:
        group = "" if change.level == "campaign" else change.ad_group_name
        name = (change.campaign_name, group, change.keyword_text, change.match_type)
        match change.action:
            case "set_budget" | "set_target":
                setting = (change.campaign_name, change.target or "budget")
                assert setting in self.settings
                self.settings[setting] = change.value
            case "add_negative":
                assert name not in self.negatives
                self.negatives.add(name)
            case "remove_negative":
                self.negatives.remove(name)
            case "add_keyword":
                assert name not in self.keywords
                self.keywords[name] = (change.value, "ENABLED")
            case "remove_keyword":
                del self.keywords[name]
            case _:
                self._edit(change, self.names.get(change.keyword_id, name))

    def _edit(self, change: Change, name: Name) -> None:
        bid, status = self.keywords[name]
        match change.action:
            case "set_bid":
                bid = change.value
            case "clear_bid":
                bid = self.default_bids[name]
            case "pause":
                status = "PAUSED"
            case "resume":
                status = "ENABLED"
        self.keywords[name] = (bid, status)
