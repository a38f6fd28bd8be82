"""Suggestions of which only one may be approved, because together they contradict or double up.

A raise and a pause of one keyword (of reviews of different days); a search term as keyword and as
negative in one ad group, unless they are a linked pair; a capped campaign's budget raise and the lower
bids that would make its budget last; what takes an export back, and another change of the same thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from optimizer.errors import Conflict
from optimizer.estimates.segments import normalise_text
from optimizer.review.reverting import REVERT

BUDGET_LASTS = "budget_lasts_longer"
"""Reason of lower bids proposed instead of a budget raise."""

_PLACE = ["campaign_name", "ad_group_name", "text"]
_TOLD = {"version": "rival_version", "kind": "rival_kind", "keyword_text": "rival_text"}


@dataclass(frozen=True)
class Rivals:
    """Per id the ids it cannot stand beside, which of all are approved, and how a refusal names one."""

    of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def check(self, id_: str, taken: Set[str]) -> None:
        """Raises `Conflict` `rival_approved` naming the first of `taken` that stands against `id_`."""
        if (conflict := self._conflict(id_, taken)) is not None:
            raise conflict

    def refused(self, ids: Iterable[str]) -> list[Conflict]:
        """The refusal of each of `ids` that stands against an approved one."""
        told = (self._conflict(id_, self.approved) for id_ in ids)
        return [conflict for conflict in told if conflict is not None]

    def _conflict(self, id_: str, taken: Set[str]) -> Conflict | None:
        against = sorted(self.of.get(id_, frozenset()) & taken)
        if not against:
            return None
        return Conflict("rival_approved", id=id_, rival_id=against[0], **self.told[against[0]])


def rivals(rows: pd.DataFrame) -> Rivals:
    """The rivals among stored suggestions: those decided or open now, of any day."""
    rows = rows.drop_duplicates("id")
    kind, terms = rows["kind"], rows[rows["kind"].isin(["add_keyword", "add_negative"])]
    terms = terms.assign(text=normalise_text(terms["keyword_text"]))
    adding = terms["kind"].eq("add_keyword")
    lasting = rows["reason"].eq(BUDGET_LASTS)
    pairs = pd.concat(
        [
            _pairs(rows[kind.eq("raise")], rows[kind.eq("pause")], ["entity_key"]),
            _unlinked(_pairs(terms[adding], terms[~adding], _PLACE)),
            _pairs(rows[kind.eq("set_budget")], rows[lasting], ["campaign_name"]),
            _beside_reverts(rows),
        ]
    )
    known = rows[rows["id"].isin([*pairs["id"], *pairs["id_other"]])]
    named = known[["id", *_TOLD]].rename(columns=_TOLD).to_dict("records")
    return Rivals(
        _both_ways(pairs),
        frozenset(known.loc[known["decision"].eq("approved"), "id"]),
        {str(one.pop("id")): {str(k): v for k, v in one.items()} for one in named},
    )


def _beside_reverts(rows: pd.DataFrame) -> pd.DataFrame:
    """What takes an export back, and whatever else is to be done to the same thing."""
    waiting = rows[rows["delivery"].eq("not_exported")]
    pairs = _pairs(waiting[waiting["reason"].eq(REVERT)], waiting, ["entity_key", "slot"])
    return pairs[pairs["id"].ne(pairs["id_other"])]


def _pairs(one: pd.DataFrame, other: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    columns = [*on, "id", "linked_id"]
    return one[columns].merge(other[columns], on=on, suffixes=("", "_other"))


def _unlinked(pairs: pd.DataFrame) -> pd.DataFrame:
    linked = pairs["linked_id"].eq(pairs["id_other"]) | pairs["linked_id_other"].eq(pairs["id"])
    return pairs[~linked.fillna(False).astype(bool)]


def _both_ways(pairs: pd.DataFrame) -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in zip(pairs["id"], pairs["id_other"], strict=True):
        found[one].add(other)
        found[other].add(one)
    return {id_: frozenset(others) for id_, others in found.items()}
