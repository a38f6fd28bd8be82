"""Approved rows made by hand, and any valid set of them for each writer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from optimizer.review.exports import EXPORT_ROWS, Writer, writer_for
from optimizer.review.exports.changes import SETTING_ACTIONS, Change
from optimizer.review.exports.rows import KINDS
from optimizer.settings import BidLimit

CENTS = BidLimit(
    step=Decimal("0.01"),
    minimum=Decimal("0.01"),
    maximum=Decimal("100"),
    source="test",
    dated=date(2026, 1, 1),
)
YEN = CENTS.model_copy(update={"step": Decimal(1), "minimum": Decimal(1)})
DINARS = CENTS.model_copy(update={"step": Decimal("0.001"), "minimum": Decimal("0.001")})
TENTHS = CENTS.model_copy(update={"step": Decimal("0.1"), "minimum": Decimal("0.1")})

BASE: Mapping[str, Any] = {
    "id": "k1",
    "kind": "raise",
    "campaign_id": "21000000001",
    "campaign_name": "帐篷, 露营",
    "ad_group_id": "140000000001",
    "ad_group_name": "双人帐篷",
    "keyword_id": "300000000001",
    "keyword_text": "双人 帐篷",
    "match_type": "EXACT",
    "old_bid": 1.0,
    "new_bid": 1.25,
    "current_bid": 1.0,
    "bid_source": "own",
    "bidding_mode": "manual",
    "status": "ENABLED",
    "ad_group_status": "ENABLED",
    "campaign_status": "ENABLED",
    "exists": False,
}
NEW = {"keyword_id": None, "old_bid": None, "current_bid": None, "status": None}


def row(**values: Any) -> dict[str, Any]:
    return {**BASE, **values}


def frame(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(EXPORT_ROWS.columns))


def of_kind(kind: str, number: int = 1, **values: Any) -> dict[str, Any]:
    """A valid row of a kind; `number` keeps several apart."""
    own = {"id": f"k{number}", "kind": kind, "keyword_id": str(300_000_000_000 + number)}
    return row(**{**own, "keyword_text": f"word {number}", **_USUAL.get(kind, {}), **values})


_SETTING = {
    **NEW,
    "ad_group_id": None,
    "ad_group_name": "",
    "match_type": None,
    "bid_source": None,
    "keyword_text": "帐篷, 露营",
}
_USUAL: Mapping[str, Mapping[str, Any]] = {
    "pause": {"new_bid": None},
    "resume": {"new_bid": None, "status": "PAUSED"},
    "add_keyword": NEW,
    "add_negative": {**NEW, "new_bid": None},
    "set_budget": {**_SETTING, "old_bid": 300.0, "new_bid": 390.0, "current_bid": 300.0},
    "set_target": {**_SETTING, "old_bid": 4.0, "new_bid": 3.4, "target": "roas"},
}


@dataclass(frozen=True)
class Case:
    """One writer, what it can hold, and the fields of a `Change` that its files leave out."""

    platform: str
    format_: str | None = None
    left_out: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    match_types: tuple[str, ...] = ("EXACT", "PHRASE", "BROAD")
    negative_types: tuple[str, ...] = ("EXACT", "PHRASE")
    limits: tuple[BidLimit, ...] = field(default=(CENTS, YEN, DINARS))

    @property
    def writer(self) -> Writer:
        return writer_for(self.platform, self.format_)

    def seen(self, change: Change) -> Change:
        """The edit as far as the file can tell it."""
        blanks: dict[str, Any] = {"target_type": "", **dict.fromkeys(self.left_out, "")}
        if change.level == "campaign":
            blanks |= {"ad_group_id": "", "ad_group_name": ""}
        if change.action in SETTING_ACTIONS:
            blanks |= {"keyword_text": ""}
        elif self.platform == "microsoft_ads":
            blanks |= {"ad_group_id" if change.level == "campaign" else "campaign_id": ""}
        if "was" in blanks:
            blanks["was"] = None
        return replace(change, **blanks)


CASES = {
    "google_ads": Case("google_ads", None, ("id", "was")),
    "editor": Case(
        "google_ads", "editor", ("id", "was", "campaign_id", "ad_group_id", "keyword_id")
    ),
    "amazon_ads": Case(
        "amazon_ads", None, ("id", "was"), tuple(kind for kind in KINDS if kind != "set_target")
    ),
    "microsoft_ads": Case("microsoft_ads", None, ("was",)),
    "taobao": Case("taobao", match_types=("EXACT", "BROAD"), limits=(CENTS,)),
    "jd": Case("jd", limits=(TENTHS,)),
    "baidu": Case("baidu", limits=(CENTS,)),
    "pinduoduo": Case("pinduoduo", match_types=("EXACT", "BROAD"), limits=(CENTS,)),
}

_NAMES = ("Tents", "帐篷, 露营", '"quoted"', "+shoes", "-50 off", "＝sum", "'s", "a\u00a0b")
_STARTS = ("", "+", "-", "'", "＋", '"')


@st.composite
def any_rows(draw: st.DrawFn, case: Case, limit: BidLimit) -> pd.DataFrame:
    """Up to eight rows, each of a keyword of its own, that the writer takes."""
    kinds = draw(st.lists(st.sampled_from(case.kinds), min_size=1, max_size=8))
    drawn = [draw(_any_row(case, limit, kind, at)) for at, kind in enumerate(kinds)]
    return frame(*drawn)


@st.composite
def _any_row(draw: st.DrawFn, case: Case, limit: BidLimit, kind: str, at: int) -> dict[str, Any]:
    place = {
        "campaign_name": f"{draw(st.sampled_from(_NAMES))}{at}",
        "campaign_id": str(21_000 + at),
        "ad_group_id": str(140_000_000_000_000_000 + at),
    }
    if kind in ("set_budget", "set_target"):
        amounts = _setting_amounts(draw, kind, limit)
        return of_kind(kind, at, **place, **amounts, keyword_text=place["campaign_name"])
    negative = kind == "add_negative"
    start = "" if kind in ("add_keyword", "add_negative") else draw(st.sampled_from(_STARTS))
    types = case.negative_types if negative else case.match_types
    texts = {
        "ad_group_name": draw(st.sampled_from(_NAMES)),
        "keyword_text": f"{start}word {at} {draw(st.sampled_from(['tent', '帐篷', 'é']))}",
        "match_type": draw(st.sampled_from(types)),
        "level": draw(st.sampled_from([None, "campaign"])) if negative else None,
    }
    return of_kind(kind, at, **place, **texts, **_bids(draw, kind, limit))


def _bids(draw: st.DrawFn, kind: str, limit: BidLimit) -> dict[str, Any]:
    steps = st.integers(int(limit.minimum / limit.step), int(limit.maximum / limit.step))
    new, old = (float(draw(steps) * limit.step) for _ in range(2))
    if kind == "add_keyword":
        return {"new_bid": new}
    if kind not in ("raise", "lower"):
        return {}
    source = draw(st.sampled_from(["own", "inherited"]))
    return {"old_bid": old, "current_bid": old, "new_bid": new, "bid_source": source}


def _setting_amounts(draw: st.DrawFn, kind: str, limit: BidLimit) -> dict[str, Any]:
    target = draw(st.sampled_from(["roas", "cpa"])) if kind == "set_target" else None
    unit = Decimal("0.01") if target == "roas" else limit.step
    old, new = (float(draw(st.integers(1, 90_000)) * unit) for _ in range(2))
    current = None if kind == "set_target" else old
    return {"old_bid": old, "new_bid": new, "current_bid": current, "target": target}
