import numpy as np
import pandas as pd

from optimizer.estimates.hierarchy import build_hierarchy

GENERIC = np.zeros(4, dtype=np.int64)


def frame(**told: list[str | None]) -> pd.DataFrame:
    plain = {
        "campaign_id": ["1", "1", "2", "2"],
        "campaign_name": ["a", "a", "b", "b"],
        "ad_group_id": ["7", "8", "7", "7"],
        "ad_group_name": ["x", "y", "x", "x"],
    }
    return pd.DataFrame({**plain, **told}, index=[3, 1, 0, 2], dtype="str")


def test_ad_groups_belong_to_their_campaign() -> None:
    tree = build_hierarchy(frame(), GENERIC)
    assert tree.campaign.tolist() == [0, 0, 1, 1]
    assert tree.ad_group.tolist() == [0, 1, 2, 2]
    assert tree.parents[1].tolist() == [0, 0, 1]
    assert tree.parents[2].tolist() == [0, 0]


def test_names_stand_in_for_ids_nobody_reported() -> None:
    nothing = [None] * 4
    tree = build_hierarchy(frame(campaign_id=nothing, ad_group_id=nothing), GENERIC)
    assert tree.campaign.tolist() == [0, 0, 1, 1]
    assert tree.ad_group.tolist() == [0, 1, 2, 2]


def test_a_renamed_campaign_is_one_and_two_of_one_name_are_two() -> None:
    assert build_hierarchy(frame(campaign_name=["a", "A", "b", "b"]), GENERIC).campaign.max() == 1
    assert build_hierarchy(frame(campaign_name=["a"] * 4), GENERIC).campaign.max() == 1


def test_brand_words_share_no_parent_with_generic_ones() -> None:
    tree = build_hierarchy(frame(), np.array([0, 0, 0, 1]))
    leaf, group, campaign = tree.parents
    assert leaf[2] != leaf[3]
    assert group[leaf[2]] != group[leaf[3]]
    assert campaign.tolist() == [0, 0, 1]
    assert tree.ad_group[2] == tree.ad_group[3]
