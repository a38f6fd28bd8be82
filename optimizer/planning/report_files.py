"""Report files of a simulated account, byte by byte as Google Ads would offer them for download.

A file has two lines of preamble, a header, a row per keyword (or search term) and day, and a trailer
of `Total:` rows whose label stands in the Match type column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from optimizer.planning import report_text as text
from optimizer.planning.market import Log, as_known, bids_known, creatives_known
from optimizer.planning.report_text import NULL, Cells, quoted, spread, written
from optimizer.tables import MICROS

_LABELS = {
    "EXACT": "Exact match",
    "PHRASE": "Phrase match",
    "BROAD": "Broad match",
    "EXACT_CLOSE_VARIANT": "Exact match (close variant)",
}
_MARKS = {"EXACT": "[{}]", "PHRASE": '"{}"', "BROAD": "{}"}
_STATUS = {"ENABLED": "Enabled", "PAUSED": "Paused"}
_TERM_STATUS = {"NONE": "None", "ADDED": "Added"}
_MODE_MARKS = {"manual": "", "enhanced": " (enhanced)", "automated": ""}
_PLACE = {
    "Campaign ID": "campaign_id",
    "Campaign": "campaign_name",
    "Ad group ID": "ad_group_id",
    "Ad group": "ad_group_name",
}
_COUNT_COLUMNS = (
    *("Impr.", "Clicks", "CTR", "Avg. CPC", "Cost", "Conversions", "Conv. rate", "Cost / conv."),
    "Conv. value",
)
_KEYWORD_COLUMNS = (
    *("Keyword status", "Keyword", "Match type", "Day", "Campaign ID", "Campaign"),
    *("Campaign status", "Ad group ID", "Ad group", "Ad group status", "Keyword ID", "Status"),
    *("Status reasons", "Currency code", "Budget", "Max. CPC", "Est. first page bid"),
    *("Quality Score", "Search impr. share", "Search lost IS (budget)", *_COUNT_COLUMNS),
)
_TERM_COLUMNS = (
    *("Search term", "Added/Excluded", "Match type", "Day", "Campaign ID", "Campaign"),
    *("Ad group ID", "Ad group", "Keyword", "Currency code", *_COUNT_COLUMNS),
)
_CREATIVE_COLUMNS = (
    *("Ad status", "Day", "Campaign ID", "Campaign", "Ad group ID", "Ad group", "Ad ID"),
    *("Headline 1", "Description 1", "Currency code", *_COUNT_COLUMNS),
)
_BLANK = ("Keyword status", "Keyword", "Search term", "Added/Excluded", "Day")
_SUMMED = ["impressions", "clicks", "cost_micros", "conversions", "value_micros"]
_KEYWORD_TOTALS = (
    *("All but removed keywords", "Keywords in your account", "Your keywords"),
    *("Account", "Search"),
)
_CHUNK_ROWS = 250_000


def keyword_report(log: Log, as_of: date, days: int) -> bytes:
    """ "Search keyword report" with Day column: the last `days` days before `as_of`, as known then.

    Statuses and Max. CPC are those of the download day, on every row, as the platform prints them.
    """
    return b"".join(keyword_report_parts(log, as_of, days))


def keyword_report_parts(log: Log, as_of: date, days: int) -> Iterator[bytes]:
    """`keyword_report` piece by piece, for files that should not stand in memory whole."""
    first = _first_day(log, as_of, days)
    rows = _since(as_known(log, as_of).keywords, first)
    state = _keyword_state(log, as_of)
    yield _preamble("Search keyword report", first, as_of) + _header(_KEYWORD_COLUMNS)
    for chunk in _chunks(rows):
        cells = {
            **spread(state, chunk["keyword"].to_numpy()),
            **_day_cells(chunk),
            **_shares(chunk),
        }
        yield text.joined({**cells, **_counts(chunk)}, _KEYWORD_COLUMNS)
    totals = _total_rows(rows, _KEYWORD_TOTALS, log.market.settings.currency)
    yield _trailer(totals, _KEYWORD_COLUMNS)


def search_terms_report(log: Log, as_of: date, days: int) -> bytes:
    """ "Search terms report" with Day column; terms with few impressions are hidden, totals hold them."""
    first = _first_day(log, as_of, days)
    rows = _since(as_known(log, as_of).terms, first)
    least = log.market.settings.terms.shown_from_impressions
    visible = rows[rows.groupby("term")["impressions"].transform("sum") >= least]
    currency = log.market.settings.currency
    totals = _total_rows(visible, ("Search terms",), currency)
    totals += _total_rows(rows, ("Keywords", "Account"), currency)
    keywords, terms = _term_keywords(log), _term_names(log)
    parts = [_preamble("Search terms report", first, as_of), _header(_TERM_COLUMNS)]
    for chunk in _chunks(visible):
        names = spread(keywords, chunk["keyword"].to_numpy())
        cells = {**names, **spread(terms, chunk["term"].to_numpy()), **_day_cells(chunk)}
        parts.append(text.joined({**cells, **_counts(chunk)}, _TERM_COLUMNS))
    return b"".join([*parts, _trailer(totals, _TERM_COLUMNS)])


def creative_report(log: Log, as_of: date, days: int) -> bytes:
    """ "Ad report" with Day column: the last `days` days before `as_of` of every creative."""
    first = _first_day(log, as_of, days)
    rows = _since(creatives_known(log, as_of), first)
    named = log.market.creatives
    texts = named["creative_name"].str.split(" | ", regex=False)
    columns: dict[str, Any] = {
        **{header: named[name] for header, name in _PLACE.items()},
        "Ad status": "Enabled",
        "Ad ID": named["creative_id"],
        "Headline 1": texts.str[0],
        "Description 1": texts.str[1],
        "Currency code": log.market.settings.currency,
    }
    names = _cells(pd.DataFrame(columns))
    parts = [_preamble("Ad report", first, as_of), _header(_CREATIVE_COLUMNS)]
    for chunk in _chunks(rows):
        cells = {**spread(names, chunk["creative"].to_numpy()), **_day_cells(chunk)}
        parts.append(text.joined({**cells, **_counts(chunk)}, _CREATIVE_COLUMNS))
    totals = _total_rows(rows, ("Ads", "Account"), log.market.settings.currency, "Ad group")
    return b"".join([*parts, _trailer(totals, _CREATIVE_COLUMNS)])


def _first_day(log: Log, as_of: date, days: int) -> date:
    return max(log.first_day, as_of - timedelta(days=days))


def _since(rows: pd.DataFrame, first: date) -> pd.DataFrame:
    return rows[rows["day"] >= pd.Timestamp(first)]


def _chunks(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(rows), _CHUNK_ROWS):
        yield rows.iloc[start : start + _CHUNK_ROWS]


def _preamble(title: str, first: date, as_of: date) -> bytes:
    last = as_of - timedelta(days=1)
    period = " - ".join(f"{_MONTHS[day.month - 1]} {day.day}, {day.year}" for day in (first, last))
    return f'{title}\n"{period}"\n'.encode()


# Not strftime: the file is in English wherever it is made.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def _keyword_state(log: Log, as_of: date) -> Cells:
    """Names and state on the download day, once per keyword."""
    keywords, state = log.market.keywords, bids_known(log, as_of)
    match = keywords["match_type"]
    texts = [_MARKS[m].format(t) for m, t in zip(match, keywords["keyword_text"], strict=True)]
    enabled = state["status"] == "ENABLED"
    columns: dict[str, Any] = {
        **{header: keywords[name] for header, name in _PLACE.items()},
        "Keyword status": state["status"].map(_STATUS),
        "Keyword": texts,
        "Match type": match.map(_LABELS),
        "Campaign status": "Enabled",
        "Ad group status": "Enabled",
        "Keyword ID": keywords["keyword_id"],
        "Status": np.where(enabled, "Eligible", "Paused"),
        "Status reasons": "",
        "Currency code": log.market.settings.currency,
        "Budget": _budgets(log),
        "Max. CPC": _max_cpc(state["bid"], keywords["bidding_mode"]),
        "Est. first page bid": [text.money(bid) for bid in keywords["first_page_bid"]],
        "Quality Score": keywords["quality_score"].astype(str),
    }
    return _cells(pd.DataFrame(columns))


def _term_keywords(log: Log) -> Cells:
    keywords = log.market.keywords
    columns: dict[str, Any] = {
        **{header: keywords[name] for header, name in _PLACE.items()},
        "Keyword": keywords["keyword_text"],
        "Currency code": log.market.settings.currency,
    }
    return _cells(pd.DataFrame(columns))


def _term_names(log: Log) -> Cells:
    terms = log.market.terms
    columns = {
        "Search term": terms["search_term"],
        "Added/Excluded": terms["term_status"].map(_TERM_STATUS),
        "Match type": terms["term_match_type"].map(_LABELS),
    }
    return _cells(pd.DataFrame(columns))


def _cells(frame: pd.DataFrame) -> Cells:
    return {str(name): quoted(values.tolist()) for name, values in frame.items()}


def _budgets(log: Log) -> np.ndarray:
    budgets = log.market.campaign_budgets
    texts = [text.money(value) if np.isfinite(value) else NULL for value in budgets]
    cells: np.ndarray = np.array(texts, dtype=object)[log.market.keyword_campaign]
    return cells


def _max_cpc(bids: pd.Series, modes: pd.Series) -> list[str]:
    return [
        NULL if np.isnan(bid) else text.money(bid) + mark
        for bid, mark in zip(bids, modes.map(_MODE_MARKS), strict=True)
    ]


def _day_cells(rows: pd.DataFrame) -> Cells:
    return {"Day": written(rows["day"].to_numpy().astype("datetime64[D]"), str)}


def _shares(rows: pd.DataFrame) -> Cells:
    share = rows["impressions"].to_numpy() / np.maximum(rows["eligible"].to_numpy(), 1)
    lost = rows["lost_is_budget"].to_numpy()
    return {
        "Search impr. share": written(np.round(share, 4), text.censored_share),
        "Search lost IS (budget)": written(np.round(lost, 4), text.censored_share),
    }


def _counts(rows: pd.DataFrame) -> Cells:
    """The counted columns and the rates derived from them."""
    impressions, clicks, cost, conversions, value = (rows[name].to_numpy() for name in _SUMMED)
    cost, value = cost / MICROS, value / MICROS
    return {
        "Impr.": written(impressions, text.whole),
        "Clicks": written(clicks, text.whole),
        "CTR": written(_ratio(clicks, impressions, 4), text.percent),
        "Avg. CPC": written(_ratio(cost, clicks, 2), text.average),
        "Cost": written(np.round(cost, 2), text.money),
        "Conversions": written(np.round(conversions, 2), text.grouped),
        "Conv. rate": written(_ratio(conversions, clicks, 4), text.percent),
        "Cost / conv.": written(_ratio(cost, conversions, 2), text.average),
        "Conv. value": written(np.round(value, 2), text.grouped),
    }


def _ratio(part: np.ndarray, whole: np.ndarray, digits: int) -> np.ndarray:
    """Part per whole, rounded; 0 where there is no whole, which is what the platform prints."""
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return ratio.round(digits)


def _total_rows(
    rows: pd.DataFrame, labels: Sequence[str], currency: str, column: str = "Match type"
) -> list[dict[str, str]]:
    """One trailer row per label, which stands in `column`, all with the sums of `rows`."""
    cells = _counts(rows[_SUMMED].sum().to_frame().T)
    counted = {name: quoted_cell[0].as_py() for name, quoted_cell in cells.items()}
    fixed = {"Currency code": currency, **counted}
    return [{column: f"Total: {label}", **fixed} for label in labels]


def _header(columns: Sequence[str]) -> bytes:
    return (",".join(columns) + "\n").encode()


def _trailer(totals: Sequence[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    """First cells are empty; other columns that cannot be added hold the null mark."""
    blank = {name: "" if name in _BLANK else NULL for name in columns}
    rows = [{**blank, **total} for total in totals]
    return "".join(",".join(row[name] for name in columns) + "\n" for row in rows).encode()
