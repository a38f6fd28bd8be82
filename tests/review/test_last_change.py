import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.exposure import records
from optimizer.review.last_change import last_changes
from optimizer.review.suggestions import ReviewResult

TODAY = np.datetime64("2026-07-16").astype(int)


def told(changed: str | None, days: int = 30) -> dict[str, object]:
    """One keyword: 2 clicks a day at 1.00 until 9 July, from then on 3 clicks at 1.50."""
    day = pd.date_range(end="2026-07-15", periods=days).astype("datetime64[s]")
    later = day >= "2026-07-10"
    frame = pd.DataFrame({"entity_key": 1, "first_day": day, "last_day": day, "impressions": 9.0})
    frame = frame.assign(clicks=np.where(later, 3.0, 2.0), cost=np.where(later, 4.5, 2.0))
    frame = frame.assign(conversions=0.0, value=0.0)
    when = pd.Series([changed], dtype="datetime64[s]")
    found = last_changes(records(frame, pd.Series([1])), when, int(TODAY))
    return {name: values[0] for name, values in found.items()}


def test_the_days_after_a_change_are_held_against_as_many_before() -> None:
    found = told("2026-07-10")
    assert (found["change_day"], found["change_days"]) == ("2026-07-10", 6)
    assert (found["change_clicks_before"], found["change_clicks_after"]) == (2.0, 3.0)
    assert (found["change_cpc_before"], found["change_cpc_after"]) == (1.0, 1.5)


def test_two_days_say_nothing_yet() -> None:
    found = told("2026-07-14")
    assert found["change_day"] == "2026-07-14"
    assert np.isnan([found["change_days"], found["change_clicks_after"]]).all()


def test_a_keyword_without_a_known_change_has_none() -> None:
    found = told(None)
    assert found["change_day"] is None
    assert np.isnan([found["change_days"], found["change_cpc_before"]]).all()


def test_no_days_before_leave_the_price_unknown() -> None:
    found = told("2026-07-05", days=11)
    assert found["change_clicks_before"] == 0.0
    assert np.isnan(found["change_cpc_before"])


def test_a_review_keeps_it_in_the_plan(reviewed: ReviewResult) -> None:
    plan = reviewed.frames["plan"]
    assert plan["change_day"].notna().any()
    assert plan.loc[plan["change_days"].notna(), "change_days"].between(3, 14).all()
    assert (plan["change_clicks_after"].dropna() >= 0).all()
    assert plan["change_clicks_after"].notna().sum() == pytest.approx(
        plan["change_days"].notna().sum()
    )
