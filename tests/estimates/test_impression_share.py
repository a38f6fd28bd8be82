"""Shares of impressions and clicks by hand."""

import numpy as np
import pytest

from optimizer.estimates.impression_share import click_share, impression_share


def share_of(impressions, share, lost=np.nan):
    rows = [np.atleast_1d(np.asarray(part, dtype=float)) for part in (impressions, share)]
    gone = np.broadcast_to(np.asarray(lost, dtype=float), len(rows[0]))
    return impression_share(np.zeros(len(rows[0]), dtype=np.int64), *rows, gone, 2)


def test_days_count_by_their_eligible_impressions():
    """40 of 100 and 10 of 100 eligible impressions."""
    assert share_of([40, 10], [0.4, 0.1])[0] == pytest.approx(0.25)


def test_what_the_budget_lost_the_bid_had_won():
    """30 shown of 100, 40 lost to the budget: the bid wins 30 of the other 60."""
    assert share_of(30, 0.3, 0.4)[0] == pytest.approx(0.5)


def test_silence_is_unknown():
    assert np.isnan(share_of([10, 0], [np.nan, 0.5])).all()
    assert np.isnan(share_of(10, 0.5)[1])


def test_days_that_could_only_be_seen_when_won_do_not_count():
    """One eligible impression a day at 20 %: the days with a row all say 100 %."""
    rng = np.random.default_rng(0)
    won = rng.binomial(1, 0.2, 1000)
    assert np.isnan(share_of(won[won > 0], np.ones(won.sum()))[0])


def test_a_word_always_shown_still_has_clicks_to_win():
    found = click_share(np.array([1.0, 0.5, np.nan]), full=0.65, unknown=0.4)
    assert found == pytest.approx([0.65, 0.325, 0.4])
