"""The `optimizer` command: one command per verb.

Every command takes `--store`, `--configs`, `--lang` and `--json`; those that write take `--dry-run`.
Exit code 0: done; 1: refused (the message says why; with `--json` an object with `error`); 2: usage.
"""

from __future__ import annotations

from optimizer.interfaces.cli import (
    access_commands,
    creative_commands,
    data_commands,
    decision_commands,
    experiment_commands,
    plan_commands,
    review_commands,
    serve_command,
    simulate_command,
    tune_command,
)
from optimizer.interfaces.cli.running import app

__all__ = ["app", "main"]

COMMAND_MODULES = (
    data_commands,
    review_commands,
    creative_commands,
    decision_commands,
    experiment_commands,
    plan_commands,
    serve_command,
    simulate_command,
    tune_command,
    access_commands,
)
"""Importing them registers their commands."""


def main() -> None:
    """Run the command line."""
    app()
