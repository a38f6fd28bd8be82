"""Results of workflows as sentences, the same on the command line and on the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer.errors import OptimizerError
from optimizer.interfaces.json_values import plain
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import KINDS, mark


def line_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """What the next unit of money returns, in what the account's objective counts."""
    per_hundred = 100 * summary["dual_price"]
    fields = _pick(summary, "currency", "dual_price")
    return words.text(_line_text(summary), per_hundred=per_hundred, **fields)


def _line_text(summary: Mapping[str, Any]) -> str:
    objective = summary["data"].get("objective", "profit")
    if objective == "value":
        return "The next 1 {currency} returns order value of {dual_price:ratio} here."
    if objective == "conversions":
        return "The next 100 {currency} return {per_hundred:number} orders here."
    if summary.get("currency") == "CNY":
        return "The next yuan returns {dual_price:ratio} here."
    return "The next {currency} returns {dual_price:ratio} here."


def budget_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """Cost now and planned against the budget."""
    return words.text(
        "Cost per day {cost_now:money} → {cost_planned:money} of a budget of {budget:money}.",
        **_pick(summary, "cost_now", "cost_planned", "budget"),
    )


def left_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """What the plan leaves of the budget, and what of it waits for busy days."""
    left = summary["budget"] - summary["cost_planned"]
    text = words.text("Budget left {left:money}.", left=left)
    return " ".join(filter(None, [text, kept_sentence(words, summary)]))


def kept_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """What an average day leaves of a budget that ends days; empty where none is kept."""
    told = (summary.get("data") or {}).get("budget") or {}
    if told.get("kept", 0.0) < 0.005:
        return ""
    return words.text(
        "An average day keeps {kept:money} of it for busy days, which the budget would end early.",
        **told,
    )


def unspent_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """What single days are expected to leave of the budget, and how far a platform may pass it.

    Nothing where both what stays and what is cut round to zero.
    """
    told = (summary.get("data") or {}).get("budget")
    if not told or max(told["unspent"], told.get("cut") or 0.0) < 0.005:
        return ""
    unspent = words.text("Expected to stay unspent {unspent:money} per day.", **told)
    kept = kept_sentence(words, summary)
    if not told["enforced"]:
        return " ".join(filter(None, [unspent, kept]))
    cut = words.text(
        "Campaign budgets stop {cut:money} of the plan (profit {lost:money}) on its better days.",
        **told,
    )
    rule = words.text(
        "The platform may spend {peak:number} budgets on a day, {month:number} a month.", **told
    )
    return " ".join(filter(None, [unspent, kept, cut, rule if told["peak"] > 1 else ""]))


def profit_sentence(words: Translator, summary: Mapping[str, Any]) -> str:
    """Expected change of profit with its interval."""
    return words.text(
        "Profit per day {interval} (80 %).", interval=words.interval(summary["profit_delta"])
    )


def data_sentence(words: Translator, data: Mapping[str, Any]) -> str:
    """What the review rests on."""
    return words.text(
        "Data {first_day:date} – {last_day:date}: {clicks:whole} clicks, {conversions:number} "
        "conversions, cost {cost:money}; {days_maturing:whole} days completed for late conversions.",
        **data,
    )


def kinds_sentence(words: Translator, kinds: Mapping[str, int]) -> str:
    """How many suggestions of each kind."""
    known = [kind for kind in KINDS if kinds.get(kind)]
    others = [kind for kind in kinds if kind not in KINDS]
    parts = (
        f"{mark(kind)} {words.code('kind', kind)} {words.number(kinds[kind], 0)}"
        for kind in [*known, *others]
    )
    return " · ".join(parts) or words.text("No suggestions.")


def alert_lines(words: Translator, alerts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What needs attention."""
    return [words.code("alert", str(alert["code"]), **_without(alert, "code")) for alert in alerts]


def conflict_lines(words: Translator, data: Mapping[str, Any]) -> list[str]:
    """Suggestions that stand against each other, by kind of conflict."""
    return [
        words.text("{count:whole} × {reason}", count=n, reason=words.code("conflict_short", code))
        for code, n in (data.get("conflicts") or {}).items()
    ]


def totals_lines(words: Translator, sums: Any) -> list[str]:
    """Count, Σ Δcost and Σ Δprofit of a selection."""
    return [
        words.text("{count:whole} suggestions selected.", count=sums.count),
        words.text("Cost per day {cost:change}.", cost=sums.delta_cost),
        words.text("Profit per day {interval} (80 %).", interval=words.interval(sums.delta_profit)),
    ]


def plan_line(words: Translator, summary: Mapping[str, Any]) -> str:
    """How the plan stands, in few words: the line, planned cost and what the budget has left."""
    left = summary["budget"] - summary["cost_planned"]
    told = _pick(summary, "dual_price", "cost_planned", "budget")
    text = (
        "Λ {dual_price:ratio} · planned {cost_planned:money} of {budget:money} · left {left:money}"
    )
    return words.text(text, left=left, **told)


def edited_lines(words: Translator, rows: pd.DataFrame) -> list[str]:
    """What edited bids would bring, or why a bid cannot be approved."""
    return [_edited_line(words, row) for row in rows.to_dict("records")]


def _edited_line(words: Translator, row: Mapping[Any, Any]) -> str:
    if row["refused"] is not None:
        why = words.code("error", row["refused"]["code"], **_without(row["refused"], "code"))
        return f"✗ {row['keyword_text']} · {why}"
    ends = {end: row[f"delta_profit_{end}"] for end in ("mean", "low", "high")}
    return words.text(
        "{keyword} at {bid}: cost {cost:change} and profit {interval} (80 %) per day",
        keyword=row["keyword_text"],
        bid=words.bid(row["bid"]),
        cost=row["delta_cost"],
        interval=words.interval(ends),
    )


def moved_lines(words: Translator, rows: pd.DataFrame) -> list[str]:
    """Rows of a list that are not any more as they are shown: what each is now."""
    return [_moved_line(words, row) for row in rows.to_dict("records")]


def _moved_line(words: Translator, row: Mapping[Any, Any]) -> str:
    keyword = row["keyword_text"]
    if row["decision"] != row["decision"] or row["decision"] is None:
        return words.text("{keyword}: no longer suggested", keyword=keyword)
    decision = words.code("decision", row["decision"])
    if row["decision"] == "proposed":
        bid = words.bid(row["proposed_bid"])
        return words.text("{keyword}: now proposed at {bid}", keyword=keyword, bid=bid)
    by = row["decided_by"]
    return words.text("{keyword}: {decision} by {by}", keyword=keyword, decision=decision, by=by)


def hit_lines(words: Translator, sums: Any) -> list[str]:
    """Guardrails that stand against a selection, and how many rows they concern."""
    return [
        words.text("{count:whole} × {reason}", count=count, reason=words.code("hit", code))
        for code, count in sums.guardrail_hits.items()
    ]


def excess_lines(words: Translator, excess: Sequence[Any]) -> list[str]:
    """Budgets that what is approved would overrun."""
    return [_excess_line(words, plain(each)) for each in excess]


def _excess_line(words: Translator, each: Mapping[str, Any]) -> str:
    return words.text(
        "Over budget: {scope} {name} would spend {projected:money} of {budget:money}; "
        "today it is {cost_now:money}.",
        **{**each, "scope": words.code("scope", str(each["scope"]))},
    )


def error_lines(words: Translator, error: OptimizerError) -> list[str]:
    """What went wrong, then the rows and budgets that stood in the way."""
    fields = error.fields
    listed = [each for key in ("refused", "rows") for each in _listed(fields.get(key))]
    return [
        words.error(error),
        *refused_lines(words, [each for each in listed if "code" in each]),
        *excess_lines(words, fields.get("excess", ())),
    ]


def _listed(value: Any) -> Sequence[Any]:
    """Rows that a field names one by one; a field of the same name may be their mere number."""
    return value if isinstance(value, (list, tuple)) else ()


def refused_lines(words: Translator, refused: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows that were not changed, and why."""
    return [
        "✗ "
        + " · ".join(
            filter(
                None,
                [
                    str(each.get("keyword_text") or each.get("id") or ""),
                    words.code("error", str(each.get("code", "moved")), **_without(each, "code")),
                ],
            )
        )
        for each in refused
    ]


def resolve_line(words: Translator, resolve: Any) -> str:
    """What the re-solve after a decision moved."""
    return words.text(
        "Solved again: {rows:whole} other rows moved; planned {cost:money} of {budget:money}; "
        "Λ {dual_price:ratio}.",
        rows=resolve.rows_moved,
        cost=resolve.cost_planned,
        budget=resolve.budget,
        dual_price=resolve.dual_price,
    )


def obstacle_lines(words: Translator, tried: Any) -> list[str]:
    """Why an export would be refused: budgets first, then rows."""
    over = [words.code("error", "over_budget")] if tried.excess else []
    return [
        *over,
        *excess_lines(words, tried.excess),
        *refused_lines(words, tried.refused),
    ]


def after_lines(words: Translator, result: Any) -> list[str]:
    """What waits for a second person, and what the re-solve did or why there was none."""
    text = "{count:whole} of them wait until another person approves them too."
    lines = [words.text(text, count=len(result.awaiting))] if result.awaiting else []
    if result.pending:
        return [*lines, words.text("The rest is being solved again.")]
    if result.problem is not None:
        return [*lines, unsolved_line(words, result.problem)]
    return lines if result.resolve is None else [*lines, resolve_line(words, result.resolve)]


def unsolved_line(words: Translator, problem: Mapping[str, Any]) -> str:
    """Why the rest could not be solved again."""
    why = words.code("error", problem["code"], **problem["fields"])
    return words.text("The rest could not be solved again: {why}", why=why)


def _pick(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}
