"""Creative tests in words, the same on the command line and on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from optimizer.interfaces.locale import Translator

HEADINGS = (
    "Creative",
    "Impressions",
    "Clicks",
    "Orders",
    "Metric",
    "80 % interval",
    "P(best)",
    "Share so far",
    "Share next",
    "Evidence",
    "Verdict",
)
NUMBERS = HEADINGS[1:10]
_MONEY = ("profit_per_impression", "value_per_impression")


def state_lines(words: Translator, test: Mapping[str, Any]) -> list[str]:
    """What kind of test it is, where it stands and what to do next."""
    lines = [
        words.text(
            "{metric}, {mode}: {arms:whole} creatives, {days:whole} days, "
            "{per_day:whole} impressions a day. {rotation}",
            metric=words.code("creative_metric", test["metric"]),
            mode=words.code("creative_mode", test["mode"]),
            arms=test["arms"],
            days=test["days"],
            per_day=test["impressions_per_day"],
            rotation=words.code("creative_rotation", test["rotation"]),
        ),
        words.code("creative_state", test["state"], **_state_fields(words, test)),
    ]
    if pd.notna(test["forgone_per_day"]):
        lines.append(
            words.text(
                "Stopping now with the creative that is ahead is expected to forgo {lost:money} a day.",
                lost=test["forgone_per_day"],
            )
        )
    return lines


def _state_fields(words: Translator, test: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "leader": words.plain(test["leader"]),
        "days": words.number(test["days_needed"], 0),
        "events": words.number(test["events_needed"], 0),
        "off": words.percent(test["served_off"]) if pd.notna(test["served_off"]) else "–",
    }


def arm_rows(words: Translator, metric: str, arms: pd.DataFrame) -> list[tuple[str, ...]]:
    """The creatives of one test as cells of HEADINGS, the likeliest best first."""
    ordered = arms.sort_values(["p_best", "entity_key"], ascending=[False, True], kind="stable")
    return [_cells(words, metric, row) for row in ordered.to_dict(orient="records")]


def _cells(words: Translator, metric: str, row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        words.plain(row["creative_name"]),
        *(_count(words, row[name]) for name in ("impressions", "clicks", "conversions")),
        amount(words, metric, row["metric_mean"]),
        f"{amount(words, metric, row['metric_low'])} – {amount(words, metric, row['metric_high'])}",
        *(words.percent(row[name], 0) for name in ("p_best", "share_served", "share_next")),
        _evidence(words, row["evidence"]),
        words.code("creative_verdict", str(row["verdict"])),
    )


def _count(words: Translator, value: Any) -> str:
    return words.number(value, 0) if pd.notna(value) else "–"


def _evidence(words: Translator, share: Any) -> str:
    """How much of the evidence that a claim asks for is there; nothing speaks against by less than 0."""
    return words.percent(min(max(float(share), 0.0), 1.0)) if pd.notna(share) else "–"


def amount(words: Translator, metric: str, value: float) -> str:
    """A value of the metric: a rate, or money (per thousand where it is per impression)."""
    if metric in ("ctr", "cvr"):
        return words.rate(value)
    return words.money(1000.0 * value if metric in _MONEY else value)
