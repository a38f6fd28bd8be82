"""Negative keywords in force: what the platform already keeps out is not proposed again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.review.exports.blocking import blocked_pairs

_PLACE = ["campaign_name", "ad_group_name", "keyword_text", "match_type", "level"]


def in_campaigns(negatives: pd.DataFrame, campaigns: pd.Series[str]) -> pd.DataFrame:
    """Table NEGATIVES as negatives of ad groups and campaigns: those of the account in each of them.

    A list is taken to be attached to the campaign it is shown with; without one it says nothing.
    """
    own = negatives[negatives["campaign_name"].notna()]
    own = own.assign(level=own["level"].where(own["level"].eq("ad_group"), "campaign"))
    everywhere = negatives[negatives["level"].eq("account")].drop(columns="campaign_name")
    names = pd.DataFrame({"campaign_name": campaigns.drop_duplicates().astype("str")})
    repeated = everywhere.assign(level="campaign").merge(names, how="cross")
    both = pd.concat([own[_PLACE], repeated[_PLACE]], ignore_index=True)
    return both.assign(match_type=both["match_type"].fillna("BROAD"))


def mark_excluded(terms: pd.DataFrame, negatives: pd.DataFrame) -> pd.DataFrame:
    """Table TERMS with the status of terms that a negative in force keeps from showing."""
    if negatives.empty or terms.empty:
        return terms
    searches = terms.assign(keyword_text=terms["search_term"], match_type="EXACT")
    inside = in_campaigns(negatives, terms["campaign_name"])
    kept_out = blocked_pairs(inside, searches.reset_index(drop=True))["text"].to_numpy()
    out = np.isin(np.arange(len(terms)), kept_out)
    added = terms["term_status"].isin(["ADDED", "ADDED_EXCLUDED"])
    status = terms["term_status"].mask(out, "EXCLUDED").mask(out & added, "ADDED_EXCLUDED")
    return terms.assign(term_status=status)
