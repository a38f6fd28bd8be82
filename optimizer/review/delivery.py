"""What became of exported changes, judged from a later report or from the platform's result file.

    exported ── the approved value is shown, or the platform took the row ──▶ confirmed_live
       │  └──── the platform refused the row ──▶ failed
       └─────── a third value is shown ──▶ drifted ◀── a third value ── confirmed_live
                                                      the replaced one again ──▶ reverted

The replaced value still shown keeps an export waiting: the file may not have been uploaded yet. Shown
again after another one was live, it says that the change was taken back: by the rollback file or by
hand. A report outranks a result file. What was refused stays failed until a report shows it live.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.segments import normalise_text

VERDICTS = (
    *("id", "version", "from_delivery", "delivery", "code", "text"),
    *("seen_value", "seen_state", "seen_on", "batch_id", "file_name"),
)
"""Columns of a verdict: one row per suggestion whose state, or what is known of it, changed."""
UNMATCHED = ("line", "keyword_text", "campaign_name", "ad_group_name", "code", "text")
"""Columns of result rows that settle nothing: `result_unmatched` or `result_unclear`."""

_NEAR = 1e-6
_FACT = {
    **dict.fromkeys(("raise", "lower", "add_keyword"), "bid"),
    **dict.fromkeys(("pause", "resume"), "status"),
    "set_budget": "campaign_budget",
    "set_target": "campaign_target",
    "shift_creative": "status",
}
_WEIGHT = "creative_weight"
"""Reason of a share that is handed over as a number; other creatives are turned on."""
_NEAR_SHARE = 0.05
_GONE = ("REMOVED", "ARCHIVED")
_EXCLUDED = ("EXCLUDED", "ADDED_EXCLUDED")
_AMOUNTS = ("share", "bid", "campaign_budget", "campaign_target")
_OF_CAMPAIGN = ("set_budget", "set_target")
_SEPARATOR = "\x1f"


def judge(rows: pd.DataFrame, shown: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Verdicts on exported rows from what reports show since; columns VERDICTS.

    `rows` as `Store.delivered`, `shown` as `Store.shown`; `tested` (entity_key, first_day): bids
    that a test exported, after which it is no longer the suggestion's bid that should be live.
    """
    watched = rows[~_taken_over(rows, tested)].reset_index(drop=True)
    seen = _seen(watched, shown)
    waiting = watched["delivery"].isin(["exported", "failed"])
    live = _is_live(watched, seen) & ~(waiting & _is_nearer_old(watched, seen))
    old = _is_old(watched, seen) & ~live
    again = old & ~waiting & (seen["day"] > watched["as_of"])
    other = ~live & ~old & ~watched["delivery"].eq("failed")
    known = seen["as_of"].notna()
    delivery = watched["delivery"].mask(known & live, "confirmed_live")
    delivery = delivery.mask(known & other, "drifted").mask(known & again, "reverted")
    code = watched["code"].mask(known & live, "approved_value_seen")
    code = code.mask(known & other, "other_value_seen").mask(known & again, "old_value_again")
    code = code.mask(known & old & watched["delivery"].eq("exported"), "old_value_seen")
    settled = known & (live | other | again | (old & watched["delivery"].eq("exported")))
    told = watched[["id", "version"]].assign(
        from_delivery=watched["delivery"],
        delivery=delivery,
        code=code,
        text=None,
        seen_value=seen["amount"],
        seen_state=seen["text"],
        seen_on=seen["as_of"],
        batch_id=seen["batch_id"],
        file_name=seen["file_name"],
    )
    return told[settled & _is_news(watched, told)].reset_index(drop=True)[list(VERDICTS)]


def _taken_over(rows: pd.DataFrame, tested: pd.DataFrame) -> pd.Series[bool]:
    """Bids that a test has moved since."""
    keyed = tested.assign(key=tested["entity_key"].astype("str"))
    last = keyed.groupby("key")["first_day"].max().astype("datetime64[s]")
    moved = pd.Series(last.reindex(rows["entity_key"]).to_numpy(), index=rows.index)
    return rows["slot"].eq("bid") & (moved >= rows["as_of"])


def _is_news(rows: pd.DataFrame, told: pd.DataFrame) -> pd.Series[bool]:
    same = told["delivery"].eq(rows["delivery"]) & told["code"].eq(rows["code"])
    value = np.isclose(
        told["seen_value"].astype("float64"), rows["seen_value"], rtol=0, atol=_NEAR, equal_nan=True
    )
    state = told["seen_state"].astype("object").fillna("") == rows["seen_state"].astype(
        "object"
    ).fillna("")
    return ~(same & value & state)


def _is_live(rows: pd.DataFrame, seen: pd.DataFrame) -> pd.Series[bool]:
    kind = rows["kind"]
    paused = kind.eq("pause") & seen["text"].eq("PAUSED")
    resumed = kind.isin(["resume", "shift_creative"]) & seen["text"].eq("ENABLED")
    excluded = kind.eq("add_negative") & seen["text"].isin(_EXCLUDED)
    return paused | resumed | excluded | (_is_amount(rows) & _alike(seen, rows, "approved_bid"))


def _is_old(rows: pd.DataFrame, seen: pd.DataFrame) -> pd.Series[bool]:
    kind = rows["kind"]
    enabled = kind.eq("pause") & seen["text"].eq("ENABLED")
    paused = kind.isin(["resume", "shift_creative"]) & seen["text"].eq("PAUSED")
    absent = kind.eq("add_negative") & ~seen["text"].isin(_EXCLUDED)
    return enabled | paused | absent | (_is_amount(rows) & _alike(seen, rows, "bid"))


def _is_amount(rows: pd.DataFrame) -> pd.Series[bool]:
    return _wanted(rows).isin(_AMOUNTS)


def _is_nearer_old(rows: pd.DataFrame, seen: pd.DataFrame) -> pd.Series[bool]:
    """Shares nearer to the replaced than to the approved one: both are near where little was moved.

    A share that was live once stays so while it is near what was approved.
    """
    amount = seen["amount"].astype("float64")
    nearer = (amount - rows["bid"]).abs() < (amount - rows["approved_bid"]).abs()
    return _wanted(rows).eq("share") & nearer


def _alike(seen: pd.DataFrame, rows: pd.DataFrame, name: str) -> pd.Series[bool]:
    """Amounts exactly, shares within what chance and rounding leave of them."""
    off = (seen["amount"].astype("float64") - rows[name]).abs()
    near = off <= np.where(_wanted(rows).eq("share"), _NEAR_SHARE, _NEAR)
    return pd.Series(near, index=seen.index)


def _seen(rows: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Per row the newest fact about its subject that it may be judged by; nulls where there is none.

    A fact counts from a report of a later day than the review, imported after the export. A bid or
    budget counts from the review's own day on: rows of earlier days may state what was in force then.
    """
    facts = pd.concat(
        [
            _of_entities(shown),
            _named(shown),
            _settings(shown),
        ],
        ignore_index=True,
    )
    pairs = _asked(rows).merge(facts, on=["key", "fact"], suffixes=("_asked", ""))
    ids, shown_ids = pairs["campaign_id_asked"], _known(pairs["campaign_id"])
    # Of namesakes the one with another id is another campaign, such as one that was removed.
    pairs = pairs[ids.eq("") | shown_ids.eq("") | ids.eq(shown_ids)]
    later = (pairs["as_of"] > pairs["reviewed"]) & (pairs["imported_at"] >= pairs["exported_at"])
    # What a list of campaigns told is kept with the verdict only: no older fact comes after it.
    later &= ~(pairs["as_of"] < pairs["seen_on"])
    dated = ~pairs["fact"].isin(_AMOUNTS) | (pairs["day"] >= pairs["reviewed"])
    usable = pairs[later & dated].sort_values(["day", "as_of"], kind="stable")
    newest = usable.drop_duplicates("place", keep="last").set_index("place")
    return newest[list(_FOUND)].reindex(range(len(rows)))


def _asked(rows: pd.DataFrame) -> pd.DataFrame:
    """What to look for per row: under its key, and a campaign under its id besides, where known."""
    campaign = rows["kind"].isin(_OF_CAMPAIGN)
    asked = pd.DataFrame(
        {
            "place": range(len(rows)),
            "key": _subject(rows),
            "campaign_id": _known(rows["campaign_id"]).where(campaign, ""),
            "fact": _wanted(rows),
            "reviewed": rows["as_of"],
            "exported_at": rows["exported_at"],
            "seen_on": pd.to_datetime(rows["seen_on"]),
        }
    )
    by_id = asked[asked["campaign_id"].ne("")]
    return pd.concat([asked, by_id.assign(key=_id_key(by_id))], ignore_index=True)


def _known(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Ids, empty where there is none."""
    return ids.astype("object").where(ids.notna(), "")


def _id_key(facts: pd.DataFrame) -> pd.Series[Any]:
    return _SEPARATOR + facts["campaign_id"]


_FOUND = ("amount", "text", "day", "as_of", "batch_id", "file_name")


def _wanted(rows: pd.DataFrame) -> pd.Series[str]:
    """The fact that tells of each row: bids, statuses, budgets, shares; of negatives their presence."""
    fact = rows["kind"].map(_FACT).fillna("negative")
    weight = rows["kind"].eq("shift_creative") & rows["reason"].eq(_WEIGHT)
    return fact.mask(weight, "share")


def _subject(rows: pd.DataFrame) -> pd.Series[str]:
    """The key that `_seen` finds the row's facts under."""
    text = _name_key(rows).mask(rows["kind"].isin(_OF_CAMPAIGN), rows["campaign_name"])
    own = rows["kind"].isin(["raise", "lower", "pause", "resume", "shift_creative"])
    return text.mask(own, rows["entity_key"])


def _name_key(rows: pd.DataFrame) -> pd.Series[str]:
    text = normalise_text(rows["keyword_text"].astype("str"))
    return _joined([rows["campaign_name"], rows["ad_group_name"], text, rows["match_type"]])


def _joined(parts: list[Any]) -> pd.Series[Any]:
    first, *rest = (part.astype("object").where(part.notna(), "") for part in parts)
    key: pd.Series[Any] = first
    for part in rest:
        key = key + _SEPARATOR + part
    return key


def _of_entities(shown: pd.DataFrame) -> pd.DataFrame:
    facts = shown[shown["fact"].isin(["bid", "status", "share"])]
    return facts.assign(key=facts["entity_key"])


def _named(shown: pd.DataFrame) -> pd.DataFrame:
    """Bids of keywords that still exist, and negatives, under their names.

    A term that came again and is not excluded tells that its exact negative is not there.
    """
    status = shown[shown["fact"].eq("status")].set_index("entity_key")["text"]
    gone = shown["entity_key"].map(status[~status.index.duplicated()]).isin(_GONE)
    bids = shown[shown["fact"].eq("bid") & ~gone]
    terms = shown[shown["fact"].eq("term_status") & shown["text"].notna()]
    negatives = shown[shown["fact"].eq("negative")]
    # Lists come last: of one day they outrank what the term's row says.
    listed = pd.concat([terms.assign(fact="negative", match_type="EXACT"), negatives])
    return pd.concat([_keyed(bids), _keyed(listed)], ignore_index=True)


def _keyed(facts: pd.DataFrame) -> pd.DataFrame:
    return facts.assign(key=_name_key(facts))


def _settings(shown: pd.DataFrame) -> pd.DataFrame:
    """Each campaign's budget and target as its newest row has them, under its name and its id."""
    settings = shown[shown["fact"].isin(["campaign_budget", "campaign_target"])]
    ordered = settings.assign(campaign_id=_known(settings["campaign_id"])).sort_values(
        ["day", "as_of"], kind="stable"
    )
    newest = ordered.drop_duplicates(["campaign_id", "campaign_name", "fact"], keep="last")
    with_id = newest[newest["campaign_id"].ne("")]
    by_name = newest.assign(key=newest["campaign_name"])
    return pd.concat([by_name, with_id.assign(key=_id_key(with_id))], ignore_index=True)


# the platform's result file


def judge_results(
    rows: pd.DataFrame, results: pd.DataFrame, file_name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Verdicts (VERDICTS) from a result file's rows, and those rows that settle nothing (UNMATCHED).

    `results` as `reports.results`. Rows are found by the id we gave them, else by the platform's ids,
    else by names; a row that states another value than was approved is of another file. A report
    that has settled a row is not overruled.
    """
    found = results.assign(place=_places(rows, results))
    at = found["place"].to_numpy()
    wanted = rows["approved_bid"].to_numpy()[at] if len(rows) else np.full(len(at), np.nan)
    differs = found["value"].notna() & ~np.isclose(found["value"], wanted, rtol=0, atol=_NEAR)
    unmatched = found["place"].lt(0) | differs
    unclear = ~unmatched & found["outcome"].eq("unclear")
    left = found[unmatched | unclear].assign(
        code=np.where(unmatched, "result_unmatched", "result_unclear")[unmatched | unclear]
    )
    clear = found[~unmatched & ~unclear]
    worst = clear.assign(rank=clear["outcome"].map(_WORST)).sort_values("rank", kind="stable")
    single = worst.drop_duplicates("place")
    told = _from_results(rows, single, file_name)
    return told, left[list(UNMATCHED)].reset_index(drop=True)


_WORST = {"refused": 0, "skipped": 1, "done": 2}
_CODE = {
    "refused": "platform_refused",
    "skipped": "platform_skipped",
    "done": "platform_accepted",
}


def _from_results(rows: pd.DataFrame, single: pd.DataFrame, file_name: str) -> pd.DataFrame:
    own = rows.iloc[single["place"].to_numpy()].reset_index(drop=True)
    single = single.reset_index(drop=True)
    told = own[["id", "version"]].assign(
        from_delivery=own["delivery"],
        delivery=single["outcome"].eq("done").map({True: "confirmed_live", False: "failed"}),
        code=single["outcome"].map(_CODE),
        text=single["text"].mask(single["text"].eq(""), None),
        seen_value=np.nan,
        seen_state=None,
        seen_on=None,
        batch_id=None,
        file_name=file_name,
    )
    news = told["delivery"].ne(own["delivery"]) | told["code"].ne(own["code"])
    return told[own["delivery"].isin(["exported", "failed"]) & news].reset_index(drop=True)[
        list(VERDICTS)
    ]


def _places(rows: pd.DataFrame, results: pd.DataFrame) -> np.ndarray:
    """Position in `rows` of each result row's suggestion, -1 where it has none."""
    place = np.full(len(results), -1)
    for ours, theirs in zip(_keys(rows, rows["id"]), _keys(results, results["id"]), strict=True):
        known = ours[ours.notna() & ~ours.duplicated(keep=False)]
        at = pd.Series(known.index.to_numpy(), index=known.to_numpy())
        hit = theirs.map(at).fillna(-1).to_numpy(dtype=np.int64)
        place = np.where(place < 0, hit, place)
    return place


def _keys(rows: pd.DataFrame, ids: pd.Series[Any]) -> list[pd.Series[Any]]:
    """Keys to find a row by, the surest first; null where a part is missing."""
    slot = rows["slot"].astype("object")
    new = slot.isin(["add", "negative"])
    campaign = slot.isin(["budget", "target"])
    text = normalise_text(rows["keyword_text"].astype("str"))
    group, name = rows["ad_group_id"], rows["campaign_name"]
    of_group = _whole([slot, group, rows["keyword_id"]]).where(~new & ~campaign)
    by_text = _whole([slot, group, text, rows["match_type"]]).where(new)
    by_campaign = _whole([slot, rows["campaign_id"]]).where(campaign)
    names = [slot, name, rows["ad_group_name"], text, rows["match_type"]]
    by_name = _whole(names).where(~campaign, _whole([slot, name]))
    return [_whole([ids]), of_group, by_text, by_campaign, by_name]


def _whole(parts: list[Any]) -> pd.Series[Any]:
    plain = [part.astype("object").where(part.notna(), "") for part in parts]
    complete = np.logical_and.reduce([part.ne("").to_numpy() for part in plain])
    return _joined(plain).where(complete, None)
