"""An account's figures and why they moved, as cards, sentences and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from optimizer.interfaces.locale import Translator
from optimizer.workflows import AccountStatus, Performance

FACTORS = ("traffic", "mix", "cpc", "conversion_rate", "order_value", "other")
CAMPAIGN_COLUMNS = ["name", "cost_now", "cost_planned", "budget", "line"]
MOST_KEYWORDS = 200
FIGURES = ("cost", "clicks", "orders", "value", "profit", "roas", "cpa")
_RATIOS = ("roas", "cpa")

_PAGES: Mapping[str, tuple[str, str]] = {
    "data_old": ("imports", "Import newer reports"),
    "review_due": ("imports", "Import and review"),
    "rows_quarantined": ("imports", "See the rows set apart"),
    "exports_failed": ("bulk_files", "See which, and why"),
    "exports_drifted": ("bulk_files", "See which, and why"),
    "exports_reverted": ("bulk_files", "See which, and why"),
    "second_person_awaited": ("queue", "Go to Suggestions"),
    "suggestions_expired": ("imports", "Import and review"),
    "month_ahead": ("budget", "Plan the rest of the month"),
    "month_behind": ("budget", "Plan the rest of the month"),
    "creative_shares_off": ("creatives", "See the test"),
}
"""Where an alert is seen to: a page, and the words of the link to it."""


@dataclass(frozen=True)
class Card:
    """A figure: what it is called, its value, and lines about the period before and its certainty."""

    title: str
    now: str
    lines: tuple[str, ...]
    help: str | None = None


def pages_of(alerts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str] | None]:
    """For each alert the page that sees to it, with the words of the link."""
    return [_PAGES.get(str(each["code"])) for each in alerts]


def periods_sentence(words: Translator, found: Performance) -> str:
    """Which days are compared, and which of them no report tells of."""
    told = words.text(
        "{first:date} – {last:date}, compared with {before_first:date} – {before_last:date}. "
        "Amounts in {currency}; orders and value are completed for late conversions.",
        first=found.now.first,
        last=found.now.last,
        before_first=found.before.first,
        before_last=found.before.last,
        currency=found.currency,
    )
    now, before = found.untold
    if not now and not before:
        return told
    lacking = words.text(
        "No report tells of {now:whole} of these days and {before:whole} of the days before.",
        now=now,
        before=before,
    )
    return f"{told} {lacking}"


def cards(words: Translator, found: Performance) -> list[Card]:
    """One card per figure: now, before with the change in per cent, interval and what is known."""
    return [_card(words, name, *found.figures[name]) for name in FIGURES]


def _card(words: Translator, name: str, now: Any, before: Any) -> Card:
    then = words.text(
        "before: {amount} {change}",
        amount=_amount(words, name, before.mean),
        change=_change(words, now.mean, before.mean),
    )
    lines, told = [then.rstrip()], None
    if now.low is not None:
        told = words.text(
            "Late conversions are still coming in. With 80 % probability the figure ends up between "
            "the two in brackets; known so far is what reports tell already."
        )
        ends = [_amount(words, name, each) for each in (now.low, now.high)]
        lines.append(f"80 % [{ends[0]}, {ends[1]}]")
        known = _amount(words, name, now.known)
        lines.append(words.text("known so far: {amount}", amount=known))
    return Card(words.code("figure", name), _amount(words, name, now.mean), tuple(lines), told)


def _amount(words: Translator, name: str, value: float | None) -> str:
    return words.ratio(value) if name in _RATIOS else words.number(value, 0)


def _change(words: Translator, now: float | None, before: float | None) -> str:
    """Nothing where there was nothing, or less: a percentage of that says nothing."""
    if now is None or before is None or before <= 0:
        return ""
    return f"({words.percent(now / before - 1, 1, sign=True)})"


def pace_sentence(words: Translator, pace: Any) -> str:
    """What was spent of the period's money, and until when that is known."""
    period = pace.period
    fields = {
        "first": period.first,
        "last": period.last,
        "amount": period.amount,
        "so_far": pace.so_far,
        "until": pace.until,
    }
    if pace.until is None:
        text = "No report tells yet of {first:date} – {last:date} (budget {amount:money})."
        return words.text(text, **fields)
    return words.text(
        "{so_far:money} of {amount:money} for {first:date} – {last:date} spent until {until:date}.",
        **fields,
    )


def movement_sentence(words: Translator, found: Performance) -> str:
    """The change in words: from what to what, its largest part, and what chance alone would do."""
    before, now = found.totals
    name = max(found.factors, key=lambda each: abs(found.factors[each]))
    told = words.text(
        "{figure}: {before} → {now}, {change}. Largest part: {factor} {part}. The parts add up.",
        figure=words.code("figure", found.amount),
        before=words.number(before, 0),
        now=words.number(now, 0),
        change=words.number(now - before, 0, sign=True),
        factor=words.code("factor", name),
        part=words.number(found.factors[name], 0, sign=True),
    )
    if found.amount != "profit":
        return told
    chance = words.text(
        "The luck of single orders alone moves profit by up to {luck} between two such periods (80 %).",
        luck=words.number(found.luck, 0),
    )
    return f"{told} {chance}"


def moved_campaigns(words: Translator, found: Performance) -> pd.DataFrame:
    """The change by campaign and factor, the largest first."""
    return _moved(words, found.by_campaign(), ["campaign_name"])


def moved_keywords(words: Translator, found: Performance) -> pd.DataFrame:
    """The change of the keywords that moved most."""
    names = ["keyword_text", "match_type", "campaign_name", "ad_group_name"]
    return _moved(words, found.moved.head(MOST_KEYWORDS), names)


def changes(words: Translator) -> list[str]:
    """Headings of `moved_campaigns` and `moved_keywords` whose amounts are changes."""
    return [words.heading("factor", name) for name in ("change", *FACTORS)]


def campaign_rows(words: Translator, campaigns: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A review's campaigns: cost now and planned, budget, and the line where they stand."""
    shown = pd.DataFrame(list(campaigns), columns=CAMPAIGN_COLUMNS)
    amounts = shown.astype(dict.fromkeys(CAMPAIGN_COLUMNS[1:], "float64"))
    return amounts.rename(columns=lambda name: words.heading("campaign", name))


def _moved(words: Translator, frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    amounts = ["before", "now", "change", *FACTORS]
    shown = frame[[*names, *amounts]]
    titles = {name: words.heading("column", name) for name in names}
    titles |= {name: words.heading("factor", name) for name in amounts}
    return shown.rename(columns=titles)


def account_rows(words: Translator, found: Sequence[AccountStatus]) -> pd.DataFrame:
    """One row per account: how fresh it is, and what waits there."""
    rows = [
        {
            words.text("Account"): each.account,
            words.text("Downloaded on"): words.day(each.downloaded_on),
            words.text("Imported at"): words.moment(each.imported_at),
            words.text("Reviewed as of"): words.day(each.reviewed_as_of),
            words.text("To decide"): each.suggestions.get("proposed", 0),
            words.heading("decision", "approved"): each.suggestions.get("approved", 0),
            words.text("Not live as approved"): sum(
                each.deliveries.get(state, 0) for state in ("failed", "drifted", "reverted")
            ),
        }
        for each in found
    ]
    return pd.DataFrame(rows)
