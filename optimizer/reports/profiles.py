"""What a report looks like, as data: `configs/reports/<name>.yaml`, one profile per kind of file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from optimizer.errors import NotFound
from optimizer.settings import Basis, Configs, Model, Platform, load_model
from optimizer.tables import KEYWORD_ROWS, TERM_ROWS, Table

FIELDS: Final = (
    "day", "period_start", "period_end", "currency", "account",
    "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_id", "keyword_text",
    "match_type", "target_type", "item_id", "search_term", "term_match_type", "term_status",
    "impressions", "clicks", "cost", "conversions", "value",
    "status", "ad_group_status", "campaign_status", "bidding_mode", "bid", "first_page_bid",
    "campaign_budget", "quality_score", "impression_share", "lost_is_budget", "avg_position", "bid_source",
)  # fmt: skip
RATIOS: Final = ("ctr", "avg_cpc", "conversion_rate", "cost_per_conversion", "value_per_cost")


def _one_of(known: tuple[str, ...], name: str) -> str:
    if name not in known:
        raise ValueError(f"is none of {', '.join(known)}")
    return name


Pattern = Annotated[str, Field(min_length=1)]
FieldName = Annotated[str, AfterValidator(partial(_one_of, FIELDS))]
RatioName = Annotated[str, AfterValidator(partial(_one_of, RATIOS))]
Names = tuple[Annotated[str, Field(min_length=1)], ...]

TEXT = (
    "campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_id", "keyword_text",
    "item_id", "search_term",
)  # fmt: skip
IDS = ("campaign_id", "ad_group_id", "keyword_id", "item_id")
WORDS = (
    "match_type", "target_type", "term_match_type", "term_status", "status", "ad_group_status",
    "campaign_status", "bidding_mode",
)  # fmt: skip
MONEY = ("cost", "value", "bid", "first_page_bid", "campaign_budget")
COUNTS = ("impressions", "clicks")
REALS = ("conversions", "quality_score", "avg_position")
SHARES = ("impression_share", "lost_is_budget")
COUNTED: Final = ("impressions", "clicks", "cost", "conversions")
METRICS = (*COUNTED, "value")


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
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return patterns


class BidMarks(Model):
    """Endings and whole cells of the bid column that tell how the keyword is bid on."""

    enhanced: Names = ("(enhanced)",)
    automated: Names = ("auto:",)
    null_means_automated: bool = False


class ReportProfile(Model):
    """One kind of report file. Header names and words are compared without case and extra spaces.

    `columns` lists, per field, the headers it may have. `required` fields must be in the file.
    `absent` headers mark another kind of report. `segments` are columns whose rows add up to the
    day (device, network). `words` translate cells to our words (null: unknown on purpose);
    `target_types` read the kind of target from the match type cell. `constants` stand in for
    columns a file does not have. `money_unit`: what 1 in a money cell is worth.
    """

    name: str = ""
    platform: Platform
    grain: Literal["keyword", "search_term"]
    columns: Mapping[FieldName, Annotated[Names, Field(min_length=1)]]
    required: tuple[FieldName, ...]
    key: tuple[FieldName, ...] = ()
    absent: Names = ()
    segments: Names = ()
    derived: Mapping[RatioName, Names] = {}
    null_marks: tuple[str, ...] = ("--", "-", "—")
    zero_marks: Mapping[FieldName, Names] = {}
    number: NumberFormat = NumberFormat()
    money_unit: Literal["currency", "fen", "micros"] = "currency"
    percent_cells: Literal["fraction", "percent"] = "fraction"
    date_formats: Names = ("%Y-%m-%d",)
    header_units: Mapping[str, str] = {}
    encoding: str = "auto"
    delimiter: Literal["auto", ",", "\t", ";", "|"] = "auto"
    sheet: str | None = None
    totals: TotalsRules = TotalsRules()
    footers: tuple[Pattern, ...] = ()
    constants: Mapping[FieldName, str] = {}
    words: Mapping[FieldName, Mapping[str, str | None]] = {}
    target_types: Mapping[str, str] = {}
    bid: BidMarks = BidMarks()
    attribution_window_days: Annotated[int, Field(ge=1, le=365)] | None = None
    attribution_basis: Basis | None = None

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
        return KEYWORD_ROWS if self.grain == "keyword" else TERM_ROWS

    @property
    def subject(self) -> str:
        """The text that a row is about."""
        return "keyword_text" if self.grain == "keyword" else "search_term"

    @property
    def needed(self) -> tuple[str, ...]:
        """Fields that every row must have: what it is about, the counts, and those `required`."""
        always: tuple[str, ...] = (self.subject, *COUNTED)
        return tuple(dict.fromkeys((*always, *self.required)))

    @model_validator(mode="after")
    def _needed_are_described(self) -> Self:
        given = {*self.columns, *self.constants} - ({*COUNTED} - {*self.columns})
        if missing := sorted({*self.needed} - given):
            raise ValueError(f"columns or constants lack {', '.join(missing)}")
        return self


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
