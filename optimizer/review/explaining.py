"""Suggestions asked again: what would flip each, and what each would be at another conversion rate.

Everything follows from the rows of a run's plan and the line a suggestion was decided at, so nothing
of it has to be stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.flips import far_below
from optimizer.estimates.posteriors import Bools, Floats
from optimizer.review.assembly import judged_against
from optimizer.review.creative_mix import CREATIVE_CHANGES
from optimizer.review.evidence import evidence_frame, shared_evidence
from optimizer.review.plan import gamma_of, lower_step
from optimizer.review.rivals import BUDGET_LASTS
from optimizer.review.what_if import judge_rates, judge_term_rates, keyword_flips, term_flips

ON_KEYWORDS = ("raise", "lower", "pause", "watch")
ON_TERMS = ("add_keyword", "add_negative")
FLIP_COLUMNS = (
    "flip_rate",
    "flip_per_conversion",
    "flip_side",
    "flip_kind",
    "flip_reason",
    "line",
)
_SLACK = 1e-6
_ROUNDING = 1e-9
_LOW_QUALITY = 4
_LARGE_RAISE = 0.10


def explain(
    suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame], context: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The evidence of each suggestion: figures with intervals, what would flip it, what to do first.

    Numbers and codes only; unknown figures are None. `advice` lists what comes before the bid:
    fix_creative, fix_page, quality_low; `value_constant` says that a raise this large assumes clicks
    to be worth the same at the higher bid.
    """
    told = suggestion_flips(suggestions, frames, context)
    figures = _figures(suggestions, frames, context)
    advice = _advice(suggestions, frames)
    shared = shared_evidence(context)
    columns = [name for name in FLIP_COLUMNS if name != "line"]
    full = pd.concat([figures, told[columns].reset_index(drop=True)], axis=1)
    rows = full.astype("object").where(full.notna(), None).to_dict(orient="records")
    named = zip(
        rows, advice, _own(suggestions), _creative_changes(suggestions, context), strict=True
    )
    return [
        {**{str(key): value for key, value in row.items()}, **shared, "advice": codes}
        | own
        | changed
        for row, codes, own, changed in named
    ]


def _creative_changes(
    suggestions: pd.DataFrame, context: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What a change of its ad group's creatives made of the past, where there was one."""
    found = {
        (one["campaign"], one["ad_group"]): {"creative_change": one}
        for one in context["alerts"]
        if one["code"] in CREATIVE_CHANGES
    }
    places = zip(suggestions["campaign_name"], suggestions["ad_group_name"], strict=True)
    return [found.get(place, {}) for place in places]


def _own(suggestions: pd.DataFrame) -> list[dict[str, Any]]:
    """Figures that a suggestion brings along because the plan's rows do not tell them."""
    return [json.loads(text) if text else {} for text in suggestions["evidence"]]


def _figures(
    suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame], context: Mapping[str, Any]
) -> pd.DataFrame:
    """Figures of each suggestion from its row of the plan or of the terms, in the given order."""
    words, terms = _split(suggestions)
    parts = []
    if words.any():
        rows = judged_against(keyword_rows(suggestions[words], frames["plan"]), context)
        parts.append(_placed(rows, suggestions, words, context))
    if terms.any():
        rows = searched_rows(suggestions[terms], frames)[0]
        known = suggestions.loc[terms, "marginal_return"].to_numpy(dtype=np.float64)
        parts.append(_placed(rows.assign(marginal_mean=known), suggestions, terms, context))
    found = pd.concat(parts) if parts else pd.DataFrame()
    return found.reindex(np.arange(len(suggestions)))


def _placed(
    rows: pd.DataFrame, suggestions: pd.DataFrame, at: Bools, context: Mapping[str, Any]
) -> pd.DataFrame:
    rows = rows.assign(binding=suggestions.loc[at, "binding"].to_numpy())
    return evidence_frame(rows, context).set_index(pd.Index(np.flatnonzero(at)))


def _advice(suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    words = _split(suggestions)[0]
    listed: list[list[str]] = [[] for _ in range(len(suggestions))]
    if not words.any():
        return listed
    part = suggestions[words]
    rows = keyword_rows(part, frames["plan"])
    change = part["proposed_bid"].to_numpy() / part["bid"].to_numpy() - 1
    marks = {
        "fix_creative": far_below(gamma_of(rows, "ctr"), _peer_ctr(rows, frames["plan"])),
        "fix_page": far_below(gamma_of(rows, "rate"), gamma_of(rows, "parent").mean),
        "quality_low": rows["quality_score"].astype("float64").le(_LOW_QUALITY).to_numpy(),
        "value_constant": change > _LARGE_RAISE,
    }
    for number, place in enumerate(np.flatnonzero(words)):
        listed[place] = [code for code, mark in marks.items() if mark[number]]
    return listed


def _peer_ctr(rows: pd.DataFrame, plan: pd.DataFrame) -> Floats:
    """CTR of the other keywords of each row's ad group, by impressions; nan where there are none."""
    place = ["campaign", "ad_group_name"]
    seen = plan[[*place]].assign(
        impressions=plan["impressions"], clicked=plan["impressions"] * plan["ctr_mean"]
    )
    sums = seen.groupby(place)[["impressions", "clicked"]].sum()
    whole = sums.reindex(pd.MultiIndex.from_frame(rows[place]))
    impressions = whole["impressions"].to_numpy() - rows["impressions"].to_numpy()
    clicked = whole["clicked"].to_numpy() - (rows["impressions"] * rows["ctr_mean"]).to_numpy()
    few = impressions <= _ROUNDING * whole["impressions"].to_numpy()
    rate: Floats = np.divide(clicked, impressions, out=np.full(len(rows), np.nan), where=~few)
    return rate


def suggestion_flips(
    suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame], context: Mapping[str, Any]
) -> pd.DataFrame:
    """Columns FLIP_COLUMNS per suggestion, in its order; see `what_if.keyword_flips`.

    Kinds that no conversion rate decides have the reason "other_kind".
    """
    told = pd.DataFrame(index=suggestions.index, columns=list(FLIP_COLUMNS), dtype="object")
    told["flip_reason"] = "other_kind"
    words, terms = _split(suggestions)
    words = words & suggestions["reason"].ne(BUDGET_LASTS).to_numpy()
    if words.any():
        rows = keyword_rows(suggestions[words], frames["plan"])
        found = keyword_flips(rows, _kinds(suggestions[words]), context)
        told.loc[words, list(FLIP_COLUMNS)] = found[list(FLIP_COLUMNS)].to_numpy()
    if terms.any():
        rows, donors = searched_rows(suggestions[terms], frames)
        found = term_flips(rows, donors, _kinds(suggestions[terms]), context)
        told.loc[terms, list(FLIP_COLUMNS)] = found[list(FLIP_COLUMNS)].to_numpy()
    return told.astype(dict.fromkeys(("flip_rate", "flip_per_conversion", "line"), "float64"))


def suggestions_at_rates(
    suggestions: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    rate: Floats,
    context: Mapping[str, Any],
) -> pd.DataFrame:
    """`kind` and `proposed_bid` of each suggestion if its true conversion rate were `rate`.

    The solve's own code at the line it was decided at; the rest of the account stays as it is.
    """
    told = pd.DataFrame({"kind": "none", "proposed_bid": np.nan}, index=suggestions.index)
    line = suggestion_flips(suggestions, frames, context)["line"].to_numpy()
    words, terms = _split(suggestions)
    if words.any():
        rows = keyword_rows(suggestions[words], frames["plan"]).assign(line=line[words])
        found = judge_rates(rows, rate[words] / rows["rate_mean"].to_numpy(), context)
        told.loc[words, ["kind", "proposed_bid"]] = found.to_numpy()
    if terms.any():
        rows, donors = searched_rows(suggestions[terms], frames)
        ratio = rate[terms] / rows["rate_mean"].to_numpy()
        found = judge_term_rates(rows, donors, ratio, context)
        told.loc[terms, ["kind", "proposed_bid"]] = found.to_numpy()
    return told.astype({"proposed_bid": "float64"})


def keyword_rows(suggestions: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The plan row of each suggestion on a keyword, with its `line` and whether it was `stretched`.

    A pause that was refused cannot come about.
    """
    # In the plan's own type: turning a hundred thousand keys to text for one suggestion takes longest.
    known = pd.Index(plan["entity_key"])
    at = known.get_indexer(pd.Index(suggestions["entity_key"].astype(known.dtype)))
    rows: pd.DataFrame = plan.iloc[at].reset_index(drop=True)
    kind = _kinds(suggestions)
    change = suggestions["proposed_bid"].to_numpy() / suggestions["bid"].to_numpy() - 1
    beyond = change < -lower_step(rows) - _SLACK
    refused = rows["pause"].to_numpy(dtype=bool) & (kind != "pause")
    return rows.assign(
        line=suggestions["line"].to_numpy(dtype=np.float64),
        stretched=beyond & (kind == "lower"),
        may_pause=rows["may_pause"].to_numpy(dtype=bool) & ~refused,
    )


def searched_rows(
    suggestions: pd.DataFrame, frames: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The judged term of each suggestion on one, with its `line`, and its donor's plan row."""
    at = pd.Index(frames["terms"]["entity_key"]).get_indexer(pd.Index(suggestions["entity_key"]))
    rows = frames["terms"].iloc[at].reset_index(drop=True)
    rows = rows.assign(line=suggestions["line"].to_numpy(dtype=np.float64))
    return rows, frames["plan"].iloc[rows["donor"].to_numpy()].reset_index(drop=True)


def _split(suggestions: pd.DataFrame) -> tuple[Any, Any]:
    kind = suggestions["kind"]
    return kind.isin(ON_KEYWORDS).to_numpy(), kind.isin(ON_TERMS).to_numpy()


def _kinds(suggestions: pd.DataFrame) -> Any:
    return suggestions["kind"].to_numpy().astype(str)
