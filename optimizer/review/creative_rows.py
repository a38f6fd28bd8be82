"""What tests of creatives say, as rows: one per test and one per arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.decisions.creatives import (
    ArmDays,
    Assessment,
    Context,
    draw_scores,
    draw_uplift,
    expected,
    judge_arms,
    metric_named,
)
from optimizer.decisions.creatives.metrics import Metric
from optimizer.estimates.posteriors import Floats, Ints, Singles, group_sum
from optimizer.review.creative_tests import Listed
from optimizer.tables import CREATIVE_ARMS, CREATIVE_TESTS, Table, empty_table

COUNTS = ("impressions", "clicks", "cost", "conversions", "value")
_NAMED = ("entity_key", "creative_id", "creative_name", "status")
_MONEY = ("profit_per_impression", "value_per_impression")
_BELIEVED = (
    *(f"metric_{end}" for end in ("mean", "low", "high")),
    *(f"profit_{end}" for end in ("mean", "low", "high")),
    *(f"uplift_{end}" for end in ("mean", "low", "high")),
    "p_best", "expected_loss", "evidence",
    "difference", "difference_low", "difference_high",
)  # fmt: skip
_ENDS = (0.1, 0.9)
_DRAWS = 500


@dataclass(frozen=True)
class Judged:
    """Tests of one design with their `creatives` (one row per arm), their days and what these say."""

    listed: Listed
    creatives: pd.DataFrame
    days: ArmDays
    context: Context
    told: Assessment


def unmeasured_rows(
    listed: Listed, creatives: pd.DataFrame, days: ArmDays
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of tests whose metric nothing tells yet: what was counted, and an even split."""
    tests = _said(listed, days).assign(
        state="unmeasured", leader=None, forgone_per_day=np.nan, served_off=np.nan, served_p=np.nan
    )
    share = (1.0 / days.arms)[days.place]
    figures = dict.fromkeys(_BELIEVED, np.nan)
    arms = _counted(listed, creatives, days).assign(**figures, share_next=share, verdict="open")
    return (
        _typed(tests.assign(days_needed=np.nan, events_needed=np.nan), CREATIVE_TESTS),
        _typed(arms, CREATIVE_ARMS),
    )


def arm_rows(judged: Judged, rng: np.random.Generator) -> pd.DataFrame:
    """Table CREATIVE_ARMS."""
    listed, creatives, days, told = judged.listed, judged.creatives, judged.days, judged.told
    metric = metric_named(listed.tests[0].metric)
    low, high = np.quantile(draw_metric(metric, told, rng), _ENDS, axis=1)
    measured = _measured(told, len(listed.test))
    ahead = np.where(told.leader >= 0, told.leader, days.first)[days.place]
    uplift = draw_uplift(metric, told.beliefs, ahead, rng)
    profit = _profit(metric, told, (low, high), rng)
    return _typed(
        _counted(listed, creatives, days).assign(
            metric_mean=told.value,
            metric_low=low,
            metric_high=high,
            profit_mean=profit[0],
            profit_low=profit[1],
            profit_high=profit[2],
            p_best=told.chances.best,
            expected_loss=told.chances.loss,
            share_next=told.share,
            verdict=told.verdict,
            evidence=_evidence(told, len(listed.test)),
            uplift_mean=uplift[0],
            uplift_low=uplift[1],
            uplift_high=uplift[2],
            difference=measured[0],
            difference_low=measured[1],
            difference_high=measured[2],
        ),
        CREATIVE_ARMS,
    )


def _counted(listed: Listed, creatives: pd.DataFrame, days: ArmDays) -> pd.DataFrame:
    """Names and sums of the arms, and the share each was given."""
    sums = {name: getattr(days, name).sum(axis=1) for name in COUNTS}
    names = {name: creatives[name].to_numpy() for name in _NAMED}
    test = [listed.tests[place].name for place in listed.test]
    return pd.DataFrame({"test": test, **names, **sums, "share_served": _served(days)})


def draw_metric(metric: Metric, told: Assessment, rng: np.random.Generator) -> Singles:
    """Draws (arms, draws) of the metric itself."""
    drawn = draw_scores(metric, told.beliefs, _DRAWS, rng)
    return -drawn if metric.lower_is_better else drawn


def _profit(
    metric: Metric, told: Assessment, ends: tuple[Floats, Floats], rng: np.random.Generator
) -> Floats:
    """Profit per impression whatever metric decides: mean and ends of its 80 % interval, (3, arms).

    nan where no report tells what it is made of: cost, orders and their worth. `ends` are the metric's.
    """
    profit = metric_named("profit_per_impression")
    if not _tells(told, profit):
        return np.full((3, len(told.value)), np.nan)
    if metric == profit:
        return np.stack([told.value, *ends])
    low, high = np.quantile(draw_scores(profit, told.beliefs, _DRAWS, rng), _ENDS, axis=1)
    return np.stack([expected(profit, told.beliefs), low, high])


def _served(days: ArmDays) -> Floats:
    """Share of its test's impressions that each arm got."""
    shown = days.impressions.sum(axis=1)
    total = group_sum(days.place, shown, len(days.first))[days.place]
    result: Floats = np.divide(shown, total, out=np.zeros(len(shown)), where=total > 0)
    return result


def _evidence(told: Assessment, arms: int) -> Floats:
    """log E that the leader is better over what a claim asks for; NaN for leaders."""
    result = np.full(arms, np.nan)
    claims = told.claims
    result[claims.contrasts.other] = claims.log_evidence[:, -1] / claims.log_bound
    return result


def _measured(told: Assessment, arms: int) -> Floats:
    """Leader less each arm as days and shares tell it, and its interval at any look; NaN for leaders."""
    result = np.full((3, arms), np.nan)
    result[:, told.claims.contrasts.other] = told.difference.difference, *told.always
    return np.where(np.isfinite(result), result, np.nan)


def test_rows(judged: Judged, rng: np.random.Generator) -> pd.DataFrame:
    """Table CREATIVE_TESTS."""
    listed, days, told = judged.listed, judged.days, judged.told
    frame = _said(listed, days)
    frame = frame.assign(
        state=told.state,
        leader=_leader_name(told.leader, judged.creatives),
        forgone_per_day=_forgone(judged, rng) * frame["impressions_per_day"],
        served_off=told.served.deviation,
        served_p=told.served.p,
        days_needed=_most(told, days, told.claims.days_needed),
        events_needed=_most(told, days, told.claims.events_needed),
    )
    return _typed(frame, CREATIVE_TESTS)


def _said(listed: Listed, days: ArmDays) -> pd.DataFrame:
    """What each test is, and how much it has been shown."""
    said = [
        {
            "test": one.name,
            "campaign_name": one.campaign,
            "ad_group_name": one.ad_group,
            "source": "discovered" if found else "defined",
            "metric": one.metric,
            "mode": one.mode,
            "rotation": one.rotation,
        }
        for one, found in zip(listed.tests, listed.discovered, strict=True)
    ]
    ran = np.logical_or.reduceat(days.ran, days.first, axis=0).sum(axis=1)
    shown = np.add.reduceat(days.impressions.sum(axis=1), days.first)
    return pd.DataFrame(said).assign(
        arms=days.arms, days=ran, impressions_per_day=shown / np.maximum(ran, 1)
    )


def _leader_name(leader: Ints, creatives: pd.DataFrame) -> pd.Series[str]:
    named = creatives["creative_name"].iloc[np.maximum(leader, 0)].reset_index(drop=True)
    return named.where(leader >= 0)


def _forgone(judged: Judged, rng: np.random.Generator) -> Floats:
    """Money that choosing the leader now is expected to forgo, per impression.

    Profit, unless the metric itself is money; NaN where nothing tells what profit is made of.
    """
    told, metric = judged.told, judged.listed.tests[0].metric
    loss = told.chances.loss if metric in _MONEY else _profit_loss(judged, rng)
    return np.where(told.leader >= 0, loss[np.maximum(told.leader, 0)], np.nan)


def _profit_loss(judged: Judged, rng: np.random.Generator) -> Floats:
    """Expected profit per impression between each arm and the best of its test; NaN where untold."""
    told, profit = judged.told, metric_named("profit_per_impression")
    if not _tells(told, profit):
        return np.full(len(told.value), np.nan)
    return judge_arms(profit, told.beliefs, judged.days.first, rng, alive=told.alive).loss


def _tells(told: Assessment, metric: Metric) -> bool:
    return all(getattr(told.beliefs, name) is not None for name in metric.needs)


def _most(told: Assessment, days: ArmDays, missing: npt.NDArray[np.generic]) -> Floats:
    """What the comparison that lacks most still lacks, per test; 0 where nothing is compared."""
    result = np.zeros(len(days.first))
    np.maximum.at(result, days.place[told.claims.contrasts.other], missing.astype(np.float64))
    return result


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    return frame[list(table.columns)].astype(empty_table(table).dtypes.to_dict())
