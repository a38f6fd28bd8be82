from pathlib import Path

import pandas as pd

from optimizer.tables import KEYWORD_DAILY, KEYWORDS, check_table
from simulations.accounts import AS_OF, DOWNLOADS_AGO, large_account, write_large_report


def test_a_large_account_is_the_same_for_the_same_seed() -> None:
    one, other = large_account(300, 12, seed=2), large_account(300, 12, seed=2)
    pd.testing.assert_frame_equal(one.daily, other.daily, check_exact=True)
    assert len(check_table(one.keywords, KEYWORDS)) == 300
    assert (check_table(one.daily, KEYWORD_DAILY)["impressions"] > 0).all()
    known = len({ago for ago in DOWNLOADS_AGO if ago < 12}) + 1
    assert one.versions["as_of"].nunique() == known


def test_a_large_report_holds_the_rows_of_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    write_large_report(path, 300, 12, seed=2)
    lines = path.read_text(encoding="utf-8").splitlines()
    totals = [line for line in lines if "Total: " in line]
    frames = large_account(300, 12, seed=2)
    assert len(lines) == 3 + len(frames.daily) + len(totals)
    assert frames.as_of == AS_OF
