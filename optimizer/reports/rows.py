"""The one query that turns lines into typed rows, and names the first thing wrong with each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from optimizer.reports import cells, extras, items, targets
from optimizer.reports.layout import Layout
from optimizer.reports.profiles import (
    COUNTS,
    EXTRA_COUNTS,
    EXTRA_MONEY,
    IDS,
    METRICS,
    MONEY,
    REALS,
    SHARES,
    TEXT,
    WORDS,
    ReportProfile,
)

OLDEST_DAY: Final = date(2000, 1, 1)
"""Earlier dates are a spreadsheet's zero, not days of a report."""
_STRICT_WORDS: Final = ("match_type", "term_match_type", "target_type", "level", *items.WORDS)
_NUMBERS: Final = (*COUNTS, *REALS, *MONEY, *SHARES)
_KEY_TEXT: Final = (*TEXT, "match_type", "target_type", "term_match_type", "level", "what")
_NAMED_BY: Final = {
    "status": "keyword_text",
    "ad_group_status": "ad_group_name",
    "campaign_status": "campaign_name",
}
"""The name that may bear the mark of a deletion, by the status that it tells."""
_NULL: Final = "CAST(NULL AS"
_NO_TEXT: Final = "CAST(NULL AS VARCHAR)"
_NO_MONEY: Final = "CAST(NULL AS BIGINT)"
_NO_COUNTS: Final = (
    f"{_NO_MONEY} AS impressions",
    f"{_NO_MONEY} AS clicks",
    "CAST(NULL AS DOUBLE) AS conversions",
    f"{_NO_MONEY} AS cost_micros",
    f"{_NO_MONEY} AS value_micros",
)
_ALWAYS: Final = (
    *_NO_COUNTS,
    f"{_NO_MONEY} AS bid_micros",
    f"{_NO_TEXT} AS bidding_mode",
)
"""Columns that later queries name, whether the file has them or not."""


@dataclass(frozen=True)
class Rule:
    """One way in which a row can be wrong: SQL that is true then, the field, and the code."""

    wrong: str
    field: str
    code: str


@dataclass(frozen=True)
class Reading:
    """What is read, how and from where: everything that the queries need to know."""

    file: str
    lines: Path
    layout: Layout
    profile: ReportProfile
    as_of: date
    period: tuple[date, date] | None
    controls: bool
    """Whether some cell may hold control characters; the check is left out where none can."""

    def has(self, name: str) -> bool:
        """True where the file has a column for the field."""
        return name in self.layout.columns

    def text(self, name: str) -> str:
        """SQL of the field's cleaned text: ready for words, made on demand for numbers."""
        if name not in _NUMBERS:
            return f"t_{name}"
        return cells.text(self.cell(name), self.profile.null_marks)

    def cell(self, name: str) -> str:
        """SQL of the field's cell as it stands in the file."""
        return f"c{self.layout.columns[name]}"

    @property
    def source(self) -> str:
        """SQL of the lines: the file, or a table of them where rows take cells from one another."""
        return extras.BASE if extras.takes_from_rows(self.layout) else read_csv_sql(self)

    def fields(self, names: tuple[str, ...]) -> Iterator[str]:
        """Those of `names` that the file has."""
        return (name for name in names if self.has(name))


def read_csv_sql(reading: Reading) -> str:
    """The scan of the data lines: every column VARCHAR, nothing guessed, rejects stored."""
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(reading.layout.width))
    return (
        f"read_csv({cells.quoted(str(reading.lines))}, columns={{{columns}}}, header=false, "
        f"delim={cells.quoted(reading.layout.delimiter)}, quote='\"', escape='\"', comment='', "
        "auto_detect=false, strict_mode=true, null_padding=false, store_rejects=true, "
        "new_line='\\n')"
    )


def typed_rows_sql(reading: Reading) -> str:
    """SELECT of typed fields and `problem`, the number of the first rule broken; absent fields left out."""
    named = [name for name in _names(reading) if not name.startswith(_NULL) or name in _ALWAYS]
    return (
        f"SELECT {', '.join(named)}, {_entity(reading)} AS entity, {_segment(reading)} AS segment,"
        f" {_problem(reading)} AS problem FROM ({values_sql(reading)})"
    )


def base_sql(reading: Reading) -> str:
    """CREATE of the table `base` of all lines with their place."""
    lines = read_csv_sql(reading)
    return (
        f"CREATE TEMP TABLE {extras.BASE} AS SELECT row_number() OVER () AS place, * FROM {lines}"
    )


def cells_sql(reading: Reading, records: Path) -> str:
    """SELECT of the raw cells of each record of another file of the same layout, as a list."""
    source = read_csv_sql(replace(reading, lines=records))
    raw = ", ".join(f"c{at}" for at in range(reading.layout.width))
    return f"SELECT row_number() OVER () - 1 AS place, [{raw}] AS cells FROM {source}"


def values_sql(reading: Reading) -> str:
    """SELECT of each line's raw cells c0…, cleaned texts t_<field> and values v_<field>."""
    raw = _raw(reading)
    texts, values = ", ".join(_texts(reading)), ", ".join(_values(reading))
    lines = extras.scan_sql(reading.source, reading.layout, reading.profile.null_marks)
    return f"SELECT *, {values} FROM (SELECT {raw}, {texts} FROM ({lines}))"


def _raw(reading: Reading) -> str:
    return ", ".join(f"c{at}" for at in range(len(reading.layout.headers)))


def _texts(reading: Reading) -> Iterator[str]:
    """t_<field>: the cell as cleaned text."""
    marks = reading.profile.null_marks
    for name in reading.layout.columns:
        if name not in _NUMBERS:
            yield f"{cells.text(reading.cell(name), marks)} AS t_{name}"


def _values(reading: Reading) -> Iterator[str]:
    """v_<field>: the value, NULL where the text is none or cannot be read."""
    yield from _days(reading)
    yield from (f"{_text(reading, name)} AS v_{name}" for name in reading.fields(TEXT))
    yield from (f"{_word(reading, name)} AS v_{name}" for name in reading.fields(WORDS))
    yield from (f"{_number(reading, name)} AS v_{name}" for name in reading.fields(COUNTS + REALS))
    yield from (f"{_money(reading, name)} AS v_{name}" for name in reading.fields(MONEY))
    yield from (f"{_share(reading, name)} AS v_{name}" for name in reading.fields(SHARES))


def _text(reading: Reading, name: str) -> str:
    if name in IDS:
        return cells.identifier(f"t_{name}")
    suffix = reading.profile.removed_suffix
    if suffix and name in _NAMED_BY.values():
        return cells.without_suffix(f"t_{name}", suffix)
    return f"t_{name}"


def _word(reading: Reading, name: str) -> str:
    return cells.word(f"t_{name}", reading.profile.words.get(name, {}))


def _number(reading: Reading, name: str) -> str:
    profile, cell = reading.profile, reading.cell(name)
    endings = (*profile.bid.enhanced, *profile.bid.automated) if name == "bid" else ()
    wide = name in MONEY and profile.unit_of(name) == 1
    value = cells.number(cell, profile.number, profile.null_marks, endings, wide=wide)
    if zeros := profile.zero_marks.get(name):
        return f"CASE WHEN trim({cell}) IN {cells.literals(zeros)} THEN 0 ELSE {value} END"
    return value


def _money(reading: Reading, name: str) -> str:
    return cells.micros(_number(reading, name), reading.profile.unit_of(name))


def _share(reading: Reading, name: str) -> str:
    profile = reading.profile
    return cells.share(
        reading.cell(name),
        profile.number,
        profile.percent_cells,
        profile.null_marks,
        profile.share_bounds,
    )


def _bound(reading: Reading, name: str) -> str:
    profile = reading.profile
    return cells.bound(reading.cell(name), profile.number, profile.null_marks, profile.share_bounds)


def _days(reading: Reading) -> Iterator[str]:
    formats = reading.profile.date_formats
    if reading.period:
        for name, value in zip(("first", "last"), reading.period, strict=True):
            yield f"DATE '{value}' AS v_{name}_day"
    elif reading.has("day"):
        yield f"{cells.day('t_day', formats)} AS v_first_day"
        yield f"{cells.day('t_day', formats)} AS v_last_day"
    else:
        yield f"{cells.day('t_period_start', formats)} AS v_first_day"
        yield f"{cells.day('t_period_end', formats)} AS v_last_day"


def _names(reading: Reading) -> Iterator[str]:
    """Columns of the typed row, under the names of the table."""
    yield "v_first_day AS first_day"
    yield "v_last_day AS last_day"
    texts = (name for name in TEXT if name in reading.profile.table.columns)
    yield from (f"{_named_text(reading, name)} AS {name}" for name in texts)
    yield from _count_names(reading) if reading.profile.counts_traffic else _NO_COUNTS
    stated = ("currency", "account", "platform")
    yield from (f"t_{name} AS {name}" for name in reading.fields(stated))
    yield from _OWN_NAMES[reading.profile.grain](reading)


def _count_names(reading: Reading) -> Iterator[str]:
    yield from (f"CAST(v_{name} AS BIGINT) AS {name}" for name in COUNTS)
    yield "CAST(v_conversions AS DOUBLE) AS conversions"
    yield "v_cost AS cost_micros"
    yield f"{'v_value' if reading.has('value') else _NO_MONEY} AS value_micros"


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


def _term_names(reading: Reading) -> Iterator[str]:
    yield f"{_value_or_constant(reading, 'term_match_type')} AS term_match_type"
    yield f"{_state(reading, 'term_status')} AS term_status"
    parts = reading.fields(("direct_value", "indirect_value"))
    yield from (f"v_{name} AS {name}_micros" for name in parts)


def _creative_names(reading: Reading) -> Iterator[str]:
    yield f"{_state(reading, 'status')} AS status"


def _negative_names(reading: Reading) -> Iterator[str]:
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


def _keyword_names(reading: Reading) -> Iterator[str]:
    yield from _state_names(reading)
    yield from _share_names(reading)
    yield from (f"CAST(v_{name} AS DOUBLE) AS {name}" for name in reading.fields(EXTRA_COUNTS))
    yield from (f"v_{name} AS {name}_micros" for name in reading.fields(EXTRA_MONEY))
    yield from (f"{cells.hour('t_hour')} AS hour" for _ in reading.fields(("hour",)))


def _state_names(reading: Reading) -> Iterator[str]:
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


def _share_names(reading: Reading) -> Iterator[str]:
    for name in (*SHARES, "avg_position"):
        known = f"CAST(v_{name} AS DOUBLE)" if reading.has(name) else "CAST(NULL AS DOUBLE)"
        yield f"{known} AS {name}"
    shown = reading.has("impression_share")
    bound = _bound(reading, "impression_share") if shown else ""
    censor = f"CASE WHEN v_impression_share IS NOT NULL THEN 'none' ELSE {bound} END"
    yield f"{censor if shown else _NO_TEXT} AS impression_share_censor"


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
    suffix, named = reading.profile.removed_suffix, _NAMED_BY.get(name, "")
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


_OWN_NAMES: Final = {
    "keyword": _keyword_names,
    "search_term": _term_names,
    "creative": _creative_names,
    "keyword_state": _state_names,
    "negative": _negative_names,
    "item": items.item_names,
    "item_log": items.log_names,
    "organic": items.organic_names,
}
"""What rows of each grain have beside names and counts."""


def _entity(reading: Reading) -> str:
    """Hash of what identifies the thing a row is about, whatever the day."""
    key = reading.profile.key or tuple(reading.profile.table.key)
    fields = [name for name in key if name in _KEY_TEXT and reading.has(name)]
    values = [f"t_{name}" if name in WORDS else f"v_{name}" for name in fields]
    return f"hash({', '.join(values or ['1'])})"


def _segment(reading: Reading) -> str:
    """Hash of the columns whose rows add up to a day."""
    at = ", ".join(f"c{position}" for position in reading.layout.segments)
    return f"hash({at})" if at else "CAST(0 AS UBIGINT)"


def rules(reading: Reading) -> list[Rule]:
    """What can be wrong with a row, most telling first; a day that is only missing comes last."""
    return [
        *_type_rules(reading),
        *(_control_rules(reading) if reading.controls else ()),
        *(
            Rule(cells.lost_digits(f"t_{name}"), name, "id_lost_digits")
            for name in reading.fields(IDS)
        ),
        *_number_rules(reading),
        *_word_rules(reading),
        *_missing_rules(reading),
        *(Rule(*rule) for rule in items.rules(reading)),
        *_totals_rules(reading),
        *_day_rules(reading),
    ]


def _type_rules(reading: Reading) -> Iterator[Rule]:
    """Rows of a kind that the profile does not read."""
    if reading.profile.row_types:
        kinds = cells.literals([kind.lower() for kind in reading.profile.row_types])
        # The first one must stay first: `sorting` drops its rows unread.
        yield Rule(f"lower(t_row_type) NOT IN {kinds}", "row_type", "other_row")
        yield Rule("t_row_type IS NULL", "row_type", "other_row")
    elif reading.profile.rows_without_subject:
        subject = reading.profile.subject
        yield Rule(f"v_{subject} IS NULL", subject, "other_row")


def _control_rules(reading: Reading) -> Iterator[Rule]:
    for name in reading.fields((*TEXT, *WORDS)):
        yield Rule(
            f"regexp_matches(t_{name}, {cells.quoted(cells.CONTROLS)})", name, "control_character"
        )


def _number_rules(reading: Reading) -> Iterator[Rule]:
    for name in reading.fields(_NUMBERS):
        yield Rule(_where_null(name, _is_stated(reading, name)), name, "not_a_number")
        yield Rule(f"v_{name} < 0", name, "negative")
    for name in reading.fields((*COUNTS, "quality_score")):
        yield Rule(f"v_{name} <> floor(v_{name})", name, "not_whole")
    for name in reading.fields(COUNTS):
        yield Rule(
            cells.looks_grouped(reading.cell(name), reading.profile.number), name, "not_whole"
        )
    for name in reading.fields(SHARES):
        yield Rule(f"v_{name} > 1", name, "share_above_one")


def _is_stated(reading: Reading, name: str) -> str:
    stated = f"{reading.text(name)} IS NOT NULL"
    return f"{stated} AND {_bound(reading, name)} IS NULL" if name in SHARES else stated


def _where_null(name: str, condition: str) -> str:
    # CASE, since AND would look at the text of every row and not only of the few without a value.
    return f"CASE WHEN v_{name} IS NULL THEN {condition} ELSE false END"


def _word_rules(reading: Reading) -> Iterator[Rule]:
    for name in reading.fields(_STRICT_WORDS):
        unlisted = cells.is_unlisted(f"t_{name}", reading.profile.words.get(name, {}))
        yield Rule(_where_null(name, unlisted), name, "word_unknown")


def _missing_rules(reading: Reading) -> Iterator[Rule]:
    for name in reading.fields(reading.profile.needed):
        if name in (*TEXT, *METRICS):
            yield Rule(f"v_{name} IS NULL", name, "value_missing")


def _totals_rules(reading: Reading) -> Iterator[Rule]:
    """A subject that reads like a total counts as one where no other text stands beside it."""
    totals = reading.profile.totals
    patterns = (*totals.own, *totals.at_least, *totals.other)
    if not patterns:
        return
    if not reading.has(reading.profile.subject):
        return
    others = [f"t_{name}" for name in reading.fields(TEXT) if name != reading.profile.subject]
    alone = f"coalesce({', '.join([*others, 'NULL'])}) IS NULL" if others else "true"
    label = cells.any_pattern(f"t_{reading.profile.subject}", patterns)
    yield Rule(
        f"CASE WHEN {alone} THEN {label} ELSE false END", reading.profile.subject, "total_label"
    )


def _day_rules(reading: Reading) -> Iterator[Rule]:
    if reading.period:
        return
    names = ("day",) if reading.has("day") else ("period_start", "period_end")
    for name, side in zip(names, ("first", "last"), strict=False):
        value = f"v_{side}_day"
        wrong = f"{value} IS NULL OR {value} < DATE '{OLDEST_DAY}'"
        yield Rule(f"t_{name} IS NOT NULL AND ({wrong})", name, "bad_date")
        yield Rule(f"{value} > DATE '{reading.as_of}'", name, "future_day")
    for name in names:
        yield Rule(f"t_{name} IS NULL", name, "day_missing")


def _problem(reading: Reading) -> str:
    whens = " ".join(f"WHEN {rule.wrong} THEN {at}" for at, rule in enumerate(rules(reading)))
    return f"CAST(CASE {whens} END AS USMALLINT)"
