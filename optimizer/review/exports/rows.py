"""The rows every writer is given, and how a row that cannot be written is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from optimizer.tables import Column, Table

BID_KINDS = ("raise", "lower")
STATE_KINDS = ("pause", "resume")
NEW_KINDS = ("add_keyword", "add_negative")
CAMPAIGN_KINDS = ("set_budget", "set_target")
WEIGHT_KIND = "shift_creative"
"""A creative's share of impressions, which no platform's file holds: see `weights`."""
KINDS = (*BID_KINDS, *STATE_KINDS, *NEW_KINDS, *CAMPAIGN_KINDS)


def _null(dtype: Any, meaning: str = "") -> Column:
    return Column(dtype, meaning, nullable=True)


def _extra(meaning: str) -> Column:
    return Column("str", meaning, nullable=True, optional=True)


EXPORT_ROWS = Table(
    "export_rows",
    {
        "id": Column("str", "suggestion"),
        "kind": Column("str", " | ".join(KINDS)),
        "campaign_id": _null("str"),
        "campaign_name": Column("str"),
        "ad_group_id": _null("str"),
        "ad_group_name": Column("str"),
        "keyword_id": _null("str"),
        "keyword_text": Column("str", "bare"),
        "match_type": _null("str"),
        "old_bid": _null("float", "the bid, budget or target that was approved to be replaced"),
        "new_bid": _null("float", "the approved bid, budget or target"),
        "current_bid": _null("float", "the bid or budget in the newest report"),
        "target": _null("str", "roas | cpa: what a set_target sets"),
        "bid_source": _null("str", "own | inherited"),
        "bidding_mode": _null("str", "manual | enhanced | automated"),
        "status": _null("str", "of the keyword in the newest report"),
        "ad_group_status": _null("str"),
        "campaign_status": _null("str"),
        "exists": Column("bool", "its ad group has a keyword of this text and match type"),
        "level": _extra(
            "ad_group | campaign: where a negative or target belongs; creative: what is paused or "
            "resumed is one, by its id; null: the usual"
        ),
        "target_type": _extra("keyword | keyword_package | auto | product ...; null: keyword"),
        "blocks_keyword": _extra("own active keyword that the negative would silence"),
        "blocks_term": _extra("converting search term that the negative would lose"),
        "blocked_by": _extra("negative in force under which the keyword would never show"),
        "creatives_left": Column(
            "float",
            "other creatives of the ad group that are on after this file",
            nullable=True,
            optional=True,
        ),
    },
    ("id",),
)
"""One approved change each, with the newest known state of what it changes."""


@dataclass(frozen=True)
class Refusal:
    """One row that cannot be written, and why."""

    id: str
    code: str
    fields: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """{id, code, …fields}."""
        return {"id": self.id, "code": self.code, **self.fields}


def flag(rows: pd.DataFrame, mask: pd.Series[bool], code: str, *shown: str) -> list[Refusal]:
    """A refusal for each masked row, showing its text, place and the named columns."""
    if not mask.any():
        return []
    names = ["keyword_text", "ad_group_name", "campaign_name", *shown]
    found = rows.loc[mask, ["id", *names]].to_dict("records")
    return [Refusal(str(row["id"]), code, {n: _plain(row[n]) for n in names}) for row in found]


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def column(rows: pd.DataFrame, name: str) -> pd.Series[Any]:
    """A column that may be left out, as nulls where it is."""
    missing: pd.Series[Any] = pd.Series(None, index=rows.index, dtype="str")
    return rows[name] if name in rows.columns else missing


def level_of(rows: pd.DataFrame) -> pd.Series[Any]:
    """keyword | creative | ad_group | campaign: what each row edits; of negatives their ad group."""
    usual = rows["kind"].map(
        {"add_negative": "ad_group", **dict.fromkeys(CAMPAIGN_KINDS, "campaign")}
    )
    kinds = ["add_negative", "set_target", *STATE_KINDS, WEIGHT_KIND]
    chosen = column(rows, "level").where(rows["kind"].isin(kinds))
    return chosen.combine_first(usual).fillna("keyword")


def of_creatives(rows: pd.DataFrame) -> pd.Series[bool]:
    """Rows that are about a creative, not a keyword."""
    return level_of(rows).eq("creative")


def sort_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the one order files are written in: same set, same bytes."""
    order: Sequence[str] = (
        "campaign_name",
        "ad_group_name",
        "keyword_text",
        "match_type",
        "kind",
        "id",
    )
    return rows.sort_values(list(order), kind="stable", na_position="first", ignore_index=True)
