"""Carts, favourites, pre-sales, new customers and halo, read again for the evidence of a row."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.workflows import Told, Workspace
from optimizer.workflows.counts import counted_beside
from tests.reports.samples import DATA
from tests.workflows.shop_account import CONFIGS, OPERATOR

AS_OF = date(2026, 9, 4)


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    """What stands beside the row of Taobao's busiest word, and beside those of other kinds."""
    with workflows.open_workspace(tmp_path / "store", CONFIGS) as workspace:
        workflows.import_files(
            workspace, [DATA / "taobao_keywords_csv.csv"], "tao", as_of=AS_OF, actor=OPERATOR,
            told=Told(attribution_window_days=15, attribution_basis="click"),
            accept_quarantine=True,
        )  # fmt: skip
        words = workspace.store.review_tables("tao", AS_OF, 30).keywords
        key = words.set_index("keyword_text")["entity_key"].loc["连衣裙 夏"]
        return {name: beside(workspace, name) for name in (str(key), f"t{key}", "c:plan", "9999")}


def beside(workspace: Workspace, entity_key: str) -> dict[str, Any]:
    row = {"entity_key": entity_key, "as_of": pd.Timestamp(AS_OF)}
    return counted_beside(workspace, "tao", row)


def test_counts_of_a_keyword_are_summed_over_its_days(told: dict[str, Any]) -> None:
    (word, *others) = told.values()
    assert others == [{}, {}, {}]
    assert word["counted_beside"]["add_to_cart"] > 0
    assert word["counted_first_day"] <= word["counted_last_day"] < AS_OF.isoformat()
    assert word["direct_value"] > 0
