"""What a report downloaded on some day would say of a log: late orders missing, refunds taken off."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd

from optimizer.planning.market.days import Log
from optimizer.planning.market.records import OrderRecords, TermDays
from optimizer.tables import MICROS


@dataclass(frozen=True)
class Known:
    """Sums as known on `as_of`, days before it only, rows with impressions only.

    keywords  keyword (position in market.keywords), day, eligible, impressions, clicks, cost_micros,
              conversions, value_micros, bid (in force that day; nan when automated), lost_is_budget
    terms     term (position in market.terms), keyword, day and the same sums
    """

    as_of: date
    keywords: pd.DataFrame
    terms: pd.DataFrame


def as_known(log: Log, as_of: date) -> Known:
    """Sums per keyword and day, and per search term and day, as known on `as_of`.

    An order counts from click day + delay < as_of on, dated to its click day, until it is refunded.
    """
    horizon = (as_of - log.market.first_day).days
    rows = _head(log.rows, horizon)
    conversions, value = _credited(log.orders, rows, horizon, len(log.market.terms))
    keyword = log.market.term_truth["keyword"].to_numpy()[rows.term]
    counted = {
        "eligible": rows.eligible.astype(np.int64),
        "impressions": rows.impressions.astype(np.int64),
        "clicks": rows.clicks.astype(np.int64),
        "cost_micros": rows.cost_micros,
        "conversions": conversions,
        "value_micros": value,
    }
    names = {"term": rows.term.astype(np.int64), "keyword": keyword, "day": _days(log, rows.day)}
    keywords = _by_keyword(log, rows.day, keyword, counted)
    return Known(as_of=as_of, keywords=keywords, terms=pd.DataFrame({**names, **counted}))


def campaign_days_known(log: Log, as_of: date) -> pd.DataFrame:
    """Sums per campaign and day as known on `as_of`: campaign_name, day, clicks, conversions, value."""
    market, horizon = log.market, (as_of - log.market.first_day).days
    rows, orders = _head(log.rows, horizon), log.orders
    campaigns = len(market.campaign_names)
    campaign = market.keyword_campaign[market.term_truth["keyword"].to_numpy()]
    counted = orders.counted(horizon)
    row_cell = rows.day.astype(np.int64) * campaigns + campaign[rows.term]
    order_cell = orders.day[counted].astype(np.int64) * campaigns + campaign[orders.term[counted]]
    size = max(horizon, 0) * campaigns
    cell = np.flatnonzero(np.bincount(row_cell, minlength=size))
    columns = {
        "campaign_name": market.campaign_names[cell % campaigns].astype(str),
        "day": _days(log, cell // campaigns),
        "clicks": np.bincount(row_cell, rows.clicks, size)[cell],
        "conversions": np.bincount(order_cell, orders.credit[counted], size)[cell],
        "value": np.bincount(order_cell, orders.value_micros[counted], size)[cell] / MICROS,
    }
    return pd.DataFrame(columns).astype({"campaign_name": "str"})


def bids_known(log: Log, as_of: date) -> pd.DataFrame:
    """Per keyword its newest bid before `as_of` (the last one it had when off) and status.

    Columns bid (nan when the platform bids), status ENABLED or PAUSED.
    """
    days = np.clip((as_of - log.first_day).days, 1, log.days)
    bids = log.bids[:days]
    last_on = days - 1 - np.argmax(bids[::-1] > 0, axis=0)
    newest = bids[last_on, np.arange(bids.shape[1])]
    status = np.where(bids[-1] > 0, "ENABLED", "PAUSED")
    bid = np.where(log.market.automated, np.nan, newest)
    return pd.DataFrame({"bid": bid, "status": status}).astype({"status": "str"})


def _head(rows: TermDays, horizon: int) -> TermDays:
    """The entries of days before `horizon`; rows are sorted by day."""
    end = np.searchsorted(rows.day, horizon)
    return TermDays(*(getattr(rows, part.name)[:end] for part in fields(rows)))


def _credited(
    orders: OrderRecords, rows: TermDays, horizon: int, terms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Conversions and value per entry of `rows`."""
    counted = orders.counted(horizon)
    row_key = rows.day.astype(np.int64) * terms + rows.term
    order_key = orders.day[counted].astype(np.int64) * terms + orders.term[counted]
    place = np.searchsorted(row_key, order_key)
    conversions = np.bincount(place, orders.credit[counted], minlength=len(row_key))
    value = np.bincount(place, orders.value_micros[counted], minlength=len(row_key))
    return conversions, value.astype(np.int64)


def _by_keyword(
    log: Log, day: np.ndarray, keyword: np.ndarray, counted: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Sum the terms of each keyword and day; terms are sorted by keyword, so runs are contiguous."""
    changed = (np.diff(day, prepend=-1) != 0) | (np.diff(keyword, prepend=-1) != 0)
    first = np.flatnonzero(changed)
    sums = {name: _run_sums(values, first) for name, values in counted.items()}
    day, keyword = day[first], keyword[first]
    frame = pd.DataFrame({"keyword": keyword, "day": _days(log, day), **sums})
    bids = np.where(log.market.automated, np.nan, log.bids)
    frame["bid"] = bids[day - log.start, keyword]
    campaign = log.market.keyword_campaign[keyword]
    frame["lost_is_budget"] = 1 - log.served[day - log.start, campaign]
    return frame


def _run_sums(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, first) if len(first) else values[:0]


def _days(log: Log, day: np.ndarray) -> np.ndarray:
    return np.datetime64(log.market.first_day, "s") + day.astype("timedelta64[D]")
