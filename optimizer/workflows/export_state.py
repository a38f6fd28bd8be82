"""What the newest reports show of the things that an export is about to change.

Turns approved suggestions into the rows that writers take (EXPORT_ROWS): present bids and statuses,
and what a negative would block or a new keyword be blocked by.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.segments import normalise_text
from optimizer.review.creative_suggestions import SLOT
from optimizer.review.exports import EXPORT_ROWS
from optimizer.review.exports.blocking import blocked_pairs, lost_terms
from optimizer.review.exports.rows import WEIGHT_KIND, level_of, of_creatives
from optimizer.review.negatives import in_campaigns
from optimizer.review.reverting import LIVE, REVERT, original_of
from optimizer.store.protocol import ReviewTables
from optimizer.workflows.holdings import Holdings

_GROUP_STATE = ("bidding_mode", "ad_group_status", "campaign_status")
_STATE = ("status", *_GROUP_STATE)
_OFF = ("PAUSED", "REMOVED", "ARCHIVED")
_GONE = ("REMOVED", "ARCHIVED")
_PLACE = ["campaign_name", "ad_group_name"]


def changes_now(held: Holdings, rows: pd.DataFrame) -> pd.DataFrame:
    """EXPORT_ROWS with what the newest reports show, so that a bid moved elsewhere is noticed."""
    newest = max(batch.as_of for batch in held.workspace.store.batches(held.account))
    keys = rows["entity_key"].astype(str)
    tables = _tables(held, newest)
    known = _keyed(tables)
    changes = with_state(approved_changes(held, rows), keys, known)
    if of_creatives(changes).any():
        window = held.settings.estimation.window_days
        shown = held.workspace.store.creative_tables(held.account, newest, window).creatives
        changes = with_creatives(changes, keys, shown)
    return with_blocks(_as_exported(held, changes, rows), known, tables)


def _as_exported(held: Holdings, changes: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """What takes an export back before a report showed it: in force is what was exported.

    The platform's answer to a file comes before a report; one that shows another value says `drifted`.
    """
    own = rows["reason"].eq(REVERT).to_numpy()
    if not own.any():
        return changes
    delivered = held.workspace.store.delivered(held.account)
    live = set(delivered.loc[delivered["delivery"].isin(LIVE), "id"])
    told = zip(own, rows["evidence"], strict=True)
    waiting = np.array([is_ and original_of(text) in live for is_, text in told], dtype=bool)
    paused = waiting & changes["kind"].eq("resume")
    return changes.assign(
        current_bid=changes["current_bid"].mask(waiting, changes["old_bid"]),
        status=changes["status"].astype("object").mask(paused, "PAUSED").astype("str"),
    )


def approved_changes(held: Holdings, rows: pd.DataFrame) -> pd.DataFrame:
    """EXPORT_ROWS as approved: where the bid came from is as it was on the review's day."""
    days = pd.to_datetime(rows["as_of"]).dt.date
    told = {name: pd.Series(None, index=rows.index, dtype="str") for name in _OF_DAY}
    for day in sorted(set(days)):
        keywords = _keyed(_tables(held, day)).set_index("key")
        of_day = rows.loc[days.eq(day), "entity_key"].astype(str)
        for name in _OF_DAY:
            told[name].loc[of_day.index] = keywords[name].reindex(of_day).to_numpy()
    named = rows.rename(columns={"bid": "old_bid", "approved_bid": "new_bid"})
    changes = named.assign(
        current_bid=named["old_bid"], exists=False, target=_targets(rows), **told
    )
    changes[[*_STATE, *_UNTOLD]] = None
    changes["creatives_left"] = np.nan
    return _on_creatives(changes)[list(EXPORT_ROWS.columns)].reset_index(drop=True)


def _on_creatives(changes: pd.DataFrame) -> pd.DataFrame:
    """Suggestions on creatives as edits: on, off, or a weight."""
    creative = changes["slot"].eq(SLOT)
    wanted = creative & changes["reason"].eq("creative_wanted")
    kind = changes["kind"].mask(wanted, "resume")
    amounts = {
        name: changes[name].where(~creative | kind.eq(WEIGHT_KIND))
        for name in ("old_bid", "new_bid", "current_bid")
    }
    level = changes["level"].astype("object").mask(creative, "creative").astype("str")
    return changes.assign(kind=kind, level=level, **amounts)


def with_creatives(
    changes: pd.DataFrame, keys: pd.Series[str], creatives: pd.DataFrame
) -> pd.DataFrame:
    """Present statuses of creatives, and how many others of their ad group are on after the file."""
    named = creatives.assign(key="a" + creatives["entity_key"].astype(str)).set_index("key")
    stopped, started = (
        set(keys[changes["kind"].eq(kind).to_numpy()]) for kind in ("pause", "resume")
    )
    on = (~named["status"].isin(_OFF) | named.index.isin(started)) & ~named.index.isin(stopped)
    left = on.groupby([named["campaign_name"], named["ad_group_name"]]).sum()
    place = pd.MultiIndex.from_frame(changes[_PLACE])
    about = of_creatives(changes).to_numpy()
    status = changes["status"].astype("object").mask(about, named["status"].reindex(keys).array)
    count = pd.Series(left.reindex(place).to_numpy(dtype="float64"), index=changes.index)
    return changes.assign(status=status.astype("str"), creatives_left=count.where(about))


_OF_DAY = ("bid_source", "target_type")
_UNTOLD = ("level", "blocks_keyword", "blocks_term", "blocked_by")


def _targets(rows: pd.DataFrame) -> pd.Series[Any]:
    """What each set_target sets: roas or cpa."""
    texts = rows["evidence"].where(rows["kind"].eq("set_target"))
    return texts.map(lambda text: json.loads(text)["target"], na_action="ignore").astype("str")


def _tables(held: Holdings, day: date) -> ReviewTables:
    return held.workspace.store.review_tables(
        held.account, day, held.settings.estimation.window_days
    )


def _keyed(tables: ReviewTables) -> pd.DataFrame:
    """KEYWORDS with `key` as suggestions write it."""
    return tables.keywords.assign(key=tables.keywords["entity_key"].astype(str))


def with_state(changes: pd.DataFrame, keys: pd.Series[str], known: pd.DataFrame) -> pd.DataFrame:
    """Present bids and statuses; new keywords and negatives take those of their ad group."""
    own = known.set_index("key").reindex(keys)
    groups = known.drop_duplicates(_PLACE).set_index(_PLACE)
    group = groups.reindex(pd.MultiIndex.from_frame(changes[_PLACE]))
    inherited = {name: own[name].array for name in _STATE}
    budgets = known.groupby("campaign_name")["campaign_budget"].max()
    now = pd.Series(own["bid"].to_numpy(), index=changes.index, dtype="float64")
    now = now.where(changes["kind"].ne("set_budget"), changes["campaign_name"].map(budgets))
    filled = changes.assign(current_bid=now, exists=_exists(changes, known), **inherited)
    of_group = {
        name: filled[name].where(filled[name].notna(), group[name].array) for name in _GROUP_STATE
    }
    return filled.assign(**of_group)


def _exists(changes: pd.DataFrame, known: pd.DataFrame) -> Any:
    """Whether the ad group holds the text with this match type, case and spaces aside."""
    present = known[~known["status"].isin(_GONE)]
    return _identity(changes).isin(_identity(present))


def _identity(frame: pd.DataFrame) -> pd.MultiIndex:
    names = [*_PLACE, "text", "match_type"]
    return pd.MultiIndex.from_frame(frame.assign(text=normalise_text(frame["keyword_text"]))[names])


def with_blocks(changes: pd.DataFrame, known: pd.DataFrame, tables: ReviewTables) -> pd.DataFrame:
    """What each negative would silence or lose, and which negative in force silences a new keyword."""
    leveled = changes.assign(level=level_of(changes))
    negatives = leveled[leveled["kind"].eq("add_negative")]
    shown = leveled[leveled["kind"].isin(["add_keyword", "resume"]) & ~of_creatives(changes)]
    words = _active(known, changes)
    after = pd.concat([words, shown], ignore_index=True)
    converting = _terms(tables, tables.term_daily.query("conversions > 0")["entity_key"])
    excluded = tables.terms.loc[tables.terms["term_status"].eq("EXCLUDED"), "entity_key"]
    in_force = _terms(tables, excluded).assign(match_type="EXACT", level="ad_group")
    listed = in_campaigns(tables.negatives, known["campaign_name"])
    in_force = pd.concat([in_force, listed], ignore_index=True)
    return changes.assign(
        blocks_keyword=_first(blocked_pairs(negatives, words), words, "negative", changes),
        blocks_term=_first(
            lost_terms(negatives, converting, after), converting, "negative", changes
        ),
        blocked_by=_first(blocked_pairs(in_force, shown), in_force, "text", changes),
    )


def _active(known: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Keywords that show now and will after this file."""
    off = known[["status", "ad_group_status", "campaign_status"]].isin(_OFF).any(axis=1)
    paused = _identity(known).isin(_identity(changes[changes["kind"].eq("pause")]))
    return known[~off & ~paused & known["target_type"].eq("keyword")].reset_index(drop=True)


def _terms(tables: ReviewTables, keys: pd.Series[int]) -> pd.DataFrame:
    """Search terms with these keys, as texts of their ad group."""
    chosen = tables.terms[tables.terms["entity_key"].isin(keys)].drop_duplicates(
        [*_PLACE, "search_term"]
    )
    return chosen.assign(keyword_text=chosen["search_term"], match_type="EXACT").reset_index(
        drop=True
    )


def _first(
    pairs: pd.DataFrame, texts: pd.DataFrame, of: str, changes: pd.DataFrame
) -> pd.Series[Any]:
    """Per change one text of its pairs, the first in alphabetical order; null where it has none."""
    other = "text" if of == "negative" else "negative"
    found = pairs.assign(shown=texts["keyword_text"].reindex(pairs[other]).to_numpy())
    first = found.groupby(of)["shown"].min()
    return first.reindex(changes.index).astype("str")
