"""Columns of typed rows under the names of their table: what is told of things, what rows count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from optimizer.reports import cells, extras, items, targets
from optimizer.reports.profiles import COUNTS, EXTRA_COUNTS, EXTRA_MONEY, TEXT
from optimizer.reports.rows import Reading
from optimizer.reports.values import NAMED_BY, bound

_NO_TEXT: Final = "CAST(NULL AS VARCHAR)"
_NO_MONEY: Final = "CAST(NULL AS BIGINT)"
_SHARES: Final = ("impression_share", "lost_is_budget", "avg_position")
_ALWAYS: Final = (f"{_NO_MONEY} AS bid_micros", f"{_NO_TEXT} AS bidding_mode")
"""Columns that later queries name, whether the file has them or not."""
_NO_COUNTS: Final = (
    f"{_NO_MONEY} AS impressions",
    f"{_NO_MONEY} AS clicks",
    "CAST(NULL AS DOUBLE) AS conversions",
    f"{_NO_MONEY} AS cost_micros",
    f"{_NO_MONEY} AS value_micros",
)


def counted_columns(reading: Reading) -> Iterator[str]:
    """What a row says of its own: days, counts, shares."""
    yield "v_first_day AS first_day"
    yield "v_last_day AS last_day"
    yield from _counts(reading) if reading.profile.counts_traffic else _NO_COUNTS
    known = reading.profile.table.columns
    yield from (f"v_{name} AS {name}" for name in reading.fields(EXTRA_COUNTS) if name in known)
    for name in reading.fields(EXTRA_MONEY):
        if f"{name}_micros" in known:
            yield f"v_{name} AS {name}_micros"
    if reading.profile.grain == "keyword":
        yield from _shares(reading)
        yield from (f"{cells.hour('t_hour')} AS hour" for _ in reading.fields(("hour",)))


def _counts(reading: Reading) -> Iterator[str]:
    yield from (f"CAST(v_{name} AS BIGINT) AS {name}" for name in COUNTS)
    yield "v_conversions AS conversions"
    yield "v_cost AS cost_micros"
    yield f"{'v_value' if reading.has('value') else _NO_MONEY} AS value_micros"


def _shares(reading: Reading) -> Iterator[str]:
    yield from (f"v_{name} AS {name}" for name in reading.fields(_SHARES))
    if reading.has("impression_share"):
        limit = bound(reading, "impression_share")
        censor = f"CASE WHEN v_impression_share IS NOT NULL THEN 'none' ELSE {limit} END"
        yield f"{censor} AS impression_share_censor"


def told_columns(reading: Reading) -> Iterator[str]:
    """What rows repeat of a thing on every day: names, states, bids.

    Columns that would be null throughout are left out, but for those that later queries name.
    """
    for column in _told(reading):
        if not column.startswith("CAST(NULL AS") or column in _ALWAYS:
            yield column


def _told(reading: Reading) -> Iterator[str]:
    texts = (name for name in TEXT if name in reading.profile.table.columns)
    yield from (f"{_named_text(reading, name)} AS {name}" for name in texts)
    stated = ("currency", "account", "platform")
    yield from (f"t_{name} AS {name}" for name in reading.fields(stated))
    yield from _TOLD_OF[reading.profile.grain](reading)


def _named_text(reading: Reading, name: str) -> str:
    if not reading.has(name):
        return _constant(reading, name)
    if reading.profile.grain == "negative" and name in ("ad_group_id", "ad_group_name"):
        # A parent's id may stand in one column, whichever the level.
        return f"CASE WHEN {_level(reading)} = 'ad_group' THEN v_{name} END"
    return _bare(reading) if name == "keyword_text" else f"v_{name}"


def _bare(reading: Reading) -> str:
    """The keyword without the marks that Google writes around it, which no keyword may contain."""
    if reading.profile.grain != "search_term" and reading.has("match_type"):
        return cells.bare_keyword("v_keyword_text", "v_match_type")
    if (
        reading.profile.grain in ("search_term", "negative")
        and reading.profile.platform == "google_ads"
    ):
        return cells.bare_keyword("v_keyword_text", None)
    return "v_keyword_text"


def _constant(reading: Reading, name: str) -> str:
    stated = reading.profile.constants.get(name)
    return cells.quoted(stated) if stated else _NO_TEXT


def _value_or_constant(reading: Reading, name: str) -> str:
    return f"v_{name}" if reading.has(name) else _constant(reading, name)


def _term_columns(reading: Reading) -> Iterator[str]:
    yield f"{_value_or_constant(reading, 'term_match_type')} AS term_match_type"
    yield f"{_state(reading, 'term_status')} AS term_status"


def _creative_columns(reading: Reading) -> Iterator[str]:
    yield f"{_state(reading, 'status')} AS status"


def _negative_columns(reading: Reading) -> Iterator[str]:
    yield f"{_value_or_constant(reading, 'match_type')} AS match_type"
    yield f"{_level(reading)} AS level"
    yield f"{_state(reading, 'status')} AS status"


def _level(reading: Reading) -> str:
    """What a negative belongs to: as the file says, else the narrowest thing that it names."""
    derived = (
        f"CASE WHEN {_known(reading, 'ad_group_id', 'ad_group_name')} THEN 'ad_group'"
        f" WHEN {_known(reading, 'campaign_id', 'campaign_name')} THEN 'campaign'"
        f" WHEN {_known(reading, 'list_name')} THEN 'list' ELSE 'account' END"
    )
    return f"coalesce({_value_or_constant(reading, 'level')}, {derived})"


def _known(reading: Reading, *names: str) -> str:
    found = " OR ".join(f"v_{name} IS NOT NULL" for name in reading.fields(names))
    return found or "false"


def _state_columns(reading: Reading) -> Iterator[str]:
    yield f"{_match_type(reading)} AS match_type"
    yield f"{_target_type(reading)} AS target_type"
    for name in ("status", "ad_group_status", "campaign_status"):
        yield f"{_state(reading, name)} AS {name}"
    yield f"{_bidding_mode(reading)} AS bidding_mode"
    for name in ("bid", "first_page_bid", "campaign_budget"):
        # A bid of 0 cannot be; files write it where there is none.
        value = f"nullif(v_{name}, 0)" if reading.has(name) else _NO_MONEY
        yield f"{value} AS {name}_micros"
    yield f"{_bid_source(reading)} AS bid_source"
    quality = "nullif(v_quality_score, 0)" if reading.has("quality_score") else "NULL"
    yield f"CAST({quality} AS BIGINT) AS quality_score"


def _bid_source(reading: Reading) -> str:
    if not reading.has("bid"):
        return _NO_TEXT
    return f"CASE WHEN v_bid > 0 THEN {_bid_origin(reading)} END"


def _bid_origin(reading: Reading) -> str:
    """Whose bid it is: the row's own where its own cell says one, else that of its ad group."""
    stated, at = _constant(reading, "bid_source"), reading.layout.columns["bid"]
    own = extras.own_cell(reading.layout, at)
    if own == at:
        return stated
    text = cells.text(f"c{own}", reading.profile.null_marks)
    return f"CASE WHEN {text} IS NOT NULL THEN {stated} ELSE 'inherited' END"


def _state(reading: Reading, name: str) -> str:
    """A status: our word, UNKNOWN for a word that nobody listed, NULL for none."""
    stated = f"CASE WHEN t_{name} IS NOT NULL THEN coalesce(v_{name}, 'UNKNOWN') END"
    stated = stated if reading.has(name) else _constant(reading, name)
    suffix, named = reading.profile.removed_suffix, NAMED_BY.get(name, "")
    if not suffix or not reading.has(named):
        return stated
    removed = f"ends_with(t_{named}, {cells.quoted(suffix)})"
    return f"CASE WHEN {removed} THEN 'REMOVED' ELSE {stated} END"


def _match_type(reading: Reading) -> str:
    stated = _value_or_constant(reading, "match_type")
    if not reading.profile.targets:
        return stated
    return f"coalesce({stated}, {targets.match_sql(_target_type(reading))})"


def _target_type(reading: Reading) -> str:
    default = reading.profile.constants.get("target_type", "keyword")
    if reading.profile.targets:
        kind = targets.kind_sql("v_keyword_text", reading.profile.targets)
        return f"CASE WHEN v_match_type IS NULL THEN {kind} ELSE {cells.quoted(default)} END"
    if reading.has("target_type"):
        return f"coalesce(v_target_type, {cells.quoted(default)})"
    if reading.has("match_type") and reading.profile.target_types:
        found = cells.word("t_match_type", reading.profile.target_types)
        return f"coalesce({found}, {cells.quoted(default)})"
    return cells.quoted(default)


def _bidding_mode(reading: Reading) -> str:
    if reading.has("bidding_mode") or not reading.has("bid"):
        return _value_or_constant(reading, "bidding_mode")
    marks, cell = reading.profile.bid, reading.cell("bid")
    known = cells.quoted(reading.profile.constants.get("bidding_mode", "manual"))
    unknown = "'automated'" if marks.null_means_automated else "NULL"
    return (
        f"CASE WHEN {_holds_one(cell, marks.automated)} THEN 'automated' "
        f"WHEN {_holds_one(cell, marks.enhanced)} THEN 'enhanced' "
        f"WHEN v_bid IS NULL THEN {unknown} ELSE {known} END"
    )


def _holds_one(cell: str, marks: tuple[str, ...]) -> str:
    return " OR ".join(f"contains({cell}, {cells.quoted(mark)})" for mark in marks) or "false"


_TOLD_OF: Final = {
    "keyword": _state_columns,
    "search_term": _term_columns,
    "creative": _creative_columns,
    "keyword_state": _state_columns,
    "negative": _negative_columns,
    "item": items.item_names,
    "item_log": items.log_names,
    "organic": items.organic_names,
}
"""What rows of each grain tell beside names."""
