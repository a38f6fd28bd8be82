import numpy as np
import pandas as pd

from optimizer.estimates.hierarchy import Hierarchy, alternative_parents, build_hierarchy

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


def told(**columns: list[str | None]) -> tuple[pd.DataFrame, Hierarchy]:
    keywords = frame(match_type=["EXACT", "BROAD", "EXACT", None], **columns)
    return keywords, build_hierarchy(keywords, GENERIC)


def test_match_types_are_told_apart_within_a_campaign() -> None:
    keywords, tree = told()
    leaf, campaign, segment = alternative_parents(keywords, tree, np.full(4, -1), GENERIC)[
        "match_type"
    ]
    assert len(set(leaf.tolist())) == 4
    assert campaign[leaf].tolist() == tree.campaign.tolist()
    assert segment.tolist() == [0, 0]


def test_an_item_gathers_its_keywords_across_campaigns() -> None:
    keywords, tree = told()
    leaf, segment = alternative_parents(keywords, tree, np.array([0, -1, 0, -1]), GENERIC)["item"]
    assert leaf.tolist() == [1, 0, 1, 0]
    assert segment.tolist() == [0, 0]


def test_items_do_not_join_segments() -> None:
    keywords, tree = told()
    segment = np.array([0, 0, 1, 1])
    leaf, root = alternative_parents(keywords, tree, np.zeros(4, dtype=np.int64), segment)["item"]
    assert root[leaf].tolist() == segment.tolist()


def test_the_platforms_own_groups_come_first() -> None:
    keywords, tree = told()
    found = alternative_parents(keywords, tree, np.full(4, -1), GENERIC)
    assert next(iter(found)) == "ad_group"
    assert found["ad_group"] is tree.parents


def test_keywords_without_any_named_group_share_one() -> None:
    nowhere: list[str | None] = [None] * 4
    tree = build_hierarchy(
        frame(
            campaign_id=nowhere, campaign_name=nowhere, ad_group_id=nowhere, ad_group_name=nowhere
        ),
        GENERIC,
    )
    assert [level.tolist() for level in tree.parents] == [[0, 0, 0, 0], [0], [0]]
