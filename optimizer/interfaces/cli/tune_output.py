"""What tuning found, as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optimizer import workflows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table

_SETTINGS = ("Setting", "Now", "Best trial")
_LIVES = (
    *("Market", "Settings", "Profit", "Of oracle", "Worst tenth", "Deepest loss", "Cost"),
    "False pauses",
)


def print_tuning(run: Run, told: workflows.Tuning, out: Path | None) -> None:
    """The settings side by side, the lives that judged them, and what follows."""
    run.say(
        "Study {study}: {trials:whole} trials, {pruned:whole} of them stopped early.",
        study=told.study,
        trials=told.trials,
        pruned=told.pruned,
    )
    rows = [
        (key, f"{now:g}", f"{told.values[key]:g}" if told.gain > 0 else "–")
        for key, now in told.default.items()
    ]
    run.console.print(text_table(run.words, _SETTINGS, rows, right=_SETTINGS[1:]))
    found = told.to_json()["held_out"]
    if found is not None:
        lives = list(_lives(run, found["by_market"]))
        run.console.print(text_table(run.words, _LIVES, lives, right=_LIVES[2:]))
        for code in ("seeds", "markets"):
            run.line(run.words.code("held_out", code, **found[code]))
    run.line(run.words.code("tuning", _decided(told)))
    if out is not None and not told.interrupted:
        run.say("Settings and evidence are in {file}.", file=str(out))


def _lives(run: Run, by_market: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for market, told in by_market.items():
        for name in ("default", "tuned"):
            yield (market, run.words.code("settings_kind", name), *_figures(run, told[name]))


def _figures(run: Run, score: Mapping[str, Any]) -> tuple[str, ...]:
    words = run.words
    return (
        words.number(score["profit"], 0),
        words.percent(score["oracle_share"]),
        words.number(score["worst_decile"], 0),
        words.number(score["deepest_loss"], 0),
        words.number(score["spend"], 0),
        str(score["false_pauses"]),
    )


def _decided(told: workflows.Tuning) -> str:
    if told.interrupted:
        return "interrupted"
    if told.accepted:
        return "tuned"
    return "kept" if told.verdict is not None else "nothing_better"
