"""Who acts on the small account of these tests, when, and what is open in it."""

from datetime import date
from pathlib import Path

import pandas as pd

from optimizer import workflows
from optimizer.tables import Actor
from optimizer.workflows import Workspace

AS_OF = date(2026, 3, 2)
OPERATOR = Actor("olga", "operator")
APPROVER = Actor("ann", "approver")
VIEWER = Actor("vic", "viewer")
CONFIGS = Path(__file__).parents[2] / "configs"


def proposed(workspace: Workspace, *kinds: str) -> pd.DataFrame:
    """Open suggestions of these kinds, the largest Δcost first."""
    rows = workflows.suggestions(workspace, "shop", VIEWER)
    open_rows = rows[rows["decision"].eq("proposed") & rows["kind"].isin(kinds)]
    return open_rows.sort_values("delta_cost", ascending=False, ignore_index=True)


def refs(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """(id, version) of rows."""
    return list(zip(rows["id"], rows["version"].astype(int), strict=True))
