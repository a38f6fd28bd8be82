"""One creative test as it is shown: densities, how it came to stand where it does, what modes would take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from scipy import stats

from optimizer.decisions.creatives import (
    ArmDays,
    ModePlan,
    SampleSize,
    assess,
    compare_modes,
    metric_named,
    sample_size,
    traffic_of,
)
from optimizer.errors import NotFound, RefusedInput
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats
from optimizer.review.creative_rows import Judged, draw_metric
from optimizer.review.creative_tests import list_tests
from optimizer.review.creatives import CreativeInputs, design_of, judge, material
from optimizer.settings import Settings
from optimizer.tables import CREATIVE_DAYS, CREATIVE_DENSITIES, CREATIVE_MODES, Table, empty_table

_POINTS = 80
_HORIZON = 60


@dataclass(frozen=True)
class CreativeDetail:
    """Tables CREATIVE_DENSITIES, CREATIVE_DAYS and CREATIVE_MODES of one test.

    `size` is what an even split would take to find the smallest difference the test is for.
    """

    densities: pd.DataFrame
    days: pd.DataFrame
    modes: pd.DataFrame
    size: SampleSize


def creative_detail(
    inputs: CreativeInputs, settings: Settings, as_of: date, test: str, seed: int = 0
) -> CreativeDetail:
    """The test of this name.

    Raises `NotFound("creative_test_missing")`, `RefusedInput("metric_needs")` where no report tells
    what its metric is made of, and as `review_creatives`.
    """
    told = material(inputs, settings, as_of)[0]
    listed = list_tests(inputs.creatives, told.daily, settings.account, as_of)
    names = [one.name for one in listed.tests]
    if test not in names:
        raise NotFound("creative_test_missing", account=inputs.account, test=test)
    rng = np.random.default_rng(seed)
    part = listed.take([names.index(test)])
    judged = judge(part, told, told.days_of(part), rng)
    modes, size = _forecasts(judged, rng)
    return CreativeDetail(_densities(judged, rng), _course(judged, as_of, rng), modes, size)


def _densities(judged: Judged, rng: np.random.Generator) -> pd.DataFrame:
    """Posterior density of the metric of each arm, all on one grid."""
    drawn = draw_metric(metric_named(judged.listed.tests[0].metric), judged.told, rng)
    low, high = np.quantile(drawn, [0.005, 0.995])
    grid = np.linspace(low, high, _POINTS)
    arms = judged.creatives["entity_key"].to_numpy()
    frame = pd.DataFrame(
        {
            "entity_key": np.repeat(arms, _POINTS),
            "at": np.tile(grid, len(arms)),
            "density": np.concatenate([_density(one.astype(np.float64), grid) for one in drawn]),
        }
    )
    return _typed(frame, CREATIVE_DENSITIES)


def _density(drawn: Floats, grid: Floats) -> Floats:
    """0 throughout where the metric is known exactly: there is nothing to spread."""
    if np.ptp(drawn) <= 0:
        return np.zeros(len(grid))
    found: Floats = stats.gaussian_kde(drawn)(grid)
    return found


def _course(judged: Judged, as_of: date, rng: np.random.Generator) -> pd.DataFrame:
    """Per arm and day: share served, P(best) on the days so far, and evidence against the arm.

    From what is known of those days today: what was believed then rested on fewer late orders.
    """
    days, told = judged.days, judged.told
    arms, size = days.impressions.shape
    total = days.impressions.sum(axis=0)
    served = np.divide(days.impressions, total, out=np.zeros((arms, size)), where=total > 0)
    evidence = np.full((arms, size), np.nan)
    claims = told.claims
    evidence[claims.contrasts.other] = claims.log_evidence / claims.log_bound[:, None]
    best = np.column_stack([_best_until(judged, end + 1, rng) for end in range(size)])
    number = day_number(as_of) - size + np.arange(size)
    frame = pd.DataFrame(
        {
            "entity_key": np.repeat(judged.creatives["entity_key"].to_numpy(), size),
            "day": np.tile(number.astype("datetime64[D]").astype("datetime64[s]"), arms),
            "share_served": served.ravel(),
            "p_best": best.ravel(),
            "evidence": evidence.ravel(),
        }
    )
    return _typed(frame, CREATIVE_DAYS)


def _best_until(judged: Judged, end: int, rng: np.random.Generator) -> Floats:
    """nan per arm as long as no day had told what the metric is made of."""
    days, context = _first_days(judged.days, end), judged.context
    if context.propensity is not None:
        context = replace(context, propensity=context.propensity[:, :end])
    try:
        return assess(days, design_of(judged.listed.tests[0]), rng, context).chances.best
    except RefusedInput as refused:
        if refused.code != "metric_needs":
            raise
        return np.full(len(days.impressions), np.nan)


def _first_days(days: ArmDays, end: int) -> ArmDays:
    panels = ("impressions", "clicks", "cost", "conversions", "value")
    told = {name: getattr(days, name)[:, :end] for name in panels}
    known = {name: getattr(days, name)[:end] for name in ("completion", "value_completion")}
    return replace(days, **told, **known)


def _forecasts(judged: Judged, rng: np.random.Generator) -> tuple[pd.DataFrame, SampleSize]:
    """What each mode would take from here on, on this test's own traffic."""
    test, told = judged.listed.tests[0], judged.told
    metric = metric_named(test.metric)
    ran = judged.days.ran.any(axis=0).sum()
    shown = judged.days.impressions.sum() / max(int(ran), 1)
    traffic = traffic_of(metric, told.beliefs, told.spread, float(max(shown, 1.0)))
    drawn = draw_metric(metric, told, rng)
    ratio = 1.0 / drawn if metric.lower_is_better else drawn
    plan = ModePlan(horizon=_HORIZON, floor=test.floor, claims_wanted=test.claims_wanted)
    found = compare_modes(ratio.mean(axis=1), ratio.std(axis=1), traffic, rng, plan)
    frame = pd.DataFrame([vars(one) for one in found])
    size = sample_size(traffic, test.minimum_effect, len(drawn), rng)
    return _typed(frame, CREATIVE_MODES), size


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    return frame[list(table.columns)].astype(empty_table(table).dtypes.to_dict())
