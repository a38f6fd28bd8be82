"""An account with one more search term, as tests of terms want it."""

from dataclasses import replace

import pandas as pd

from optimizer.review.suggestions import ReviewInputs
from tests.review.conftest import TODAY

TERM = 900_001


def with_wasteful_term(inputs: ReviewInputs, clicks: float = 9.0) -> ReviewInputs:
    """A term clicked `clicks` times a day without an order, let in by the first generic keyword."""
    donor = inputs.keywords[inputs.keywords["keyword_text"].str.isascii()].iloc[0]
    place = ["campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "keyword_text"]
    term = pd.DataFrame([{**donor[place].to_dict(), "search_term": "how to sleep for free"}])
    term = term.assign(entity_key=TERM, term_status=None)[list(inputs.terms.columns)]
    days = pd.date_range(pd.Timestamp(TODAY) - pd.Timedelta(days=45), periods=45, unit="s")
    daily = pd.DataFrame({"entity_key": TERM, "first_day": days, "last_day": days})
    daily = daily.assign(
        impressions=10 * clicks, clicks=clicks, cost=1.7 * clicks, conversions=0.0, value=0.0
    )
    return replace(
        inputs,
        terms=pd.concat([inputs.terms, term.astype(inputs.terms.dtypes)], ignore_index=True),
        term_daily=pd.concat([inputs.term_daily, daily], ignore_index=True),
    )


def with_dead_keyword(inputs: ReviewInputs) -> ReviewInputs:
    """The busiest biddable keyword buys thirty dear clicks more a day and never sells."""
    biddable = inputs.keywords.query("bidding_mode == 'manual' and status == 'ENABLED'")
    known = inputs.daily[inputs.daily["entity_key"].isin(biddable["entity_key"])]
    busiest = known.groupby("entity_key")["clicks"].sum().idxmax()
    own = inputs.daily["entity_key"] == busiest
    more = {"clicks": 30, "cost": 90, "impressions": 300}
    dead = {name: inputs.daily[name] + own * extra for name, extra in more.items()}
    sold = {name: inputs.daily[name].where(~own, 0.0) for name in ("conversions", "value")}
    return replace(inputs, daily=inputs.daily.assign(**dead, **sold))
