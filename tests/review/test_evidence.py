import json

import numpy as np
import pytest

from optimizer.review.evidence import response_curve
from optimizer.review.explaining import explain
from optimizer.review.suggestions import ReviewResult

KEYWORD_KEYS = {
    "segment",
    "seen_clicks",
    "exposure",
    "conversions",
    "clicks",
    "cpc",
    "rate_mean",
    "rate_low",
    "rate_high",
    "parent_mean",
    "value_mean",
    "value_low",
    "value_high",
    "marginal_mean",
    "line",
    "p_above_cpc",
    "p_marginal_above",
    "clicks_needed",
    "step_limit",
    "lower_step",
    "binding",
    "assumed",
    "days",
    "days_excluded",
    "days_maturing",
    "first_day",
    "last_day",
    "horizon_days",
    "interval",
    "flip_rate",
    "flip_per_conversion",
    "flip_side",
    "flip_kind",
    "flip_reason",
    "advice",
}
TERM_KEYS = KEYWORD_KEYS - {"p_marginal_above", "clicks_needed", "step_limit", "lower_step"} | {
    "donor_key"
}
KINDS = {
    "raise": KEYWORD_KEYS,
    "watch": KEYWORD_KEYS,
    "pause": KEYWORD_KEYS,
    "add_keyword": TERM_KEYS,
}


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_is_an_object_with_what_an_interface_shows(
    reviewed: ReviewResult, kind: str
) -> None:
    rows = reviewed.suggestions[reviewed.suggestions["kind"] == kind]
    shown = explain(rows, reviewed.frames, reviewed.context)
    assert shown
    json.dumps(shown, allow_nan=False, default=float)
    assert all(KINDS[kind] <= set(one) for one in shown)
    assert [one["binding"] for one in shown] == rows["binding"].tolist()


def test_intervals_hold_their_means(reviewed: ReviewResult) -> None:
    for shown in explain(reviewed.suggestions, reviewed.frames, reviewed.context):
        assert shown["rate_low"] <= shown["rate_mean"] * 1.5
        assert shown["rate_low"] < shown["rate_high"]
        assert shown["value_low"] < shown["value_high"]


def test_the_curve_rises_and_passes_through_today(reviewed: ReviewResult) -> None:
    row = reviewed.frames["plan"].query("state_code == ''").iloc[0].to_dict()
    curve = response_curve(row, reviewed.context)
    assert (np.diff(curve["clicks"]) > 0).all()
    assert (np.diff(curve["cost"]) > 0).all()
    today = curve.iloc[len(curve) // 2]
    assert today["bid"] == pytest.approx(row["curve_bid"])
    assert today["clicks"] == pytest.approx(row["clicks"])
    assert today["cost"] == pytest.approx(row["clicks"] * row["cpc"])
    assert today["profit_mean"] == pytest.approx(0.0)


def test_the_curve_marks_the_bids_within_the_step(reviewed: ReviewResult) -> None:
    row = reviewed.frames["plan"].query("state_code == ''").iloc[0].to_dict()
    curve = response_curve(row, reviewed.context)
    inside = curve.loc[curve["within_step"], "bid"] / row["curve_bid"] - 1
    assert -row["lower_step"] - 1e-9 <= inside.min() < 0 < inside.max() <= row["step_limit"] + 1e-9
    assert (~curve["within_step"]).any()


def test_the_curve_agrees_with_the_suggestion(reviewed: ReviewResult) -> None:
    raised = reviewed.suggestions.query("kind == 'raise'").iloc[0]
    plan = reviewed.frames["plan"].set_index("entity_key", drop=False)
    curve = response_curve(plan.loc[int(raised["entity_key"])].to_dict(), reviewed.context)
    extra = np.interp(raised["proposed_bid"], curve["bid"], curve["profit_mean"])
    assert extra == pytest.approx(raised["delta_profit_mean"], rel=0.05)


def test_a_keyword_with_an_unknown_bid_has_a_curve_around_its_price(
    reviewed: ReviewResult,
) -> None:
    row = reviewed.frames["plan"].query("state_code == 'automated_bidding'").iloc[0].to_dict()
    curve = response_curve(row, reviewed.context)
    assert np.isfinite(curve[["clicks", "cost", "profit_mean"]].to_numpy()).all()


def explained(result: ReviewResult, kind: str, **plan: object) -> list[dict]:
    """Evidence of one kind, with some columns of the plan replaced."""
    rows = result.suggestions[result.suggestions["kind"] == kind]
    frames = {**result.frames, "plan": result.frames["plan"].assign(**plan)}
    return explain(rows, frames, result.context)


def test_a_large_raise_says_that_clicks_are_assumed_to_stay_as_good(
    reviewed: ReviewResult,
) -> None:
    rows = reviewed.suggestions.query("kind == 'raise'")
    large = (rows["proposed_bid"] / rows["bid"] - 1 > 0.1).tolist()
    shown = explained(reviewed, "raise")
    assert ["value_constant" in one["advice"] for one in shown] == large
    assert any(large)
    assert not any("value_constant" in one["advice"] for one in explained(reviewed, "lower"))


def test_a_weak_page_or_creative_comes_before_the_bid(reviewed: ReviewResult) -> None:
    plan = reviewed.frames["plan"]
    weak = {"rate_mean": 0.3 * plan["parent_mean"], "rate_cv2": 0.01, "quality_score": 3.0}
    own = (
        plan["entity_key"]
        .astype(str)
        .isin(reviewed.suggestions.query("kind == 'lower'")["entity_key"])
    )
    seen = {"ctr_mean": plan["ctr_mean"].where(~own, 0.2 * plan["ctr_mean"]), "ctr_cv2": 0.01}
    codes = {code for one in explained(reviewed, "lower", **weak, **seen) for code in one["advice"]}
    assert codes == {"fix_page", "fix_creative", "quality_low"}


def test_an_unknown_quality_score_gives_no_advice(reviewed: ReviewResult) -> None:
    shown = explained(reviewed, "lower", quality_score=np.nan)
    assert not any("quality_low" in one["advice"] for one in shown)


def test_every_keyword_has_exactly_one_answer(reviewed: ReviewResult) -> None:
    """Suggested, or counted once under the reason why it is not."""
    plan = reviewed.frames["plan"]
    on_keywords = reviewed.suggestions["slot"].isin(["bid", "state"])
    suggested = set(reviewed.suggestions.loc[on_keywords, "entity_key"])
    unsaid = plan["reason"] == ""
    assert set(plan.loc[unsaid, "entity_key"].astype(str)) == suggested
    assert sum(reviewed.summary.not_suggested.values()) == (~unsaid).sum()
    assert on_keywords.sum() + (~unsaid).sum() == len(plan)
