"""A review, its suggestions and their evidence, readable in a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer import workflows
from optimizer.interfaces.calibration import check_lines
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.evidence import evidence_lines, rate_line
from optimizer.interfaces.figures import setting, told_profit
from optimizer.interfaces.marks import mark
from optimizer.interfaces.reconciliation import stored_line
from optimizer.interfaces.sentences import (
    alert_lines,
    budget_sentence,
    conflict_lines,
    kinds_sentence,
    line_sentence,
    profit_sentence,
    unspent_sentence,
)

TOP_ROWS = 10
_CHANGE = ("Keyword", "Action", "Bid", "New bid", "Δ cost/day", "P(Δ>0)", "Reason")
_NUMBERS = ("Bid", "New bid", "Δ cost/day", "Δ profit/day", "P(Δ>0)")


def account_currency(run: Run, account: str) -> str | None:
    """The account's currency, null when it is not known."""
    found = [each for each in workflows.accounts(run.workspace, run.actor) if each.name == account]
    return found[0].currency if found else None


def print_review(run: Run, answer: Mapping[str, Any], dry_run: bool = False) -> None:
    """The daily summary: line, cost, profit, counts, the best rows, and where the rest went."""
    run = run.in_currency(answer.get("currency"))
    words = run.words
    title = words.text("{account}, {as_of:date}", **_pick(answer, "account", "as_of"))
    run.line(title)
    for sentence in (line_sentence, budget_sentence, unspent_sentence, profit_sentence):
        if told := sentence(words, answer):
            run.line(told)
    run.line(kinds_sentence(words, answer.get("kinds") or _count_kinds(answer)))
    rows = sorted(answer["suggestions"], key=lambda row: -(row["delta_profit"]["mean"] or 0.0))
    _print_top(run, rows[:TOP_ROWS])
    _print_counts(run, "Not suggested, because", answer["not_suggested"])
    _print_levers(run, answer.get("levers") or {})
    for code in answer.get("assumed") or ():
        run.line(words.text("Assumed: {what}", what=words.reason(code)))
    for line in check_lines(words, answer.get("data") or {}):
        run.line(line)
    for line in alert_lines(words, answer.get("alerts") or ()):
        run.line(f"! {line}")
    for line in conflict_lines(words, answer.get("data") or {}):
        run.line(f"! {line}")
    run.say(
        "Nothing was written (--dry-run)."
        if dry_run
        else "Next: optimizer suggestions list --account {account}",
        **_pick(answer, "account"),
    )


def print_demo(run: Run, answer: Mapping[str, Any]) -> None:
    """What the demo made and imported, then its review."""
    for imported in answer["imports"]:
        name, kept = imported["file"], run.words.number(imported["rows_kept"], 0)
        run.line(f"{name}: {kept} · {stored_line(run.words, imported)}")
    seconds = " · ".join(
        f"{run.words.code('step', step)} {run.words.number(value, 1)} s"
        for step, value in answer["seconds"].items()
    )
    run.line(seconds)
    print_review(run, answer["review"])


def print_suggestions(run: Run, rows: pd.DataFrame, limit: int) -> None:
    """One line per suggestion, with the ID@VERSION that decides it."""
    words = run.words
    headings = ("ID@VERSION", *_CHANGE[:-2], "Δ profit/day", *_CHANGE[-2:], "Decision")
    lines = [
        (
            f"{row['id']}@{row['version']}",
            *_change_cells(run, row, words.money_text(told_profit(row)["mean"])),
            words.code("decision", row["decision"]),
        )
        for row in rows.head(limit).to_dict(orient="records")
    ]
    run.console.print(text_table(words, headings, lines, right=_NUMBERS))
    if len(rows) > limit:
        run.say("{shown:whole} of {total:whole} shown (--limit).", shown=limit, total=len(rows))


def _change_cells(run: Run, row: Mapping[Any, Any], profit: str) -> tuple[str, ...]:
    words = run.words
    return (
        str(row["keyword_text"]),
        _action(run, str(row["kind"])),
        setting(words, row["kind"], row["bid"]),
        setting(words, row["kind"], row["proposed_bid"]),
        words.money_text(row["delta_cost"]),
        profit,
        words.percent(row["p_positive"]),
        words.reason(row["reason"]),
    )


def print_evidence(run: Run, found: Any, tried: Mapping[str, Any] | None = None) -> None:
    """Why: the evidence in the operator's words; and what would be at the rate that was `tried`."""
    row = found.row
    run.line(f"{_action(run, row['kind'])}  {row['keyword_text']}")
    for line in evidence_lines(run.words, row, found.evidence):
        run.line(line)
    if tried:
        run.line(rate_line(run.words, tried))
    for entry in found.history.to_dict(orient="records"):
        done = run.words.code("action", str(entry["action"]))
        run.line(f"{run.words.moment(entry['at'])} · {entry['actor']} · {done}")


def print_conflicts(run: Run, rows: pd.DataFrame) -> None:
    """Suggestions that stand against another, and why."""
    words = run.words
    lines = [
        (
            f"{row['id']}@{row['version']}",
            str(row["keyword_text"]),
            _action(run, str(row["kind"])),
            f"{row['campaign_name']} / {row['ad_group_name']}",
            words.listing([words.code("conflict_short", code) for code in row["conflicts"]]),
        )
        for row in rows.to_dict(orient="records")
    ]
    if not lines:
        run.say("No conflicts.")
        return
    headings = ("ID@VERSION", "Keyword", "Action", "Ad group", "Conflict")
    run.console.print(text_table(words, headings, lines))


def print_why_not(run: Run, rows: pd.DataFrame) -> None:
    """Matching keywords and what became of each."""
    names = ["keyword_text", "campaign_name", "ad_group_name"]
    lines = (
        (*(str(row[name]) for name in names), run.words.reason(row["reason"]))
        for row in rows.to_dict(orient="records")
    )
    headings = ("Keyword", "Campaign", "Ad group", "Result")
    run.console.print(text_table(run.words, headings, lines))


def _print_counts(run: Run, title: str, counts: Mapping[str, int]) -> None:
    """Reasons and how many keywords each explains, the commonest first."""
    lines = [
        (run.words.reason(code), run.words.number(count, 0))
        for code, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]
    run.console.print(text_table(run.words, (title, "Keywords"), lines, right=("Keywords",)))


def _print_top(run: Run, rows: Sequence[Mapping[str, Any]]) -> None:
    words = run.words
    lines = [
        _change_cells(run, row, words.interval(told_profit(row)).rpartition(" ")[0]) for row in rows
    ]
    headings = (*_CHANGE[:-2], "Δ profit/day [80 %]", *_CHANGE[-2:])
    title = "Best by expected profit"
    run.console.print(text_table(words, headings, lines, title=title, right=_NUMBERS))


def _print_levers(run: Run, levers: Mapping[str, float]) -> None:
    parts = [
        f"{run.words.code('lever', name)} {run.words.percent(share)}"
        for name, share in levers.items()
    ]
    if parts:
        run.line(
            run.words.text("Share of cost each lever covers: {parts}", parts=" · ".join(parts))
        )


def _action(run: Run, kind: str) -> str:
    return f"{mark(kind)} {run.words.code('kind', kind)}"


def _count_kinds(answer: Mapping[str, Any]) -> Mapping[str, int]:
    return Counter(row["kind"] for row in answer["suggestions"])


def _pick(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values.get(name) for name in names}
