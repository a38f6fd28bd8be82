"""What became of an imported file, in words: for the command line and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.locale import Translator

METRICS = ("impressions", "clicks", "cost", "conversions", "value")


def row_counts(words: Translator, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows read, left out by reason, quarantined and kept."""
    dropped = [
        (words.text("left out: {reason}", reason=words.code("problem", reason)), count)
        for reason, count in answer["rows_dropped"].items()
    ]
    counts = [
        (words.text("read"), answer["rows_read"]),
        *dropped,
        (words.text("quarantined"), answer["rows_quarantined"]),
        (words.text("kept"), answer["rows_kept"]),
    ]
    return [(name, words.number(count, 0)) for name, count in counts]


def sum_lines(words: Translator, answer: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Our sum of each metric; where the file states totals, one line for each of those instead."""
    checked = {check["name"].partition("@")[0] for check in answer["checksums"]}
    ours = [
        (words.code("column", name), words.number(answer["totals"].get(name)), "", "")
        for name in METRICS
        if name in answer["totals"] and name not in checked
    ]
    return ours + [_check_line(words, check) for check in answer["checksums"]]


def _check_line(words: Translator, check: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metric, _, label = check["name"].partition("@")
    name = words.code("column", metric)
    ours, stated = words.number(check["ours"]), words.number(check["file"])
    # A total may cover rows the file does not list: then it agrees by being no less.
    agrees = ("✓" if ours == stated else "✓ ≥") if check["ok"] else "✗"
    return f"{name} · {label}" if label else name, ours, stated, agrees


def remark_lines(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    """Profile, period, currency, attribution, writable bids, oddities, and what the store made of it."""
    return [
        words.text("Report profile: {profile}", profile=answer["profile"]),
        *_period(words, answer),
        *_currency(words, answer),
        *_attribution(words, answer),
        *_writable(words, answer),
        *_warnings(words, answer),
        stored_line(words, answer),
    ]


def stored_line(words: Translator, answer: Mapping[str, Any]) -> str:
    """What the store made of the file."""
    if answer["duplicate"]:
        return words.text("The same file was imported before; nothing changed.")
    if answer["grain"] in ("keyword_state", "negative"):
        return words.text(
            "In force from {day:date}: {count:whole} rows, in place of earlier lists.",
            day=answer["as_of"],
            count=answer["rows_kept"],
        )
    if answer["grain"] in ("item", "item_log", "organic"):
        return words.text(
            "In force from {day:date}: {count:whole} rows, beside what earlier files say of others.",
            day=answer["as_of"],
            count=answer["rows_kept"],
        )
    return words.text(
        "Rows new or changed: {changed:whole}; known before and missing here: {missing:whole} (kept).",
        changed=answer.get("rows_changed"),
        missing=answer.get("keys_missing"),
    )


def _period(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    if not answer["period"]:
        return []
    first, last = answer["period"]
    return [words.text("Period: {first:date} – {last:date}", first=first, last=last)]


def _currency(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    if answer["currency"] is None:
        return []
    return [words.text("Currency: {currency}", currency=answer["currency"])]


def _attribution(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    days = answer.get("attribution_window_days")
    if days is None:
        return []
    return [words.text("Conversions counted within {days:whole} days of the click", days=days)]


def _writable(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    share = answer["writable_bid_share"]
    if share is None:
        return []
    return [words.text("Rows whose bid can be written: {share:percent}", share=share)]


def _warnings(words: Translator, answer: Mapping[str, Any]) -> list[str]:
    return [
        words.text(
            "Kept but odd: {warning} ({count:whole} rows)",
            warning=words.code("problem", code),
            count=count,
        )
        for code, count in (answer.get("warnings") or {}).items()
    ]
