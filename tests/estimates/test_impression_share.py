"""Shares of clicks by hand."""

import numpy as np
import pytest

from optimizer.estimates.impression_share import click_share


def test_a_word_always_shown_still_has_clicks_to_win():
    found = click_share(np.array([1.0, 0.5, np.nan]), full=0.65, unknown=0.4)
    assert found == pytest.approx([0.65, 0.325, 0.4])
