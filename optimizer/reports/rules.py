"""What can be wrong with a row, as rules in SQL, most telling first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from optimizer.reports import cells, items
from optimizer.reports.profiles import COUNTS, IDS, METRICS, SHARES, TEXT, WORDS
from optimizer.reports.rows import COUNTED, NUMBERS, Reading
from optimizer.reports.values import bound

OLDEST_DAY: Final = date(2000, 1, 1)
"""Earlier dates are a spreadsheet's zero, not days of a report."""
_STRICT_WORDS: Final = ("match_type", "term_match_type", "target_type", "level", *items.WORDS)


@dataclass(frozen=True)
class Rule:
    """One way in which a row can be wrong: SQL that is true then, the field, and the code."""

    wrong: str
    field: str
    code: str


def problem(reading: Reading, *, told: bool) -> str:
    """SQL of the number of the first rule that is broken; NULL where none is.

    `told`: of the rules on what is told of a thing, else of those on what a row counts. A row's
    problem is the lesser of the two.
    """
    whens = " ".join(
        f"WHEN {rule.wrong} THEN {at}"
        for at, rule in enumerate(rules(reading))
        if (rule.field not in COUNTED) is told
    )
    return f"CAST({f'CASE {whens} END' if whens else 'NULL'} AS USMALLINT)"


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
    for name in reading.fields(NUMBERS):
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
    return f"{stated} AND {bound(reading, name)} IS NULL" if name in SHARES else stated


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
