"""A plan in rows and sentences, the same for the command line and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer import workflows
from optimizer.interfaces.locale import Translator

FRONTIER_HEADINGS = (
    *(
        "Point",
        "Cost a day",
        "Profit a day",
        "80 %",
        "Value",
        "Orders",
        "ROAS",
        "Next unit returns",
    ),
    "Tried",
)
SPLIT_HEADINGS = (
    *("Campaign", "Cost now", "Cost planned", "Profit now", "Profit planned"),
    *("Orders now", "Orders planned", "Next unit returns", "Budget now", "Locked"),
)
ITEM_HEADINGS = (
    *("Item", "Cost now", "Cost planned", "Profit now", "Profit planned"),
    *("Orders now", "Orders planned", "Locked"),
)
KEPT_HEADINGS = (
    *("Scenario", "As of", "Budget", "Cost a day", "Profit a day", "80 %"),
    *("Orders", "ROAS", "Next unit returns", "Saved by"),
)


def frontier_rows(words: Translator, report: workflows.PlanReport) -> list[list[str]]:
    """Cells per point; ● is now, ■ the plan."""
    marks = {"now": "● " + words.text("now"), "proposed": "■ " + words.text("plan")}
    return [
        [
            marks.get(row["point"], ""),
            words.money(row["cost"]),
            words.money(row["profit"]),
            ends(words, row, "profit"),
            words.money(row["value"]),
            words.number(row["orders"], 1),
            words.ratio(row["roas"]),
            words.ratio(row["marginal"]),
            words.text("beyond") if row["beyond"] else words.text("observed"),
        ]
        for row in report.plan.frontier.to_dict("records")
    ]


def ends(words: Translator, row: Mapping[Any, Any], name: str) -> str:
    """The ends of an 80 % interval without the currency."""
    low, high = (words.money(row[f"{name}_{end}"]).rpartition(" ")[0] for end in ("low", "high"))
    return f"[{low}, {high}]"


def split_rows(words: Translator, report: workflows.PlanReport) -> list[list[str]]:
    """Cells per campaign, now beside the plan."""
    return [
        [
            str(row["name"]),
            words.money(row["cost_now"]),
            words.money(row["cost_plan"]),
            words.money(row["profit_now"]),
            words.money(row["profit_plan"]),
            words.number(row["orders_now"], 1),
            words.number(row["orders_plan"], 1),
            words.ratio(row["marginal"]),
            words.money(row["budget"]),
            words.text("yes") if row["locked"] else "",
        ]
        for row in report.plan.campaigns.to_dict("records")
    ]


def item_rows(words: Translator, report: workflows.PlanReport) -> list[list[str]]:
    """Cells per item, now beside the plan; none where no keyword names one."""
    rows = report.plan.items[report.plan.items["name"].ne("")]
    return [
        [
            str(row["name"]),
            words.money(row["cost_now"]),
            words.money(row["cost_plan"]),
            words.money(row["profit_now"]),
            words.money(row["profit_plan"]),
            words.number(row["orders_now"], 1),
            words.number(row["orders_plan"], 1),
            words.text("yes") if row["locked"] else "",
        ]
        for row in rows.to_dict("records")
    ]


def stated_bounds(rows: Sequence[Mapping[Any, Any]]) -> dict[str, tuple[float, float]]:
    """(least, most) by name of rows with `name`, `least`, `most`; blank is no bound on that side."""
    return {
        str(row["name"]): (
            0.0 if pd.isna(row["least"]) else float(row["least"]),
            math.inf if pd.isna(row["most"]) else float(row["most"]),
        )
        for row in rows
        if not (pd.isna(row["least"]) and pd.isna(row["most"]))
    }


def kept_rows(words: Translator, rows: Sequence[Mapping[Any, Any]]) -> list[list[str]]:
    """Cells per kept scenario."""
    return [
        [
            str(row["name"]),
            words.day(row["as_of"]),
            words.money(row["budget"]),
            words.money(row["cost"]),
            words.money(row["profit"]),
            ends(words, row, "profit"),
            words.number(row["orders"], 1),
            words.ratio(row["roas"]),
            words.ratio(row["marginal"]),
            str(row["saved_by"]),
        ]
        for row in rows
    ]


def plan_lines(words: Translator, report: workflows.PlanReport) -> list[str]:
    """What the plan says in short."""
    now, then = report.now, report.proposed
    gain = words.text(
        "Cost {now:money} → {then:money} a day, profit {profit_now:money} → {profit_then:money} a day "
        "{ends}; the next unit of money returns {marginal:ratio}.",
        now=now["cost"],
        then=then["cost"],
        profit_now=now["profit"],
        profit_then=then["profit"],
        ends=ends(words, then, "profit"),
        marginal=report.plan.dual_price,
    )
    far = words.text(
        "{share:percent} of the planned cost is bid where nobody has bid yet: the queue goes there in "
        "steps and asks for evidence at each.",
        share=then["beyond_bids"],
    )
    return [gain, *([far] if then["beyond_bids"] else [])]


def step_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """How today's suggestions, `summary` of their review, are related to the plan."""
    return words.text(
        "This is where bids should end up. Today's suggestions go towards it by one step at most, for "
        "the account's budget of {budget:money}: {cost:money} a day at Λ {dual_price:ratio}.",
        budget=summary["budget"],
        cost=summary["cost_planned"],
        dual_price=summary["dual_price"],
    )


def month_lines(words: Translator, report: workflows.PlanReport) -> list[str]:
    """Where the month stands and lands."""
    month = report.plan.month
    if month is None:
        return []
    landing, kind = month.landing, month.period.kind

    def show(value: float) -> str:
        return words.number(value, 1) if kind == "orders" else words.money(value)

    mean, low, high = (show(value) for value in landing.total)
    return [
        words.text(
            "{kind} of the month: {so_far} of {target} so far; it lands at {mean} [{low}, {high}], "
            "{chance:percent} to make it.",
            kind=words.code("plan_kind", kind),
            so_far=show(month.so_far),
            target=show(month.period.amount),
            mean=mean,
            low=low,
            high=high,
            chance=landing.chance,
        ),
        words.text(
            "For the rest of it {per_day:money} a day, {today:money} on the next.",
            per_day=landing.per_day,
            today=landing.today,
        ),
    ]


def alert_lines(words: Translator, report: workflows.PlanReport) -> list[str]:
    """What needs attention."""
    return [
        words.code(
            "alert",
            one["code"],
            **{
                name: words.code("plan_kind", value) if name == "kind" else value
                for name, value in one.items()
                if name != "code"
            },
        )
        for one in report.plan.alerts
    ]


def assumed_lines(words: Translator, report: workflows.PlanReport) -> list[str]:
    """What nobody measured."""
    return [words.reason(code) for code in report.plan.assumed]


def event_lines(words: Translator, report: workflows.PlanReport) -> list[str]:
    """The sale and what it multiplies by."""
    event = report.plan.event
    if event is None:
        return []
    first = words.text(
        "{name} from {start:date} to {end:date}, warm-up {warmup:whole} days, return {after:whole} days.",
        name=event.event.name,
        start=event.event.start,
        end=event.event.end,
        warmup=event.event.warmup_days,
        after=event.event.after_days,
    )
    return [
        first,
        *(_multiples(words, quantity, told) for quantity, told in event.multiples.items()),
    ]


def _multiples(words: Translator, quantity: str, told: Mapping[str, Any]) -> str:
    parts = [
        f"{words.code('plan_phase', phase)} × {words.ratio(one.median)}"
        for phase, one in told.items()
    ]
    return f"{words.code('plan_quantity', quantity)}: {words.listing(parts)}"


def adopted_lines(words: Translator, adopted: workflows.Adopted) -> list[str]:
    """What is in the queue now."""
    lines = [
        words.text(
            "{bids:whole} bids and {budgets:whole} campaign budgets are proposed; the queue spends "
            "{cost:money} of {budget:money} a day.",
            bids=adopted.bids,
            budgets=adopted.budgets,
            cost=adopted.cost_planned,
            budget=adopted.budget,
        )
    ]
    if adopted.budget > adopted.asked:
        lines.append(
            words.text(
                "The plan's {asked:money} a day is more than one step away; this is the nearest today.",
                asked=adopted.asked,
            )
        )
    if adopted.unknown:
        lines.append(
            words.text(
                "No report tells the budget of {names:list}: set it by hand.", names=adopted.unknown
            )
        )
    return lines
