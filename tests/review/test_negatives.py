"""What negatives in force keep out."""

import pandas as pd
import pytest

from optimizer.review.negatives import in_campaigns, mark_excluded
from optimizer.tables import NEGATIVES, TERMS, check_table, empty_table

NAMED = ["campaign_name", "ad_group_name", "keyword_text", "match_type", "level"]
PLACE = {"campaign_name": "Shoes", "ad_group_name": "Red", "keyword_text": "shoes"}
FREE = ("Shoes", None, "free", "EXACT", "campaign")
JOB = (None, None, "job", "BROAD", "account")


def negatives(*rows):
    frame = pd.DataFrame(rows, columns=NAMED)
    return frame.reindex(columns=list(NEGATIVES.columns)).astype(empty_table(NEGATIVES).dtypes)


def terms(*texts, status=None):
    frame = pd.DataFrame({"search_term": texts, "term_status": status})
    frame = frame.assign(entity_key=range(len(texts)), **PLACE)
    return frame.reindex(columns=list(TERMS.columns)).astype(empty_table(TERMS).dtypes)


@pytest.mark.parametrize(
    ("negative", "kept_out"),
    [
        (("Shoes", None, "free shoes", "EXACT", "campaign"), [True, False, False]),
        (("Shoes", None, "free shoes", "PHRASE", "campaign"), [True, True, False]),
        (("Shoes", "Red", "shoes free", "BROAD", "ad_group"), [True, True, True]),
        (("Shoes", "Blue", "shoes free", "BROAD", "ad_group"), [False, False, False]),
        (("Bags", None, "free", "BROAD", "campaign"), [False, False, False]),
        ((None, None, "free", "BROAD", "account"), [True, True, True]),
    ],
)
def test_term_is_excluded_where_a_negative_matches(negative, kept_out):
    found = terms("free shoes", "big free shoes", "shoes for free")
    marked = mark_excluded(found, negatives(negative))
    assert marked["term_status"].eq("EXCLUDED").tolist() == kept_out
    check_table(marked, TERMS)


def test_added_term_stays_added():
    marked = mark_excluded(terms("free", status="ADDED"), negatives(FREE))
    assert marked["term_status"].tolist() == ["ADDED_EXCLUDED"]


def test_negative_of_the_account_stands_in_every_campaign():
    found = in_campaigns(negatives(JOB), pd.Series(["A", "B", "A"]))
    assert found["campaign_name"].tolist() == ["A", "B"]
    assert set(found["level"]) == {"campaign"}
