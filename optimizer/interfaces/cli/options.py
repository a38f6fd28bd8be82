"""Options and arguments that several commands share."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

Account = Annotated[str, typer.Option("--account", help="The advertising account.")]
AnyAccount = Annotated[
    str | None, typer.Option("--account", help="One account; all when left out.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before a bulk decision.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the files.", file_okay=False)]
AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of", parser=date.fromisoformat, metavar="DATE", help="Day the report was downloaded."
    ),
]
Until = Annotated[
    date | None,
    typer.Option("--until", parser=date.fromisoformat, metavar="DATE", help="Last day it holds."),
]
Refs = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID@VERSION...", help="Suggestions, as `suggestions list` prints them."),
]


def parse_refs(texts: list[str] | None) -> list[tuple[str, int]]:
    """`ID@VERSION` texts as pairs; a usage error names the text that is not one."""
    if not texts:
        raise typer.BadParameter("name at least one ID@VERSION")
    return [parse_ref(text) for text in texts]


def parse_ref(text: str) -> tuple[str, int]:
    """One `ID@VERSION`."""
    identity, _, version = text.partition("@")
    if not identity or not version.isdecimal():
        raise typer.BadParameter(f"{text!r} is not ID@VERSION")
    return identity, int(version)
