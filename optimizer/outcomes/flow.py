"""Where every keyword of a review went: evaluated, left alone and why, on target, untold, suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ON_TARGET = ("on_target", "no_bid_in_reach")
TOO_LITTLE = ("too_little_data",)
NOT_SERVED = (
    "not_biddable",
    "keyword_off",
    "ad_group_off",
    "campaign_off",
    "automated_bidding",
    "bid_unknown",
    "no_impressions",
)
DECIDED = ("locked", "rejected", "snoozed", "approved", "exported", "experiment")
KEYWORD_KINDS = ("raise", "lower", "pause")
STAGES = (
    "evaluated",
    "not_served",
    "decided",
    "guarded",
    "on_target",
    "too_little_data",
    "suggested",
)
"""In the order in which a keyword could leave; `guarded`: a guardrail or goal keeps its bid."""


@dataclass(frozen=True)
class Step:
    """How many keywords stopped at `stage`, and of those how many by `code`, the commonest first.

    Codes are reasons; of stage `suggested` kinds; `evaluated` is all keywords.
    """

    stage: str
    count: int
    codes: Mapping[str, int]


def keyword_flow(
    kinds: Mapping[str, int], not_suggested: Mapping[str, int]
) -> tuple[tuple[Step, ...], dict[str, int]]:
    """The way of every keyword from a review's counts, and suggestions that are of no keyword by kind.

    The steps after the first add up to it. A watched keyword has too little data to be moved.
    """
    left: dict[str, dict[str, int]] = {name: {} for name in STAGES[1:]}
    for code, count in not_suggested.items():
        left[_stage(code)][code] = count
    if kinds.get("watch"):
        left["too_little_data"]["watch"] = kinds["watch"]
    left["suggested"] = {kind: kinds[kind] for kind in KEYWORD_KINDS if kinds.get(kind)}
    steps = [Step(name, sum(codes.values()), _sorted(codes)) for name, codes in left.items()]
    known = (*KEYWORD_KINDS, "watch")
    others = {kind: count for kind, count in kinds.items() if kind not in known and count}
    return (Step("evaluated", sum(each.count for each in steps), {}), *steps), others


def _stage(code: str) -> str:
    for stage, codes in (
        ("not_served", NOT_SERVED),
        ("decided", DECIDED),
        ("on_target", ON_TARGET),
        ("too_little_data", TOO_LITTLE),
    ):
        if code in codes:
            return stage
    return "guarded"


def _sorted(codes: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(codes.items(), key=lambda pair: (-pair[1], pair[0])))
