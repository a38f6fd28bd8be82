"""The reports that a shipped market writes are read by the same readers as anybody's."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from optimizer import workflows
from optimizer.planning.market import (
    Log,
    as_known,
    creatives_known,
    load_market_file,
    make_market,
    simulate_days,
)
from optimizer.planning.report_files import creative_report, keyword_report, search_terms_report
from tests.workflows.shop_account import AS_OF, CONFIGS, OPERATOR

DAYS = 20


@pytest.fixture(scope="module")
def log() -> Log:
    """The dense market, under an hourly budget."""
    settings = load_market_file(CONFIGS / "markets" / "dense.yaml")
    budgets = settings.budgets.model_copy(update={"hourly": True, "account_share": 0.6})
    start = AS_OF - timedelta(days=DAYS)
    told = settings.model_copy(update={"budgets": budgets})
    market = make_market(told, start, np.random.default_rng(1))
    return simulate_days(market, market.start_bids, start, DAYS, np.random.default_rng(2))


@pytest.mark.parametrize(
    ("write", "grain"),
    [
        (keyword_report, "keyword_day"),
        (search_terms_report, "search_term_day"),
        (creative_report, "creative_day"),
    ],
)
def test_the_real_reader_takes_every_row(log: Log, write, grain: str, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(write(log, AS_OF, DAYS))
    with workflows.open_workspace(tmp_path / "store", CONFIGS) as workspace:
        [done] = workflows.import_files(workspace, [file], "shop", as_of=AS_OF, actor=OPERATOR)
    told = done.to_json()
    assert done.grain == grain
    assert done.quarantined == 0
    assert told["rows_kept"] > 0
    assert all(each["ok"] for each in told["totals"] if "ok" in each)


def test_keywords_and_creatives_tell_the_same_sums(log: Log) -> None:
    keywords, creatives = as_known(log, AS_OF).keywords, creatives_known(log, AS_OF)
    for name in ("clicks", "cost_micros", "conversions"):
        assert creatives[name].sum() == pytest.approx(keywords[name].sum())
