"""What the evidence of a suggestion says, and does not say."""

from __future__ import annotations

import pytest

from optimizer.interfaces.evidence import evidence_lines
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web.queue.evidence_panel import first_tried

ROW = {
    "reason": "assumed_response",
    "binding": "none",
    "bid": 2.0,
    "proposed_bid": 1.8,
} | dict.fromkeys(
    ("delta_clicks", "delta_cost", "delta_profit_mean", "delta_profit_low", "delta_profit_high"),
    1.0,
)
BELIEF = {"response_assumed": True, "assumed_share": 0.9}


@pytest.mark.parametrize(("kind", "told"), [("lower", True), ("pause", False)])
def test_a_pause_s_uncertainty_is_none_of_the_response_s(kind: str, told: bool) -> None:
    lines = evidence_lines(Translator("en", "CNY"), ROW | {"kind": kind}, BELIEF)
    assert any(line.startswith("Share of the uncertainty") for line in lines) is told


@pytest.mark.parametrize(
    ("evidence", "tried"),
    [
        ({"flip_rate": 0.02202912, "flip_side": "above"}, 2.2030),
        ({"flip_rate": 0.02202912, "flip_side": "below"}, 2.2029),
        ({"flip_rate": 0.02, "flip_side": "above"}, 2.0001),
        ({"flip_rate": 0.02, "flip_side": "below"}, 1.9999),
        ({"flip_rate": 3e-7, "flip_side": "below"}, 0.0001),
        ({"flip_rate": None}, 3.1),
    ],
)
def test_the_rate_tried_first_is_past_the_flip(evidence: dict[str, object], tried: float) -> None:
    assert first_tried({"rate_mean": 0.031} | evidence) == pytest.approx(tried, abs=1e-9)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "in no estimate: 12 times into a cart, 2 new customers."),
        ("zh", "不计入任何估计）：加购 12 次、新客 2 人。"),
    ],
)
def test_counts_beside_orders_are_said_to_be_in_no_estimate(language: str, said: str) -> None:
    days = {"counted_first_day": "2026-09-01", "counted_last_day": "2026-09-03"}
    told = {"counted_beside": {"add_to_cart": 12.0, "new_customers": 2.0}, **days}
    lines = evidence_lines(Translator(language, "CNY"), ROW | {"kind": "lower"}, BELIEF | told)
    assert [line for line in lines if said in line] != []


def test_parts_of_the_value_are_said_to_count_both() -> None:
    parts = {"direct_value": 60.0, "indirect_value": 40.0}
    lines = evidence_lines(Translator("en", "CNY"), ROW | {"kind": "lower"}, BELIEF | parts)
    (line,) = [line for line in lines if line.startswith("Of the reported value")]
    assert line.endswith("the estimate counts both.")
