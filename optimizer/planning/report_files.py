"""Report files of a simulated account, byte by byte as Google Ads would offer them for download.

A file has two lines of preamble, a header, a row per keyword (or search term) and day, and a trailer
of `Total:` rows whose label stands in the Match type column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.planning.market import Known, Log, as_known, bids_known
from optimizer.tables import MICROS

NULL = " --"
_LABELS = {
    "EXACT": "Exact match",
    "PHRASE": "Phrase match",
    "BROAD": "Broad match",
    "EXACT_CLOSE_VARIANT": "Exact match (close variant)",
}
_MARKS = {"EXACT": "[{}]", "PHRASE": '"{}"', "BROAD": "{}"}
_KEYWORD_TOTALS = ("All but removed keywords", "Keywords in your account", "Your keywords")
_ACCOUNT_TOTALS = ("Account", "Search")
_STATUS = {"ENABLED": "Enabled", "PAUSED": "Paused"}

Cells = Mapping[str, pa.Array]
Write = Callable[[float], str]


@dataclass(frozen=True)
class _Sums:
    """Whole-file or per-row sums; money in micros."""

    impressions: np.ndarray
    clicks: np.ndarray
    cost_micros: np.ndarray
    conversions: np.ndarray
    value_micros: np.ndarray


def keyword_report(log: Log, as_of: date, days: int) -> bytes:
    """ "Search keyword report" with Day column: the last `days` days before `as_of`, as known then.

    Statuses and Max. CPC are those of the download day, on every row, as the platform prints them.
    """
    first, known = _window(log, as_of, days)
    rows = known.keywords[known.keywords["day"] >= pd.Timestamp(first)].reset_index(drop=True)
    cells = {**_keyword_state(log, as_of, rows), **_keyword_shares(rows), **_counts(_sums(rows))}
    totals = _total_rows(rows, (*_KEYWORD_TOTALS, *_ACCOUNT_TOTALS), log.market.settings.currency)
    head = _preamble("Search keyword report", first, as_of)
    return head + _table(cells, _KEYWORD_COLUMNS, totals)


def search_terms_report(log: Log, as_of: date, days: int) -> bytes:
    """ "Search terms report" with Day column; terms with few impressions are hidden, totals hold them."""
    first, known = _window(log, as_of, days)
    rows = known.terms[known.terms["day"] >= pd.Timestamp(first)].reset_index(drop=True)
    least = log.market.settings.terms.shown_from_impressions
    shown = rows.groupby("term")["impressions"].transform("sum") >= least
    visible = rows[shown].reset_index(drop=True)
    currency = log.market.settings.currency
    totals = _total_rows(visible, ("Search terms",), currency)
    totals += _total_rows(rows, ("Keywords", "Account"), currency)
    cells = {**_term_names(log, visible), **_counts(_sums(visible))}
    return _preamble("Search terms report", first, as_of) + _table(cells, _TERM_COLUMNS, totals)


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


def _window(log: Log, as_of: date, days: int) -> tuple[date, Known]:
    first = max(log.first_day, as_of - timedelta(days=days))
    return first, as_known(log, as_of)


def _preamble(title: str, first: date, as_of: date) -> bytes:
    last = as_of - timedelta(days=1)
    period = " - ".join(f"{day:%B} {day.day}, {day.year}" for day in (first, last))
    return f'{title}\n"{period}"\n'.encode()


def _keyword_state(log: Log, as_of: date, rows: pd.DataFrame) -> Cells:
    """Names and state: written once per keyword, then spread over its rows."""
    keywords = log.market.keywords
    state = bids_known(log, as_of)
    match = keywords["match_type"]
    texts = [_MARKS[m].format(t) for m, t in zip(match, keywords["keyword_text"], strict=True)]
    status = state["status"].map(_STATUS)
    eligible = np.where(status == "Enabled", "Eligible", "Paused")
    columns = {
        **_place_columns(keywords),
        "Keyword status": status,
        "Keyword": texts,
        "Match type": match.map(_LABELS),
        "Campaign status": "Enabled",
        "Ad group status": "Enabled",
        "Keyword ID": keywords["keyword_id"],
        "Status": eligible,
        "Status reasons": "",
        "Currency code": log.market.settings.currency,
        "Budget": _budgets(log),
        "Max. CPC": _max_cpc(state["bid"], keywords["bidding_mode"]),
        "Est. first page bid": [f"{bid:.2f}" for bid in keywords["first_page_bid"]],
        "Quality Score": keywords["quality_score"].astype(str),
    }
    return {**_spread(columns, keywords.index, rows["keyword"]), "Day": _day_cells(rows["day"])}


def _place_columns(keywords: pd.DataFrame) -> dict[str, pd.Series]:
    names = {
        "Campaign ID": "campaign_id",
        "Campaign": "campaign_name",
        "Ad group ID": "ad_group_id",
        "Ad group": "ad_group_name",
    }
    return {header: keywords[name] for header, name in names.items()}


def _term_names(log: Log, rows: pd.DataFrame) -> Cells:
    keywords, terms = log.market.keywords, log.market.terms
    of_keyword = {
        **_place_columns(keywords),
        "Keyword": keywords["keyword_text"],
        "Currency code": log.market.settings.currency,
    }
    of_term = {
        "Search term": terms["search_term"],
        "Added/Excluded": terms["term_status"].map({"NONE": "None", "ADDED": "Added"}),
        "Match type": terms["term_match_type"].map(_LABELS),
    }
    return {
        **_spread(of_keyword, keywords.index, rows["keyword"]),
        **_spread(of_term, terms.index, rows["term"]),
        "Day": _day_cells(rows["day"]),
    }


def _budgets(log: Log) -> np.ndarray:
    budgets = log.market.campaign_budgets
    texts = [f"{value:.2f}" if np.isfinite(value) else NULL for value in budgets]
    cells: np.ndarray = np.array(texts, dtype=object)[log.market.keyword_campaign]
    return cells


def _max_cpc(bids: pd.Series, modes: pd.Series) -> list[str]:
    mark = modes.map({"manual": "", "enhanced": " (enhanced)", "automated": ""})
    return [
        NULL if np.isnan(bid) else f"{bid:.2f}{suffix}"
        for bid, suffix in zip(bids, mark, strict=True)
    ]


def _keyword_shares(rows: pd.DataFrame) -> Cells:
    share = rows["impressions"].to_numpy() / np.maximum(rows["eligible"].to_numpy(), 1)
    lost = rows["lost_is_budget"].to_numpy()
    return {
        "Search impr. share": _written(np.round(share, 4), _share),
        "Search lost IS (budget)": _written(np.round(lost, 4), _share),
    }


def _sums(rows: pd.DataFrame) -> _Sums:
    names = ("impressions", "clicks", "cost_micros", "conversions", "value_micros")
    return _Sums(**{name: rows[name].to_numpy() for name in names})


def _counts(sums: _Sums) -> Cells:
    """The counted columns and the rates derived from them."""
    cost, value = sums.cost_micros / MICROS, sums.value_micros / MICROS
    clicks, conversions = sums.clicks, sums.conversions
    return {
        "Impr.": _written(sums.impressions, _whole),
        "Clicks": _written(clicks, _whole),
        "CTR": _written(_rounded(_ratio(clicks, sums.impressions), 4), _percent),
        "Avg. CPC": _written(_rounded(_ratio(cost, clicks), 2), _average),
        "Cost": _written(_rounded(cost, 2), _money),
        "Conversions": _written(_rounded(conversions, 2), _grouped),
        "Conv. rate": _written(_rounded(_ratio(conversions, clicks), 4), _percent),
        "Cost / conv.": _written(_rounded(_ratio(cost, conversions), 2), _average),
        "Conv. value": _written(_rounded(value, 2), _grouped),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part per whole; 0 where there is no whole, which is what the platform prints."""
    ratio: np.ndarray = np.divide(
        part, whole, out=np.zeros(len(whole)), where=np.asarray(whole) > 0
    )
    return ratio


def _rounded(values: np.ndarray, digits: int) -> np.ndarray:
    return np.round(values, digits)


def _whole(value: float) -> str:
    return f"{int(value):,}"


def _grouped(value: float) -> str:
    return f"{value:,.2f}"


def _money(value: float) -> str:
    # Unlike counts and values, cost never has thousands separators.
    return f"{value:.2f}"


def _average(value: float) -> str:
    return f"{value:.2f}" if value else "0"


def _percent(value: float) -> str:
    return f"{value:.2%}"


def _share(value: float) -> str:
    """Shares below 10 % and above 90 % are not told, except 0 and 1 which nothing hides."""
    if 0 < value < 0.1:
        return "< 10%"
    return "> 90%" if 0.9 < value < 1 else f"{value:.2%}"


def _total_rows(rows: pd.DataFrame, labels: Sequence[str], currency: str) -> list[dict[str, str]]:
    """One trailer row per label, all with the sums of `rows`."""
    sums = rows[["impressions", "clicks", "cost_micros", "conversions", "value_micros"]].sum()
    cells = _counts(_Sums(**{str(name): np.array([value]) for name, value in sums.items()}))
    counted = {name: cell[0].as_py() for name, cell in cells.items()}
    fixed = {"Currency code": currency, **counted}
    return [{"Match type": f"Total: {label}", **fixed} for label in labels]


def _written(values: np.ndarray, write: Write) -> pa.Array:
    """Each distinct value written once: a column has few of them compared with its rows."""
    distinct, place = np.unique(values, return_inverse=True)
    texts = pa.array([_quoted(write(value)) for value in distinct.tolist()], pa.string())
    return pc.take(texts, pa.array(place))


def _spread(
    columns: Mapping[str, object], index: pd.Index, place: pd.Series
) -> dict[str, pa.Array]:
    """Values per keyword (or term), quoted once and taken for each row."""
    frame = pd.DataFrame(dict(columns), index=index)
    taken = pa.array(place.to_numpy())
    return {
        str(name): pc.take(pa.array([_quoted(str(v)) for v in values], pa.string()), taken)
        for name, values in frame.items()
    }


def _day_cells(days: pd.Series) -> pa.Array:
    return _written(days.to_numpy(), lambda day: str(day)[:10])


def _quoted(text: str) -> str:
    """Quotes around cells that need them, as in RFC 4180."""
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _table(cells: Cells, columns: Sequence[str], totals: Sequence[Mapping[str, str]]) -> bytes:
    header = ",".join(columns) + "\n"
    trailer = [",".join(_total_cell(row, name) for name in columns) + "\n" for row in totals]
    return header.encode() + _lines(cells, columns) + "".join(trailer).encode()


def _total_cell(row: Mapping[str, str], column: str) -> str:
    """First cells and names are empty, other columns that cannot be added are null marks."""
    blank = column in ("Keyword status", "Keyword", "Search term", "Added/Excluded", "Day")
    return row.get(column, "" if blank else NULL)


def _lines(cells: Cells, columns: Sequence[str]) -> bytes:
    """All rows as one run of bytes, joined column by column instead of row by row."""
    parts = [pc.cast(cells[name], pa.large_string()) for name in columns]
    newline = pa.scalar("\n", pa.large_string())
    lines = pc.binary_join_element_wise(*parts, pa.scalar(",", pa.large_string()))
    lines = pc.binary_join_element_wise(lines, newline, pa.scalar("", pa.large_string()))
    if len(lines) == 0:
        return b""
    _, offsets, data = lines.buffers()
    end = np.frombuffer(offsets, np.int64)[len(lines)]
    content: bytes = data.slice(0, int(end)).to_pybytes()
    return content
