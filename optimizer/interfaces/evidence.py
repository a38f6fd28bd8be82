"""Evidence of a suggestion as lines in the operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.interfaces.locale import Translator


def evidence_lines(
    words: Translator, row: Mapping[str, Any], evidence: Mapping[str, Any]
) -> list[str]:
    """Reason, Δ per day, probability and line, then whatever the evidence holds and has words for."""
    return [
        *change_lines(words, row),
        *(line for key, value in evidence.items() for line in _entry(words, key, value)),
    ]


def change_lines(words: Translator, row: Mapping[str, Any]) -> list[str]:
    """What changes, by how much, how sure, and which constraint stopped it."""
    profit = {end: row[f"delta_profit_{end}"] for end in ("mean", "low", "high")}
    lines = [
        words.reason(row["reason"], **{k: v for k, v in row.items() if k != "reason"}),
        words.text("Bid {bid:money} → {proposed_bid:money}", **_pick(row, "bid", "proposed_bid")),
        words.text(
            "Per day over the next 7 days: clicks {clicks}, cost {cost:change}, profit {profit} (80 %).",
            clicks=words.number(row["delta_clicks"], 1, sign=True),
            cost=row["delta_cost"],
            profit=words.interval(profit),
        ),
        words.text("Probability that profit rises: {p:percent}.", p=row["p_positive"]),
    ]
    return lines + _line_compared(words, row) + _binding(words, row)


def _line_compared(words: Translator, row: Mapping[str, Any]) -> list[str]:
    if _absent(row.get("marginal_return")) or _absent(row.get("line")):
        return []
    english = "The next unit spent here returns {marginal:number}; the line is {line:number}."
    return [words.text(english, marginal=row["marginal_return"], line=row["line"])]


def _binding(words: Translator, row: Mapping[str, Any]) -> list[str]:
    if _absent(row.get("binding")):
        return []
    return [words.text("Stopped by: {what}", what=words.reason(row["binding"]))]


def _entry(words: Translator, key: str, value: Any) -> list[str]:
    if not words.has_code("evidence", key):
        return []
    if key == "assumed":
        return [words.text("Assumed: {what}", what=words.reason(code)) for code in value]
    fields = value if isinstance(value, Mapping) else {"value": value}
    return [words.code("evidence", key, **fields)]


def _absent(value: Any) -> bool:
    return value is None or value != value


def _pick(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: None if _absent(values.get(name)) else values.get(name) for name in names}
