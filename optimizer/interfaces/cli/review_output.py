"""A review, its suggestions and their evidence, readable in a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.table import Table

from optimizer import workflows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.evidence import evidence_lines
from optimizer.interfaces.marks import mark
from optimizer.interfaces.reconciliation import stored_line
from optimizer.interfaces.sentences import (
    alert_lines,
    budget_sentence,
    kinds_sentence,
    line_sentence,
    profit_sentence,
)

TOP_ROWS = 10


def account_currency(run: Run, account: str) -> str | None:
    """The account's currency, null when it is not known."""
    found = [each for each in workflows.accounts(run.workspace, run.actor) if each.name == account]
    return found[0].currency if found else None


def print_review(run: Run, answer: Mapping[str, Any], dry_run: bool = False) -> None:
    """The daily summary: line, cost, profit, counts, the best rows, and where the rest went."""
    run = run.in_currency(answer.get("currency"))
    words = run.words
    title = words.text("{account}, {as_of:date}", **_pick(answer, "account", "as_of"))
    run.console.print(f"[bold]{title}[/bold]")
    for sentence in (line_sentence, budget_sentence, profit_sentence):
        run.line(sentence(words, answer))
    run.line(kinds_sentence(words, answer.get("kinds") or _count_kinds(answer)))
    rows = sorted(answer["suggestions"], key=lambda row: -(row["delta_profit"]["mean"] or 0.0))
    run.console.print(_top_table(run, rows[:TOP_ROWS]))
    run.console.print(counts_table(run, "Not suggested, because", answer["not_suggested"]))
    _print_levers(run, answer.get("levers") or {})
    for code in answer.get("assumed") or ():
        run.line(words.text("Assumed: {what}", what=words.reason(code)))
    for line in alert_lines(words, answer.get("alerts") or ()):
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
    table = Table()
    headings = ("ID@VERSION", "Keyword", "Action", "Bid", "New bid", "Δ cost/day", "Δ profit/day")
    for heading in (*headings, "P(Δ>0)", "Reason", "Decision"):
        table.add_column(words.text(heading), overflow="fold")
    for row in rows.head(limit).to_dict(orient="records"):
        table.add_row(
            f"{row['id']}@{row['version']}",
            str(row["keyword_text"]),
            _action(run, str(row["kind"])),
            words.number(row["bid"], 4),
            words.number(row["proposed_bid"], 4),
            words.number(row["delta_cost"], sign=True),
            words.number(row["delta_profit_mean"], sign=True),
            words.percent(row["p_positive"]),
            words.reason(row["reason"]),
            words.code("decision", row["decision"]),
        )
    run.console.print(table)
    if len(rows) > limit:
        run.say("{shown:whole} of {total:whole} shown (--limit).", shown=limit, total=len(rows))


def print_evidence(run: Run, found: Any) -> None:
    """Why: the evidence in the operator's words."""
    row = found.row
    run.console.print(f"[bold]{_action(run, row['kind'])}  {row['keyword_text']}[/bold]")
    for line in evidence_lines(run.words, row, found.evidence):
        run.line(line)
    for entry in found.history.to_dict(orient="records"):
        done = run.words.code("action", str(entry["action"]))
        run.line(f"{run.words.moment(entry['at'])} · {entry['actor']} · {done}")


def print_why_not(run: Run, rows: pd.DataFrame) -> None:
    """Matching keywords and what became of each."""
    words = run.words
    table = Table()
    for heading in ("Keyword", "Campaign", "Ad group", "Result"):
        table.add_column(words.text(heading))
    for row in rows.to_dict(orient="records"):
        names = (str(row[name]) for name in ("keyword_text", "campaign_name", "ad_group_name"))
        table.add_row(*names, words.reason(row["reason"]))
    run.console.print(table)


def counts_table(run: Run, title: str, counts: Mapping[str, int]) -> Table:
    """Reasons and how many keywords each explains, the commonest first."""
    table = Table(title_justify="left")
    table.add_column(run.words.text(title))
    table.add_column(run.words.text("Keywords"), justify="right")
    for code, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        table.add_row(run.words.reason(code), run.words.number(count, 0))
    return table


def _top_table(run: Run, rows: Sequence[Mapping[str, Any]]) -> Table:
    words = run.words
    table = Table(title=words.text("Best by expected profit"), title_justify="left")
    for heading in ("Keyword", "Action", "Bid", "New bid", "Δ cost/day", "Δ profit/day [80 %]"):
        table.add_column(words.text(heading))
    table.add_column(words.text("P(Δ>0)"))
    table.add_column(words.text("Reason"))
    for row in rows:
        table.add_row(
            str(row["keyword_text"]),
            _action(run, row["kind"]),
            words.number(row["bid"], 4),
            words.number(row["proposed_bid"], 4),
            words.number(row["delta_cost"], sign=True),
            words.interval(row["delta_profit"]).rpartition(" ")[0],
            words.percent(row["p_positive"]),
            words.reason(row["reason"]),
        )
    return table


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
    return (
        pd.Series([row["kind"] for row in answer["suggestions"]], dtype="str")
        .value_counts()
        .to_dict()
    )


def _pick(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values.get(name) for name in names}
