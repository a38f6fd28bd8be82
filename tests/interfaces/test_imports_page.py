"""The import page: a file by its path, and what it does not say itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
HEADER = (
    "date_day,platform,account_id,campaign_name,ad_group_name,keyword_text,"
    "impressions,clicks,spend,conversions\n"
)
ROW = "2026-03-01,google_ads,7,Shoes,Red,red shoes,10,1,0.5,0\n"


@pytest.fixture
def page(store: Path) -> AppTest:
    opened = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    return opened.switch_page("web/imports_page.py").run()


def test_currency_that_no_file_states_is_said_on_the_page(page: AppTest, tmp_path: Path) -> None:
    report = tmp_path / "keywords.csv"
    report.write_text(HEADER + ROW, encoding="utf-8")
    page.text_input("path").set_value(str(report))
    page.text_input("import_account").set_value("new")
    refused = page.button("import_now").click().run()
    assert refused.error
    page.text_input("currency").set_value("eur")
    done = page.button("import_now").click().run()
    assert not done.error
    assert not done.exception


def test_keywords_that_no_id_matches_are_listed_on_demand(page: AppTest, tmp_path: Path) -> None:
    report = tmp_path / "keywords.csv"
    header = "Day,Campaign,Ad group,Keyword,Match type,Impr.,Clicks,Cost,Conversions\n"
    report.write_text(header + "2026-01-05,Shoes,Red,lost,Exact match,9,1,0.5,0\n", "utf-8")
    assert not [each for each in page.button if each.key == "unmatched"]
    page.text_input("path").set_value(str(report))
    told = page.button("import_now").click().run()
    assert not told.error
    listed = told.button("unmatched").click().run()
    assert not listed.exception
    assert listed.dataframe[-1].value.iloc[0, 2] == "lost"


class Bar:
    """What a progress bar was told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str]] = []
        self.gone = False

    def progress(self, share: float, text: str) -> None:
        self.told.append((share, text))

    def empty(self) -> None:
        self.gone = True


def test_page_shows_how_far_reading_and_storing_are(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar, report = Bar(), tmp_path / "keywords.csv"
    monkeypatch.setattr("streamlit.progress", lambda share: bar)
    report.write_text(HEADER + ROW, encoding="utf-8")
    page.text_input("path").set_value(str(report))
    page.text_input("currency").set_value("eur")
    page.text_input("import_account").set_value("new")
    assert not page.button("import_now").click().run().error
    assert [text for share, text in bar.told if share == 1.0] == ["Reading reports", "Storing"]
    assert bar.gone
