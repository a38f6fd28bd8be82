"""Every keyword of a review ends in one step."""

from __future__ import annotations

from optimizer.outcomes.flow import STAGES, keyword_flow


def test_steps_add_up_to_all_keywords() -> None:
    kinds = {"raise": 3, "lower": 5, "watch": 2, "add_keyword": 7}
    rest = {"brand": 4, "on_target": 6, "too_little_data": 8, "keyword_off": 1, "locked": 2}
    steps, others = keyword_flow(kinds, rest)
    found = {each.stage: each.count for each in steps}
    assert list(found) == list(STAGES)
    assert found == {
        "evaluated": 31,
        "not_served": 1,
        "decided": 2,
        "guarded": 4,
        "on_target": 6,
        "too_little_data": 10,
        "suggested": 8,
    }
    assert others == {"add_keyword": 7}


def test_commonest_reason_comes_first_and_new_codes_are_guardrails() -> None:
    steps, _ = keyword_flow({}, {"brand": 1, "some_new_guardrail": 5})
    assert list(steps[3].codes) == ["some_new_guardrail", "brand"]


def test_nothing_reviewed_goes_nowhere() -> None:
    assert all(each.count == 0 for each in keyword_flow({}, {})[0])
