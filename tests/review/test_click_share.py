"""What prices next to bids say of the clicks that are left to win."""

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.bid_history import BidHistory
from optimizer.estimates.exposure import Records
from optimizer.review.click_share import click_shares
from optimizer.settings import Estimation

TOLD = Estimation()
TODAY = 100
NO_HISTORY = BidHistory(*(np.zeros(0, dtype=np.int64) for _ in range(3)), np.zeros(0), np.zeros(0))


def shares(
    price: list[float],
    *,
    bid: float = 1.0,
    clicks: float = 50.0,
    history: BidHistory = NO_HISTORY,
    shown: float = np.nan,
) -> np.ndarray:
    """Keywords that paid `price` per click yesterday, `clicks` each, beside forty that pay three quarters."""
    paid = np.array([*price, *np.full(40, 0.75)])
    count = np.array([*np.full(len(price), clicks), *np.full(40, 50.0)])
    size = len(paid)
    day = np.full(size, TODAY - 1)
    empty = np.zeros(size)
    rows = Records(
        unit=np.arange(size), first=day, last=day, impressions=count * 20, clicks=count,
        conversions=empty, value=empty, cost=count * paid,
    )  # fmt: skip
    daily = pd.DataFrame({"impression_share": np.full(size, shown)})
    bids = np.full(size, bid)
    return click_shares(daily, rows, history, bids, TOLD, TODAY)[1][: len(price)]


def test_who_pays_a_tenth_of_the_bid_has_won_nearly_all():
    cheap, usual = shares([0.1, 0.75])
    assert cheap > 0.9
    assert usual == TOLD.click_share


def test_the_cheaper_the_click_the_less_is_left():
    found = shares([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (np.diff(found) < 0).all()


def test_a_factor_on_all_bids_says_nothing():
    """Multipliers, adjusted bids and places of one price move every ratio alike."""
    assert shares([0.1, 0.4], bid=2.0) == pytest.approx(shares([0.1, 0.4]))


def test_a_few_clicks_say_little():
    few, many = shares([0.1], clicks=1.0), shares([0.1], clicks=50.0)
    assert few[0] < many[0] - 0.2


def test_without_clicks_the_stated_share_stays():
    assert shares([0.1], clicks=0.0) == pytest.approx([TOLD.click_share])


def test_impression_share_is_kept_where_it_says_more():
    assert shares([0.75], shown=1.0) == pytest.approx([TOLD.click_share_when_always_shown])


def test_a_word_shown_rarely_and_paid_for_dearly_has_all_to_win():
    assert shares([0.75], clicks=1.0, shown=0.1) == pytest.approx(
        [0.1 * TOLD.click_share_when_always_shown]
    )


def test_the_price_is_held_to_the_bid_of_its_day():
    """Half the bid then: the click was as dear as others; today's bid has won more."""
    then = BidHistory(
        np.array([0]), np.array([0]), np.array([TODAY]), np.array([0.5]), np.array([False])
    )
    assert TOLD.click_share < shares([0.25], history=then)[0] < shares([0.25])[0]
