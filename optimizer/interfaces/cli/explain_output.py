"""What the profiles make of a file, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table

_MAPPING = ("Column", "Meaning", "First values")


def print_explained(run: Run, found: Sequence[Any]) -> None:
    """Per file the profiles that claim it with their columns, then the nearest of the others."""
    for explained in found:
        run.line(explained.file)
        for claim in explained.claims:
            _print_claim(run, claim)
        if not explained.claims:
            header = run.words.listing(explained.found)
            run.say("No profile reads this file. Its header: {found}.", found=header)
        if explained.refused:
            run.line(run.words.code("error", **explained.refused))
        for near in explained.near:
            _print_near(run, near)


def _print_claim(run: Run, claim: Any) -> None:
    words = run.words
    run.say(
        "{profile} reads it: header on line {line:whole} with {count:whole} of its columns, {encoding}.",
        profile=claim.profile,
        line=claim.header_line,
        count=len(claim.mapped),
        encoding=claim.encoding,
    )
    run.console.print(text_table(words, _MAPPING, [_mapping(run, each) for each in claim.mapped]))
    if claim.compared:
        listed = words.listing([each.header for each in claim.compared])
        run.say("Only compared with the counts: {columns}.", columns=listed)
    if claim.summed_over:
        run.say("Summed into the day: {columns}.", columns=words.listing(claim.summed_over))
    if claim.unused:
        run.say("Not read: {columns}.", columns=words.listing(claim.unused))
    if claim.asks:
        asked = words.listing([words.code("column", each) for each in claim.asks])
        run.say("It would ask for: {columns}.", columns=asked)


def _mapping(run: Run, mapped: Any) -> tuple[str, str, str]:
    return mapped.header, run.words.code("column", mapped.field), " · ".join(mapped.values)


def _print_near(run: Run, near: Any) -> None:
    if near.another:
        run.say(
            "Not {profile}: the column {column} is of another report.",
            profile=near.profile,
            column=near.another,
        )
    else:
        run.say(
            "Not {profile}: it lacks {columns}.",
            profile=near.profile,
            columns=run.words.listing(near.missing),
        )
