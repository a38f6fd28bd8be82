"""A platform's simulator points, from the file to the evidence."""

from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.workflows import Workspace
from tests.workflows.shop_account import AS_OF, OPERATOR


def points_file(shop: Workspace, folder: Path) -> tuple[Path, str]:
    """Clicks ~ bid^1.8 of the busiest suggested keyword, and its key."""
    known = shop.store.review_tables("shop", AS_OF, 180).keywords
    rows = workflows.review(shop, "shop", actor=OPERATOR, dry_run=True).suggestions
    key = rows.loc[rows["slot"] == "bid", "entity_key"].iloc[0]
    word = known[known["entity_key"] == int(key)].iloc[0]
    names = [
        word[name] for name in ("campaign_name", "ad_group_name", "keyword_text", "match_type")
    ]
    path = folder / "points.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("campaign,ad_group,keyword,match_type,bid,clicks,cost\n")
        for factor in (0.8, 1.0, 1.25):
            bid = word["bid"] * factor
            file.write(",".join(map(str, [*names, bid, 9 * factor**1.8, 4 * factor**2.7])) + "\n")
    return path, key


def test_a_simulator_speaks_in_the_evidence(unreviewed: Workspace, tmp_path: Path) -> None:
    path, key = points_file(unreviewed, tmp_path)
    report = workflows.review(unreviewed, "shop", actor=OPERATOR, landscape=path)
    assert report.origin["landscape"]["points"] == 3
    rows = workflows.suggestions(unreviewed, "shop", OPERATOR)
    own = rows.loc[(rows["entity_key"] == key) & (rows["slot"] == "bid"), "id"].iloc[0]
    told = workflows.suggestion(unreviewed, "shop", own, OPERATOR).evidence
    assert told["response_source"] == "simulator"
    assert told["elasticity"] == pytest.approx(1.8, abs=1e-3)


def test_a_bad_line_refuses_the_review(unreviewed: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("keyword_id,bid,clicks,cost\nnobody,1,1,1\n", encoding="utf-8")
    with pytest.raises(RefusedInput) as refused:
        workflows.review(unreviewed, "shop", actor=OPERATOR, landscape=path)
    assert refused.value.fields == {"file": "points.csv", "line": 2, "text": "nobody"}
