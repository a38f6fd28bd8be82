"""One account, one day: from what the reports said to what should change, and why.

`review_account` is the whole pure chain: the store feeds it in production, a simulated market in
planning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import guardrails
from optimizer.errors import BadTable, RefusedInput
from optimizer.estimates.exposure import Records, day_number
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.estimates.volume import VolumeEstimate, estimate_volume
from optimizer.review import account_cap, items, lever_candidates
from optimizer.review.beliefs import Beliefs, estimate_beliefs
from optimizer.review.budget_tree import (
    Funds,
    budget_nodes,
    period_pace,
    recent_spread,
)
from optimizer.review.full_price import full_price
from optimizer.review.last_change import UNSAID, last_changes
from optimizer.review.maturity import (
    Maturity,
    weights_of,
)
from optimizer.review.organic import judge_organic
from optimizer.review.plan import AccountState, build_plan
from optimizer.review.resolve import resolve_plan
from optimizer.review.response import Learned, at_present_bid, learn_response
from optimizer.review.run_context import common_shocks, run_context
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.review.terms import judge_terms, negatives_first
from optimizer.settings import Settings
from optimizer.tables import (
    BID_CHANGES,
    HOLDS,
    KEYWORD_DAILY,
    KEYWORDS,
    LANDSCAPES,
    NEGATIVES,
    ORGANIC,
    TERM_DAILY,
    TERMS,
    VERSIONS,
    check_finite,
    check_table,
)

_BUDGET_DAYS = 28
_ENDED_DAYS = 7
_OVERRUN_CHANCE = 0.1
_COUNTED = ("impressions", "clicks", "cost", "conversions")
UNKNOWN = ("bid", "quality_score", "first_page_bid", *UNSAID)
"""Columns of the plan that are nan where a report or the history does not tell."""


def review_account(
    inputs: ReviewInputs, settings: Settings, today: date, rng: np.random.Generator
) -> ReviewResult:
    """Suggestions for `inputs` as of `today` (days before it are complete).

    Raises `RefusedInput` when there is nothing to learn from (no rows, no value per conversion) and
    `Infeasible` when no reachable plan fits a stated budget.
    """
    _check(inputs, today)
    # What was estimated lives in there only: ten million keywords of it need not outlast their plan.
    plan, terms, context = _planned(inputs, settings, today, rng)
    return resolve_plan(plan, terms, context, inputs.holds)


def _planned(
    inputs: ReviewInputs, settings: Settings, today: date, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """The plan, the judged terms with their budget nodes, and the run's constants."""
    believed = estimate_beliefs(inputs, settings, today)
    ahead = _look_ahead(inputs, believed, today)
    state, alerts = account_state(inputs, believed, ahead, today)
    plan = _plan(inputs, believed, ahead, state, today)
    alerts += [*map(dict, inputs.alerts), *believed.changes]
    alerts += items.hold_alerts(plan, believed.settings)
    candidates, learning = _levers(inputs, believed, ahead, state, plan, today)
    terms, told = _terms(inputs, believed, state, plan, today)
    funds = account_funds(inputs, believed, ahead, today)
    plan = _completed(plan, terms, believed, funds, today)
    names = campaign_names(believed.keywords, believed.tree)
    every = [*alerts, *told, *learning, *funds.alerts]
    context = {
        **run_context(inputs, believed, every, funds, names, today, rng),
        "shocks": common_shocks(believed, ahead.learned, today),
        "levers": candidates,
        "lever_rules": lever_candidates.lever_rules(believed.settings),
        "stock": items.stated_stock(state.items),
    }
    plan = plan.assign(full_price=ahead.price[plan["campaign"].to_numpy(dtype=np.int64)])
    if ahead.enforced:
        levels = account_cap.day_levels(ahead.shape, context["shocks"]["demand"])
        part = account_cap.planned_share(plan, ahead.served, ahead.shape, levels, context)
        context = account_cap.with_planned(context, part)
    plan = account_cap.with_demand(plan, ahead.served, ahead.shape, context)
    return plan, with_donor_nodes(terms, funds.node), context


@dataclass(frozen=True)
class _Ahead:
    """What the next days bring at the present bids, and how that answers to others.

    `budget` per campaign, nan where unknown. `volume` is what is bought; `served` the share of the day
    that a stated account budget lets it be, `shape` single days' demand against the mean, `price` of a
    click per campaign where its budget does not end the day, over the believed one. `enforced`: the
    account's budget ended some day of the last weeks.
    """

    budget: Floats
    learned: Learned
    volume: VolumeEstimate
    served: float
    shape: Floats
    price: Floats
    enforced: bool


def _look_ahead(inputs: ReviewInputs, believed: Beliefs, today: date) -> _Ahead:
    """The response first: past days are restated at the present bid before volume is taken from them."""
    settings, keywords, tree = believed.settings, believed.keywords, believed.tree
    now, rows = day_number(today), believed.rows
    budget = campaign_budgets(keywords, tree, settings)
    learned = learn_response(
        inputs.bid_changes,
        inputs.landscapes,
        rows,
        inputs.daily,
        keywords,
        tree.campaign,
        budget,
        settings,
        now,
    )
    money, ended = _ended(inputs, believed, budget, now)
    rows = account_cap.whole_days(rows, _lost_to_budget(inputs.daily), ended)
    restated = at_present_bid(rows, inputs.bid_changes, keywords, learned, now)
    if believed.mix is not None:
        restated = believed.mix.clicked(restated)
    bid = keywords["bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    half_life = settings.estimation.volume_half_life_days
    volume = estimate_volume(restated, tree, bid, now, half_life)
    lately, enforced = (
        bool(ended[rows.first >= now - d].any()) for d in (_ENDED_DAYS, _BUDGET_DAYS)
    )
    shape = account_cap.day_shape(restated, now)
    served = account_cap.served_share(volume, money, shape) if lately else 1.0
    price = full_price(restated, believed.rows.cost, volume.cpc, tree.campaign, budget)
    volume = account_cap.bought(volume, served)
    return _Ahead(budget, learned, volume, served, shape, price, enforced)


def _ended(
    inputs: ReviewInputs, believed: Beliefs, campaign_budget: Floats, now: int
) -> tuple[float, Bools]:
    """The account's budget per day, and the records of days that it ended; none where it is assumed."""
    settings, rows, tree = believed.settings, believed.rows, believed.tree
    money, assumed = account_budget(inputs, settings, rows, now)
    own = guardrails.capped_campaigns(
        tree.campaign[rows.unit], rows.last, rows.cost, campaign_budget, now, settings.guardrails
    )
    free = ~own[tree.campaign[rows.unit]] & (not assumed)
    lost, share = _lost_to_budget(inputs.daily), settings.guardrails.capped_share
    return money, account_cap.ended_days(rows, lost, free, money, share)


def _plan(
    inputs: ReviewInputs, believed: Beliefs, ahead: _Ahead, state: AccountState, today: date
) -> pd.DataFrame:
    return build_plan(
        believed.keywords,
        believed.segment,
        believed.tree,
        believed.value,
        ahead.volume,
        ahead.learned,
        state,
        believed.settings,
        inputs.platform,
        inputs.currency,
        today,
    )


def _levers(
    inputs: ReviewInputs,
    believed: Beliefs,
    ahead: _Ahead,
    state: AccountState,
    plan: pd.DataFrame,
    today: date,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Budgets and targets that could be moved, and the alerts about those still learning."""
    return lever_candidates.lever_candidates(
        plan,
        believed.keywords,
        believed.rows,
        _lost_to_budget(inputs.daily),
        state.capped,
        ahead.budget,
        ahead.price,
        state.freeze is not None,
        believed.settings,
        today,
    )


def _terms(
    inputs: ReviewInputs, believed: Beliefs, state: AccountState, plan: pd.DataFrame, today: date
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Judged search terms and organic words, and alerts about these."""
    now, settings = day_number(today), believed.settings
    judged = judge_terms(
        inputs.terms,
        inputs.term_daily,
        lambda found, campaign: weights_of(found, campaign, now, believed.maturity, settings),
        plan,
        believed.tree.parents,
        now,
        settings,
        state,
    )
    organic, alerts = judge_organic(inputs, believed, state, plan)
    every = [frame for frame in (judged, organic) if len(frame)]
    return pd.concat(every, ignore_index=True) if every else judged, alerts


def _completed(
    plan: pd.DataFrame, terms: pd.DataFrame, believed: Beliefs, funds: Funds, today: date
) -> pd.DataFrame:
    """`plan` with what the terms take the blame for, the last change and the budget of each keyword."""
    changes = last_changes(believed.rows, believed.keywords["last_change"], day_number(today))
    full = negatives_first(plan, terms, believed.settings).assign(**changes)
    return check_finite(full, "plan", UNKNOWN).assign(node=funds.node)


def account_state(
    inputs: ReviewInputs, believed: Beliefs, ahead: _Ahead, today: date
) -> tuple[AccountState, list[dict[str, Any]]]:
    """Circuit breakers, and the alerts that name them."""
    settings, keywords, tree = believed.settings, believed.keywords, believed.tree
    rows, maturity, value = believed.rows, believed.maturity, believed.value
    rules, now = settings.guardrails, day_number(today)
    capped = guardrails.capped_campaigns(
        tree.campaign[rows.unit], rows.last, rows.cost, ahead.budget, now, rules
    )
    names = campaign_names(keywords, tree)
    freeze = guardrails.event_freeze(
        settings.account.events, today, attribution_window(settings, maturity)
    )
    told = maturity.weights.used | np.isin(rows.last, maturity.silent)
    recent = (rows.first >= now - rules.outage_days) & told
    expected = value.rate.posterior.mean[rows.unit] * rows.clicks * maturity.weights.due
    seen, due = float(rows.conversions[recent].sum()), float(expected.sum())
    outage = guardrails.tracking_lost(seen, due, value.rate.dispersion, rules)
    alerts: list[dict[str, Any]] = [
        {"code": "campaign_capped", "campaign": names[index]} for index in np.flatnonzero(capped)
    ]
    if freeze:
        alerts.append({"code": "event_freeze", "event": freeze})
    if outage:
        alerts.append({"code": "conversion_outage", "seen": seen, "expected": round(due, 2)})
    if len(maturity.silent):
        alerts.append(_days_left_out(maturity.silent))
    broken, stopped = _broken(believed, names, now)
    share = items.impression_share(inputs.daily, keywords["entity_key"], today)
    wanted, asked = items.item_state(believed.item, value, ahead.volume, share, settings, today)
    lowered = items.was_lowered(inputs.bid_changes, keywords["entity_key"])
    state = AccountState(capped, freeze, outage, broken, wanted, lowered)
    return state, [*alerts, *([] if outage else stopped), *asked]


def _days_left_out(silent: Ints) -> dict[str, Any]:
    first, last = (str(np.datetime64(int(day), "D")) for day in (silent[0], silent[-1]))
    return {"code": "silent_days", "days": len(silent), "first": first, "last": last}


def attribution_window(settings: Settings, maturity: Maturity) -> int:
    """Days until the orders of a click are in: as stated, else until 95 % are known."""
    stated = settings.account.attribution_window_days
    if stated is not None:
        return stated
    return int(np.searchsorted(np.maximum.accumulate(maturity.count.share), 0.95))


def _broken(
    believed: Beliefs, campaigns: list[str], now: int
) -> tuple[guardrails.RowCodes, list[dict[str, Any]]]:
    """Code per keyword of the campaign or item that stopped converting, and the alerts."""
    rows, value, item, settings = believed.rows, believed.value, believed.item, believed.settings
    due = rows.clicks * believed.maturity.weights.exposure
    named = (item, [one.item_id for one in settings.account.items])
    numbered = (believed.tree.campaign, campaigns)
    rules = settings.guardrails
    by_campaign, first = items.broken_groups(
        rows, due, value, numbered, "campaign_outage", rules, now
    )
    by_item, second = items.broken_groups(rows, due, value, named, "item_outage", rules, now)
    codes = guardrails.first_code(
        [(by_campaign, "campaign_outage"), (by_item, "item_outage")], len(item)
    )
    return codes, [*first, *second]


def _lost_to_budget(daily: pd.DataFrame) -> Floats:
    """Share of impressions lost to the budget per record; nan where no report tells."""
    known = daily.get("lost_is_budget", pd.Series(np.nan, daily.index))
    return np.asarray(known, dtype=np.float64)


def campaign_names(keywords: pd.DataFrame, tree: Hierarchy) -> list[str]:
    """Name of each campaign number."""
    first = np.unique(tree.campaign, return_index=True)[1]
    return [str(name) for name in keywords["campaign_name"].to_numpy()[first]]


def campaign_budgets(keywords: pd.DataFrame, tree: Hierarchy, settings: Settings) -> Floats:
    """Stated budget per campaign number, else the report's, else nan."""
    names = pd.Series(campaign_names(keywords, tree))
    reported = keywords["campaign_budget"].astype("float64").groupby(tree.campaign).max()
    stated = names.map(dict(settings.account.campaign_budgets)).astype("float64")
    return np.asarray(stated.fillna(reported), dtype=np.float64)


def account_budget(
    inputs: ReviewInputs, settings: Settings, rows: Records, now: int
) -> tuple[float, bool]:
    """Money per day, and whether it was assumed: the mean cost of the last 28 days with reports."""
    stated = inputs.budget if inputs.budget is not None else settings.account.daily_budget
    if stated is not None:
        return stated, False
    end = min(int(rows.last.max()) + 1, now)
    start = max(end - _BUDGET_DAYS, int(rows.first.min()))
    length = rows.last - rows.first + 1
    inside = np.maximum(rows.last - np.maximum(rows.first, start) + 1, 0)
    return float((rows.cost * inside / length).sum()) / max(end - start, 1), True


def account_funds(inputs: ReviewInputs, believed: Beliefs, ahead: _Ahead, today: date) -> Funds:
    """The budget tree; a running period budget bounds the account's day as well."""
    settings, keywords, tree = believed.settings, believed.keywords, believed.tree
    rows, volume, now = believed.rows, ahead.volume, day_number(today)
    budget, assumed = account_budget(inputs, settings, rows, now)
    cost = volume.clicks.mean * volume.cpc
    alerts: list[dict[str, Any]] = []
    period = settings.account.period_budget
    cpc = float((cost * volume.cpc).sum()) / max(float(cost.sum()), 1e-12)
    days = (rows.first, rows.last, rows.cost, cpc)
    spread = recent_spread(*days)
    if period is not None:
        pace = period_pace(period, *days, now, spread, _OVERRUN_CHANCE)
        if pace is not None:
            alerts.append(pace)
            budget = pace["per_day"] if assumed else min(budget, pace["per_day"])
            assumed = False
    names = campaign_names(keywords, tree)
    nodes, node, unknown = budget_nodes(
        inputs.account, budget, settings.account, names, ahead.budget, keywords, tree.campaign, cost
    )
    alerts += [{"code": "budget_of_unknown", "name": name} for name in unknown]
    return Funds(nodes, node, spread, assumed, alerts)


def with_donor_nodes(terms: pd.DataFrame, node: Ints) -> pd.DataFrame:
    """Terms with the budget node of their donor."""
    if terms.empty:
        return terms
    return terms.assign(node=node[terms["donor"].to_numpy(dtype=np.int64)])


def _check(inputs: ReviewInputs, today: date) -> None:
    tables: Mapping[str, Any] = {
        "keywords": KEYWORDS,
        "daily": KEYWORD_DAILY,
        "terms": TERMS,
        "term_daily": TERM_DAILY,
        "versions": VERSIONS,
        "holds": HOLDS,
        "bid_changes": BID_CHANGES,
        "landscapes": LANDSCAPES,
        "organic": ORGANIC,
        "negatives": NEGATIVES,
    }
    for name, table in tables.items():
        check_table(getattr(inputs, name), table, unique=not name.endswith("daily"))
    if inputs.keywords.empty or inputs.daily.empty:
        raise RefusedInput("nothing_to_review", account=inputs.account)
    for name, entities in (("daily", "keywords"), ("term_daily", "terms")):
        frame, known = getattr(inputs, name), getattr(inputs, entities)["entity_key"]
        if not frame["entity_key"].isin(known).all():
            raise BadTable("key_unknown", table=name, column="entity_key")
        below = [column for column in _COUNTED if (frame[column] < 0).any()]
        if below:
            raise BadTable("negative_not_allowed", table=name, column=below[0])
        if (frame["last_day"] >= pd.Timestamp(today)).any():
            raise BadTable("day_not_over", table=name, column="last_day", as_of=today.isoformat())
