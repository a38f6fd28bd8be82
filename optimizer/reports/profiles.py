"""What a report looks like, as data: `configs/reports/<name>.yaml`, one profile per kind of file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from optimizer.errors import NotFound
from optimizer.settings import Basis, Configs, Model, Platform, load_model
from optimizer.tables import (
    CREATIVE_ROWS,
    ITEM_LOG_ROWS,
    ITEM_ROWS,
    KEYWORD_ROWS,
    NEGATIVE_ROWS,
    ORGANIC_ROWS,
    STATE_ROWS,
    TERM_ROWS,
    Table,
)

FIELDS: Final = (
    "day", "period_start", "period_end", "currency", "account", "platform", "row_type",
    "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_id", "keyword_text",
    "match_type", "target_type", "item_id", "search_term", "term_match_type", "term_status",
    "creative_id", "creative_name", "level", "list_name",
    "impressions", "clicks", "cost", "conversions", "value",
    "status", "ad_group_status", "campaign_status", "bidding_mode", "bid", "first_page_bid",
    "campaign_budget", "quality_score", "impression_share", "lost_is_budget", "avg_position", "bid_source",
    "hour", "add_to_cart", "favourites", "presale_orders", "presale_value", "new_customers",
    "direct_value", "indirect_value",
    "item_ad_groups", "stage", "goal", "margin", "unit_cost", "price", "refund_rate", "stock", "restock",
    "max_loss", "salvage_margin", "share_floor", "multiplier", "what", "coupon", "image", "page",
    "visitors", "orders", "sales",
)  # fmt: skip
RATIOS: Final = ("ctr", "avg_cpc", "conversion_rate", "cost_per_conversion", "value_per_cost")


def _one_of(known: tuple[str, ...], name: str) -> str:
    if name not in known:
        raise ValueError(f"is none of {', '.join(known)}")
    return name


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1)]
FieldName = Annotated[str, AfterValidator(partial(_one_of, FIELDS))]
RatioName = Annotated[str, AfterValidator(partial(_one_of, RATIOS))]
Names = tuple[Annotated[str, Field(min_length=1)], ...]

TEXT = (
    "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_id", "keyword_text",
    "item_id", "search_term", "creative_id", "creative_name", "list_name",
    "item_ad_groups", "coupon", "image", "page",
)  # fmt: skip
IDS = ("campaign_id", "ad_group_id", "keyword_id", "item_id", "creative_id")
WORDS = (
    "match_type", "target_type", "term_match_type", "term_status", "status", "ad_group_status",
    "campaign_status", "bidding_mode", "level", "stage", "goal", "what",
)  # fmt: skip
EXTRA_COUNTS = ("add_to_cart", "favourites", "presale_orders", "new_customers")
EXTRA_MONEY = ("presale_value", "direct_value", "indirect_value")
ITEM_MONEY = ("unit_cost", "price", "max_loss", "sales")
MONEY = ("cost", "value", "bid", "first_page_bid", "campaign_budget", *EXTRA_MONEY, *ITEM_MONEY)
COUNTS = ("impressions", "clicks")
ITEM_REALS = ("stock", "multiplier", "visitors", "orders")
REALS = ("conversions", "quality_score", "avg_position", *EXTRA_COUNTS, *ITEM_REALS)
ITEM_SHARES = ("margin", "refund_rate", "salvage_margin", "share_floor")
SHARES = ("impression_share", "lost_is_budget", *ITEM_SHARES)
COUNTED: Final = ("impressions", "clicks", "cost", "conversions")
METRICS = (*COUNTED, "value")
MONEY_UNITS = {"currency": 1_000_000, "fen": 10_000, "li": 1_000, "micros": 1}
"""Micros in each unit that a money cell may count in; 厘 (li) is a thousandth of a yuan."""
TABLES: Final = {
    "keyword": KEYWORD_ROWS,
    "search_term": TERM_ROWS,
    "creative": CREATIVE_ROWS,
    "keyword_state": STATE_ROWS,
    "negative": NEGATIVE_ROWS,
    "item": ITEM_ROWS,
    "item_log": ITEM_LOG_ROWS,
    "organic": ORGANIC_ROWS,
}
SUBJECTS: Final = {
    "search_term": "search_term",
    "creative": "creative_name",
    "item": "item_id",
    "item_log": "item_id",
}
SNAPSHOTS: Final = ("keyword_state", "negative", "item")
"""Grains without counts: what is the case on the download day."""
UNPAID: Final = ("item_log", "organic")
"""Grains of days or periods that count nothing of what was paid for."""

MoneyUnit = Literal["currency", "fen", "li", "micros"]
Asked = Literal["currency", "attribution_window_days", "attribution_basis"]


class NumberFormat(Model):
    """How numbers are written: 1,234.5 by default; `multipliers` are endings such as 万."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", ""] = ","
    multipliers: Mapping[str, Annotated[int, Field(gt=0)]] = {}
    symbols: Names = ("$", "€", "£", "¥", "￥")

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same mark")
        return self


class TotalsRules(Model):
    """Rows that sum other rows, by pattern of any cell; they serve as checksums.

    `own`: one of the rows found must equal our sums. `at_least`: must not be below them. `other`:
    dropped unread. `unlabelled_last`: the last row may hold sums without a label. `blank_day`: a
    row without a day holds the sum of its key's days. `expected`: a file without any is warned about.
    """

    own: tuple[Pattern, ...] = ()
    at_least: tuple[Pattern, ...] = ()
    other: tuple[Pattern, ...] = ()
    unlabelled_last: bool = False
    blank_day: bool = False
    expected: bool = False

    @field_validator("own", "at_least", "other")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_compiled(pattern) for pattern in patterns)


class BidMarks(Model):
    """Endings and whole cells of the bid column that tell how the keyword is bid on."""

    enhanced: Names = ("(enhanced)",)
    automated: Names = ("auto:",)
    null_means_automated: bool = False


class Preamble(Model):
    """What lines above the header say, each as a pattern of a whole line.

    `rows`: the file's own number of rows, a checksum. `period`: the first day in its first group, the
    last in its second, which may be missing. `incomplete`: the last day is not complete yet.
    `refused`: a kind of report whose rows are no days.
    """

    rows: Pattern | None = None
    period: Pattern | None = None
    incomplete: Pattern | None = None
    refused: tuple[Pattern, ...] = ()

    @field_validator("rows", "period", "incomplete")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        return pattern and _compiled(pattern)

    @field_validator("refused")
    @classmethod
    def _all_compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_compiled(pattern) for pattern in patterns)


class Lookup(Model):
    """Cells that a row takes from another row of the same file, such as its campaign's.

    The other row is one of the types `rows`, and its `key` equals the field `by`.
    """

    rows: Names
    key: Names
    by: FieldName
    cells: Mapping[FieldName, Annotated[Names, Field(min_length=1)]]


class ShareBounds(Model):
    """Numbers that stand for `below 10 %` and `above 90 %` where an interface has no other way."""

    below: Annotated[float, Field(gt=0, lt=1)] = 0.0999
    above: Annotated[float, Field(gt=0, lt=1)] = 0.9001


class ReportProfile(Model):
    """One kind of report file. Header names and words are compared without case and extra spaces.

    `columns` lists, per field, the headers it may have. `required` fields must be in the file.
    `absent` headers mark another kind of report, `localised` ones the same in another language.
    `segments` are columns whose rows add up to the day (device, network). `words` translate cells
    to our words (null: unknown on purpose); `target_types` read the kind of target from the match
    type cell. `constants` stand in for columns a file does not have
    ('': it may lack them). `money_unit`: what 1 in a money
    cell is worth, `money_units` where a column differs.

    `row_types`: of a file whose rows are of several kinds, those read (column `row_type`); `lookups`
    take cells from others. `otherwise`: columns that serve where a field's own cell is empty.
    `joined`: fields made of several cells. `asks`: what the operator must say, since no such file
    does. `family`: profiles that may each read their part of one file. `confirmed`: false in a draft
    that nobody has looked through; such a profile reads nothing.

    `period_in_name`: a pattern whose two groups are the period, in the name of the file. `rows_span`
    file: days of single rows are only those with a click, and every row stands for the file's whole
    period. `window_in_header`: a pattern whose group is the attribution window, in the headers of
    conversions and value. `either_date_format`: formats one of which the file follows throughout.
    `targets`: kinds of target by pattern of the keyword's text, for rows without a match type.
    `removed_suffix`: what names of deleted things end in. `day_ranges`: instead of days, every row may
    state the one period that the file sums, as `20260901至20260930`.
    `rows_without_subject`: rows that name no keyword or term are of another kind, not wrong.
    """

    name: str = ""
    confirmed: bool = True
    platform: Platform
    grain: Literal[
        "keyword", "search_term", "creative", "keyword_state", "negative",
        "item", "item_log", "organic",
    ]  # fmt: skip
    family: str = ""
    columns: Mapping[FieldName, Annotated[Names, Field(min_length=1)]]
    required: tuple[FieldName, ...]
    key: tuple[FieldName, ...] = ()
    absent: Names = ()
    localised: Names = ()
    segments: Names = ()
    period_in_name: Pattern | None = None
    rows_span: Literal["own", "file"] = "own"
    window_in_header: Pattern | None = None
    either_date_format: Names = ()
    targets: Mapping[str, str] = {}
    rows_without_subject: bool = False
    removed_suffix: str = ""
    day_ranges: bool = False
    derived: Mapping[RatioName, Names] = {}
    null_marks: tuple[str, ...] = ("--", "-", "—")
    zero_marks: Mapping[FieldName, Names] = {}
    row_types: Names = ()
    lookups: tuple[Lookup, ...] = ()
    otherwise: Mapping[FieldName, Annotated[Names, Field(min_length=1)]] = {}
    joined: Mapping[FieldName, Names] = {}
    number: NumberFormat = NumberFormat()
    money_unit: MoneyUnit = "currency"
    money_units: Mapping[FieldName, MoneyUnit] = {}
    share_bounds: ShareBounds | None = None
    percent_cells: Literal["fraction", "percent"] = "fraction"
    date_formats: Names = ("%Y-%m-%d",)
    header_units: Mapping[str, str] = {}
    encoding: str = "auto"
    delimiter: Literal["auto", ",", "\t", ";", "|"] = "auto"
    sheet: str | None = None
    preamble: Preamble = Preamble()
    totals: TotalsRules = TotalsRules()
    footers: tuple[Pattern, ...] = ()
    constants: Mapping[FieldName, str] = {}
    words: Mapping[FieldName, Mapping[str, str | None]] = {}
    target_types: Mapping[str, str] = {}
    bid: BidMarks = BidMarks()
    attribution_window_days: Annotated[int, Field(ge=1, le=365)] | None = None
    attribution_basis: Basis | None = None
    asks: tuple[Asked, ...] = ()

    @field_validator("period_in_name", "window_in_header")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        return pattern and _compiled(pattern)

    @field_validator("targets")
    @classmethod
    def _all_compile(cls, targets: Mapping[str, str]) -> Mapping[str, str]:
        return {_compiled(pattern): kind for pattern, kind in targets.items()}

    @field_validator("encoding")
    @classmethod
    def _known_codec(cls, name: str) -> str:
        try:
            return name if name == "auto" else codecs.lookup(name).name
        except LookupError as error:
            raise ValueError(f"{name!r} is no encoding that Python knows") from error

    @property
    def table(self) -> Table:
        """The table that the rows of this report become."""
        return TABLES[self.grain]

    @property
    def subject(self) -> str:
        """The text that a row is about."""
        return SUBJECTS.get(self.grain, "keyword_text")

    @property
    def is_snapshot(self) -> bool:
        """True for what holds on the download day and counts nothing."""
        return self.grain in SNAPSHOTS

    @property
    def counts_traffic(self) -> bool:
        """True where every row counts impressions, clicks, cost and conversions."""
        return self.grain not in (*SNAPSHOTS, *UNPAID)

    def unit_of(self, name: str) -> int:
        """Micros that 1 in a cell of the money field is worth."""
        return MONEY_UNITS[self.money_units.get(name, self.money_unit)]

    @property
    def needed(self) -> tuple[str, ...]:
        """Fields that every row must have: what it is about, the counts, and those `required`."""
        always: tuple[str, ...] = (self.subject, *(COUNTED if self.counts_traffic else ()))
        return tuple(dict.fromkeys((*always, *self.required)))

    @model_validator(mode="after")
    def _needed_are_described(self) -> Self:
        looked_up = {name for lookup in self.lookups for name in lookup.cells}
        stated = {*self.constants, *looked_up, *self.joined} - {*COUNTED}
        given = {*self.columns, *stated}
        if missing := sorted({*self.needed} - given):
            raise ValueError(f"columns or constants lack {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _row_types_have_a_column(self) -> Self:
        if bool(self.row_types) != ("row_type" in self.columns):
            raise ValueError("row_types and a column row_type go together")
        if self.lookups and not self.row_types:
            raise ValueError("lookups need row_types")
        return self


@dataclass(frozen=True)
class Told:
    """What the operator says about files that do not say it themselves."""

    currency: str | None = None
    attribution_window_days: int | None = None
    attribution_basis: Basis | None = None

    @property
    def answers(self) -> dict[str, str | int]:
        """What was said."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def unanswered(profile: ReportProfile, told: Told, earlier: Told) -> list[str]:
    """What the profile asks for and nobody said, now or `earlier`."""
    return [name for name in profile.asks if name not in told.answers | earlier.answers]


def answered(profile: ReportProfile, told: Told, earlier: Told) -> ReportProfile:
    """The profile with what the operator says in it; `earlier` answers only what it asks."""
    asked = {name: value for name, value in earlier.answers.items() if name in profile.asks}
    said: dict[str, Any] = asked | told.answers
    currency = said.pop("currency", None)
    if currency is not None:
        said["constants"] = {**profile.constants, "currency": str(currency).upper()}
    return profile.model_copy(update=said)


def load_profiles(configs: Configs) -> dict[str, ReportProfile]:
    """Every profile of `configs/reports`, by file stem. Raises `BadSettings`."""
    return {path.stem: _load(path) for path in configs.files("reports")}


def load_profile(configs: Configs, name: str) -> ReportProfile:
    """The profile called `name`. Raises `NotFound` listing those that exist, and `BadSettings`."""
    paths = {path.stem: path for path in configs.files("reports")}
    if name not in paths:
        raise NotFound("profile_unknown", profile=name, known=sorted(paths))
    return _load(paths[name])


def _load(path: Path) -> ReportProfile:
    return load_model(path, ReportProfile).model_copy(update={"name": path.stem})
