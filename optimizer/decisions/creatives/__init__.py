"""Tests of creatives on plain arrays: who should be shown how often, and what may be claimed.

`assess` says all of it for many tests at once; its parts can be used alone: `estimate_creatives`
(beliefs), `judge_arms` (P(best), expected loss), `earning_shares` and `finding_shares` (tomorrow's
shares), `make_claims` (winners and losers that may be looked at daily), `check_assignment` and
`check_served` (sample ratio), `sample_size` and `compare_modes` (what a test will take).

Sums per arm and day go in, oldest day first; ten thousand tests are one call:

>>> import numpy as np
>>> days = ArmDays(
...     impressions=np.full((2, 30), 1000.0),
...     clicks=[[30.0, 31] * 15, [20.0, 21] * 15],
... )
>>> told = assess(days, Design(metric="ctr"), np.random.default_rng(0))
>>> told.verdict.tolist(), told.state.tolist()
(['winner', 'loser'], ['winner'])
>>> bool(told.chances.best[0] > 0.99), told.share.tolist()
(True, [1.0, 0.0])
"""

from optimizer.decisions.creatives.arms import ArmDays
from optimizer.decisions.creatives.assess import Assessment, Context, Design, alive_arms, assess
from optimizer.decisions.creatives.claims import ClaimRule, Claims, leader_pairs, make_claims
from optimizer.decisions.creatives.contrasts import (
    always_interval,
    contrast,
    daily_ratios,
    estimate_difference,
)
from optimizer.decisions.creatives.definitions import (
    check_currencies,
    check_overlaps,
    present_text_since,
)
from optimizer.decisions.creatives.evidence import (
    anytime_interval,
    critical_ratio,
    log_evidence,
    log_evidence_of_counts,
)
from optimizer.decisions.creatives.metrics import METRICS, draw_scores, expected, metric_named
from optimizer.decisions.creatives.plans import (
    ModePlan,
    SampleSize,
    Traffic,
    claim_chances,
    compare_modes,
    detectable_uplift,
    sample_size,
    traffic_of,
)
from optimizer.decisions.creatives.sampling import (
    Chances,
    draw_uplift,
    earning_shares,
    enabled_under_rotation,
    even_shares,
    finding_shares,
    floor_for_claims,
    judge_arms,
)
from optimizer.decisions.creatives.served import check_assignment, check_served
from optimizer.estimates.creatives import (
    ArmBeliefs,
    CreativeSums,
    UnitSpread,
    estimate_creatives,
    estimate_with_past,
)

__all__ = [
    "METRICS",
    "ArmBeliefs",
    "ArmDays",
    "Assessment",
    "Chances",
    "ClaimRule",
    "Claims",
    "Context",
    "CreativeSums",
    "Design",
    "ModePlan",
    "SampleSize",
    "Traffic",
    "UnitSpread",
    "alive_arms",
    "always_interval",
    "anytime_interval",
    "assess",
    "check_assignment",
    "check_currencies",
    "check_overlaps",
    "check_served",
    "claim_chances",
    "compare_modes",
    "contrast",
    "critical_ratio",
    "daily_ratios",
    "detectable_uplift",
    "draw_scores",
    "draw_uplift",
    "earning_shares",
    "enabled_under_rotation",
    "estimate_creatives",
    "estimate_difference",
    "estimate_with_past",
    "even_shares",
    "expected",
    "finding_shares",
    "floor_for_claims",
    "judge_arms",
    "leader_pairs",
    "log_evidence",
    "log_evidence_of_counts",
    "make_claims",
    "metric_named",
    "present_text_since",
    "sample_size",
    "traffic_of",
]
