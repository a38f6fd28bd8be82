"""Creative tests in words, the same on the command line and on the pages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

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
MODE_HEADINGS = ("Mode", "Forgone in 60 days", "Days to a claim", "Claim in 60 days", "Right")
_PROFIT = "profit_per_impression"
_MONEY = ("profit_per_impression", "value_per_impression")


def state_lines(words: Translator, test: Mapping[Any, Any]) -> list[str]:
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
        lines.append(_stopping_line(words, test))
    return lines


def _stopping_line(words: Translator, test: Mapping[Any, Any]) -> str:
    lost = test["forgone_per_day"]
    if test["metric"] in _MONEY:
        return words.text(
            "Stopping now with the creative that is ahead is expected to forgo {lost:money} a day.",
            lost=lost,
        )
    return words.text(
        "In profit, which this test does not decide by, stopping now with the creative that is ahead "
        "is expected to forgo {lost:money} a day.",
        lost=lost,
    )


def share_badge(
    words: Translator, test: Mapping[Any, Any]
) -> tuple[str, Literal["gray", "red", "green"]]:
    """Whether shares are served as planned (sample ratio), in words and as a colour."""
    if pd.isna(test["served_p"]):
        return words.text("Shares: not tested, nothing says how they should be"), "gray"
    off = words.percent(test["served_off"], 1)
    if test["state"] == "shares_off":
        return words.text("Shares: off plan by {off}", off=off), "red"
    return words.text("Shares: as planned (off by {off} at most)", off=off), "green"


def next_line(words: Translator, action: str) -> str:
    """What to do about a test now."""
    return words.text("Next: {what}", what=words.code("creative_next", action))


def served_lines(words: Translator, served: pd.DataFrame, arms: pd.DataFrame) -> list[str]:
    """What was planned, what the platform was asked for and what it showed since, by creative."""
    names = arms.set_index("entity_key")["creative_name"]
    return [
        words.text(
            "{creative}: planned {share}, asked for {asked}, served {served} since {day:date}.",
            creative=names.get(row["entity_key"], str(row["entity_key"])),
            share=_share(words, row["share"]),
            asked=_share(words, row["asked"]),
            served=_share(words, row["served"]),
            day=row["as_of"].date(),
        )
        for row in served.to_dict(orient="records")
    ] + ([words.text(_OFF_PLAN)] if _is_off(served) else [])


_OFF_PLAN = "What is served is not what was asked for: look at the ad group's rotation and at what is paused."
_TOLERANCE = 0.05


def _is_off(served: pd.DataFrame) -> bool:
    return bool((served["served"] - served["asked"]).abs().gt(_TOLERANCE).any())


def asked_lines(words: Translator, asked: pd.DataFrame) -> list[str]:
    """What the newest review suggests for the creatives of a test, and what became of it."""
    return [
        words.text(
            "{kind} {creative} ({decision}, {delivery})",
            kind=words.code("kind", row["kind"]),
            creative=row["keyword_text"],
            decision=words.code("decision", row["decision"]),
            delivery=words.code("delivery", row["delivery"]),
        )
        for row in asked.to_dict(orient="records")
    ]


def creative_lines(
    words: Translator, row: Mapping[str, Any], evidence: Mapping[str, Any]
) -> list[str]:
    """Why a creative is to be paused, shown again or given another share."""
    metric = str(evidence["metric"])
    lines = [
        words.reason(str(row["reason"])),
        words.text(
            "Test {test}: {metric} {own} (80 % {interval}), the creative that is ahead {leader}.",
            test=evidence["test"],
            metric=words.code("creative_metric", metric),
            own=amount(words, metric, _number(evidence["metric_mean"])),
            interval=_interval(words, metric, {**row, **_numbers(evidence)}),
            leader=amount(words, metric, _number(evidence["leader_mean"])),
        ),
        words.text(
            "P(best) {best}; share now {now}, planned {planned}, asked for {asked}.",
            best=_share(words, _number(evidence["p_best"])),
            now=_share(words, _number(evidence["share_now"])),
            planned=_share(words, _number(evidence["share_planned"])),
            asked=_share(words, _number(evidence["share_asked"])),
        ),
        *_proof_lines(words, evidence),
        words.text("Δ clicks a day {clicks:number}.", clicks=row["delta_clicks"]),
    ]
    return lines + _profit_lines(words, metric, evidence)


def _proof_lines(words: Translator, evidence: Mapping[str, Any]) -> list[str]:
    """How far a claim against the creative is; nothing is proven against the one that is ahead."""
    if evidence["evidence"] is None:
        return []
    return [
        words.text(
            "Evidence that the leader is better: {share} of what a claim asks for, on {days:whole} days.",
            share=_evidence(words, _number(evidence["evidence"])),
            days=evidence["days"],
        )
    ]


def _profit_lines(words: Translator, metric: str, evidence: Mapping[str, Any]) -> list[str]:
    """Where another metric decides: what the creative's profit is, or why nobody can know it."""
    untold = evidence.get("profit_untold")
    if untold:
        return [words.code("creative_untold", str(untold))]
    if metric == _PROFIT or evidence.get("profit_mean") is None:
        return []
    ends = {end: _number(evidence[f"profit_{end}"]) for end in ("mean", "low", "high")}
    return [
        words.text(
            "Profit per thousand impressions {mean} (80 % {low} – {high}).",
            **{end: amount(words, _PROFIT, value) for end, value in ends.items()},
        )
    ]


def _numbers(evidence: Mapping[str, Any]) -> dict[str, float]:
    return {name: _number(evidence[name]) for name in ("metric_low", "metric_high")}


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _state_fields(words: Translator, test: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "leader": words.plain(test["leader"]),
        "days": _count(words, test["days_needed"]),
        "events": _count(words, test["events_needed"]),
        "off": words.percent(test["served_off"]) if pd.notna(test["served_off"]) else "–",
    }


def arm_rows(words: Translator, metric: str, arms: pd.DataFrame) -> list[tuple[str, ...]]:
    """The creatives of one test as cells of HEADINGS, the likeliest best first."""
    ordered = arms.sort_values(["p_best", "entity_key"], ascending=[False, True], kind="stable")
    # Evidence is always for the creative that is ahead, which alone has none.
    ahead = words.text("ahead") if arms["evidence"].notna().any() else "–"
    return [_cells(words, metric, row, ahead) for row in ordered.to_dict(orient="records")]


def _cells(words: Translator, metric: str, row: Mapping[Any, Any], ahead: str) -> tuple[str, ...]:
    return (
        words.plain(row["creative_name"]),
        *(_count(words, row[name]) for name in ("impressions", "clicks", "conversions")),
        amount(words, metric, row["metric_mean"]),
        _interval(words, metric, row),
        *(_share(words, row[name]) for name in ("p_best", "share_served", "share_next")),
        _evidence(words, row["evidence"]) if pd.notna(row["evidence"]) else ahead,
        words.code("creative_verdict", str(row["verdict"])),
    )


def _count(words: Translator, value: Any) -> str:
    return words.number(value, 0) if pd.notna(value) else "–"


def _interval(words: Translator, metric: str, row: Mapping[Any, Any]) -> str:
    if pd.isna(row["metric_low"]):
        return "–"
    return (
        f"{amount(words, metric, row['metric_low'])} – {amount(words, metric, row['metric_high'])}"
    )


def _share(words: Translator, value: Any) -> str:
    return words.percent(value) if pd.notna(value) else "–"


def _evidence(words: Translator, share: Any) -> str:
    """How much of the evidence that a claim asks for is there; nothing speaks against by less than 0."""
    return words.percent(min(max(float(share), 0.0), 1.0)) if pd.notna(share) else "–"


def shown_course(days: pd.DataFrame) -> pd.DataFrame:
    """The days of a test with evidence as tables tell it: from nothing to the whole of a claim's."""
    return days.assign(evidence=days["evidence"].clip(0.0, 1.0))


def amount(words: Translator, metric: str, value: float) -> str:
    """A value of the metric: a rate, or money (per thousand where it is per impression)."""
    if pd.isna(value):
        return "–"
    if metric in ("ctr", "cvr"):
        return words.rate(value)
    return words.money(1000.0 * value if metric in _MONEY else value)


def shown_in(
    words: Translator, metric: str, values: pd.Series[float]
) -> tuple[pd.Series[float], str]:
    """Values of the metric as an axis shows them, and the unit."""
    if metric in ("ctr", "cvr"):
        return 100.0 * values, "%"
    return (1000.0 * values if metric in _MONEY else values), f"({words.currency})"


def mode_rows(words: Translator, metric: str, modes: pd.DataFrame) -> list[tuple[str, ...]]:
    """What each mode is expected to take, as cells of MODE_HEADINGS."""
    return [
        (
            words.code("creative_mode", row["mode"]),
            _forgone(words, metric, row["cost"], row["error"]),
            words.number(row["days"], 0) if math.isfinite(row["days"]) else "> 60",
            words.percent(row["claimed"]),
            words.percent(row["right"]),
        )
        for row in modes.to_dict(orient="records")
    ]


def _forgone(words: Translator, metric: str, cost: float, error: float) -> str:
    """In money where the metric is of money, else in clicks or orders."""
    if metric in ("ctr", "cvr", "cpa"):
        unit = words.code("creative_unit", metric)
        return f"{words.number(cost, 0)} ± {words.number(error, 0)} {unit}"
    return f"{words.money(cost)} ± {words.money(error)}"


def size_line(words: Translator, size: Any) -> str:
    """What an even split needs to find the smallest difference worth finding; `size` a SampleSize."""
    if math.isnan(size.days):
        return words.text(
            "An even split would find the smallest difference worth finding within 90 days with a "
            "chance of {power}: let the test look for a larger one.",
            power=words.percent(size.power),
        )
    return words.text(
        "An even split finds the smallest difference worth finding within {days:whole} days in four "
        "of five cases.",
        days=size.days,
    )
