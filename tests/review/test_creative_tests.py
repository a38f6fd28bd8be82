from dataclasses import replace
from datetime import date

import pytest

from optimizer.errors import BadSettings, RefusedInput
from optimizer.review.creative_tests import Listed, list_tests
from optimizer.settings import Account, CreativeTest, parse_model
from tests.review.creative_accounts import TODAY, creative_inputs


def listed(*tests: CreativeTest, ctr: tuple[float, ...] = (0.03, 0.02, 0.01)) -> Listed:
    inputs = creative_inputs(ctr=ctr, groups=("shoes", "hats"))
    return list_tests(inputs.creatives, inputs.daily, Account(creative_tests=tests), TODAY)


def shoes(**fields: object) -> CreativeTest:
    return CreativeTest.model_validate(
        {"name": "t", "campaign": "spring", "ad_group": "shoes", **fields}
    )


def test_arms_are_named_by_id_or_by_name() -> None:
    found = listed(shoes(arms=("91", "shoes 0.01")))
    assert found.creative[found.test == 0].tolist() == [0, 2]


def test_without_arms_all_creatives_of_the_ad_group_take_part() -> None:
    found = listed(shoes())
    assert found.creative[found.test == 0].tolist() == [0, 1, 2]
    assert found.discovered == (False, True)


def test_a_single_creative_is_no_test() -> None:
    assert listed(ctr=(0.03,)).tests == ()


def test_a_test_that_has_not_begun_is_not_listed() -> None:
    assert listed(shoes(start=date(2026, 7, 1))).discovered == (True, True)


def test_creatives_not_shown_lately_are_not_discovered() -> None:
    inputs = creative_inputs(days=40)
    old = inputs.daily[inputs.daily["first_day"] < "2026-06-10"]
    assert list_tests(inputs.creatives, old, Account(), TODAY).tests == ()


def test_an_unknown_arm_is_named() -> None:
    with pytest.raises(BadSettings, match="creative_unknown") as raised:
        listed(shoes(arms=("91", "boots")))
    assert raised.value.fields["creative"] == "boots"


def test_a_share_that_stands_for_an_id_in_two_ad_groups_is_refused() -> None:
    inputs = creative_inputs(groups=("shoes", "hats"))
    creatives = inputs.creatives.assign(creative_id=["91", "92", "91", "92"])
    whole = CreativeTest(
        name="t", campaign="spring", arms=("91", "92"), split={"91": 0.8, "92": 0.2}
    )
    with pytest.raises(BadSettings, match="creative_split_ambiguous") as raised:
        list_tests(creatives, inputs.daily, Account(creative_tests=(whole,)), TODAY)
    assert raised.value.fields == {"test": "t", "creative": "91", "count": 2}
    within = whole.model_copy(update={"ad_group": "shoes"})
    found = list_tests(creatives, inputs.daily, Account(creative_tests=(within,)), TODAY)
    assert found.creative[found.test == 0].tolist() == [0, 1]


def test_a_share_that_stands_for_two_creatives_of_one_name_is_refused() -> None:
    inputs = creative_inputs(ctr=(0.03, 0.02, 0.01))
    creatives = inputs.creatives.assign(creative_name=["One title", "One title", "Other"])
    split = {"One title": 0.5, "Other": 0.5}
    with pytest.raises(BadSettings, match="creative_split_ambiguous"):
        list_tests(
            creatives,
            inputs.daily,
            Account(creative_tests=(shoes(arms=tuple(split), split=split),)),
            TODAY,
        )


def test_a_test_of_one_creative_is_refused() -> None:
    with pytest.raises(BadSettings, match="creative_test_arms"):
        listed(shoes(), ctr=(0.03,))


def test_two_tests_of_one_creative_at_a_time_are_refused() -> None:
    with pytest.raises(RefusedInput, match="tests_overlap"):
        listed(shoes(), shoes(name="other", arms=("91", "92")))


def test_one_test_may_follow_another() -> None:
    first = shoes(end=date(2026, 6, 10))
    second = shoes(name="second", start=date(2026, 6, 11))
    assert [one.name for one in listed(first, second).tests] == ["t", "second", "spring / hats"]


def test_an_ad_group_whose_test_has_ended_is_discovered_again() -> None:
    found = listed(shoes(end=date(2026, 6, 10)))
    assert [one.name for one in found.tests] == ["t", "spring / shoes", "spring / hats"]


@pytest.mark.parametrize(
    "bad",
    [
        {"start": "2026-05-02", "end": "2026-05-01"},
        {"arms": ["91"]},
        {"arms": ["91", "91"]},
        {"metric": "roas"},
        {"floor": 1.5},
    ],
)
def test_impossible_definitions_are_refused(bad: dict[str, object]) -> None:
    test = {"name": "t", "campaign": "spring", **bad}
    with pytest.raises(BadSettings, match="settings_invalid"):
        parse_model({"creative_tests": [test]}, Account)


def test_two_tests_of_one_name_are_refused() -> None:
    test = {"name": "t", "campaign": "spring"}
    with pytest.raises(BadSettings, match="settings_invalid"):
        parse_model({"creative_tests": [test, test]}, Account)


def test_taking_tests_renumbers_their_arms() -> None:
    found = listed(shoes()).take([1])
    assert set(found.test) == {0}
    assert replace(found).tests[0].name == "spring / hats"
