"""What happened, and whether the store is sound."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from optimizer.tables import Actor
from optimizer.workflows.values import plain
from optimizer.workflows.workspace import Workspace


@dataclass(frozen=True)
class CheckReport:
    """Defects found in the store: database integrity, audit chain, history files; none when `ok`."""

    problems: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Nothing was found."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"ok": self.ok, "problems": plain(self.problems)}


def check(workspace: Workspace, actor: Actor) -> CheckReport:
    """Look for defects of the store itself; it changes nothing."""
    actor.require("viewer")
    return CheckReport(tuple(asdict(one) for one in workspace.store.check()))


def audit(workspace: Workspace, actor: Actor, account: str | None = None) -> pd.DataFrame:
    """Audit rows in order: sequence, at, actor, role, account, action, subject, detail, hash."""
    actor.require("viewer", account)
    return workspace.store.audit(account)
