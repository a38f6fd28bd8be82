"""What would flip a suggestion, checked by asking the solve again at that rate."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from optimizer.review.daily import review_account
from optimizer.review.explaining import suggestion_flips, suggestions_at_rates
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Settings
from tests.review.conftest import TODAY, shop_inputs, told
from tests.review.terms import with_dead_keyword, with_wasteful_term

SEEDS = (3, 4, 8)


@lru_cache
def reviews(settings: str) -> list[ReviewResult]:
    """Three accounts with a term and a keyword that never pay: as they are, richer, and too poor."""
    found = []
    for seed in SEEDS:
        inputs = with_dead_keyword(with_wasteful_term(shop_inputs(seed)))
        known = Settings.model_validate_json(settings)
        plain = _reviewed(inputs, known)
        rich = told(known, margin=1.0)
        spent = plain.summary.cost_now
        found += [plain, _reviewed(replace(inputs, budget=0.97 * spent), rich)]
        found.append(_reviewed(replace(inputs, budget=0.8 * spent), known))
    return found


def _reviewed(inputs: ReviewInputs, settings: Settings) -> ReviewResult:
    return review_account(inputs, settings, TODAY, np.random.default_rng(0))


@pytest.fixture(scope="module")
def asked(settings: Settings) -> list[tuple[ReviewResult, pd.DataFrame, pd.DataFrame]]:
    """500 suggestions of all reviews, all that are not lowers among them, with their flips."""
    results = reviews(settings.model_dump_json())
    sizes = [len(result.suggestions) for result in results]
    kinds = np.concatenate([result.suggestions["kind"] for result in results])
    rare, common = np.flatnonzero(kinds != "lower"), np.flatnonzero(kinds == "lower")
    rest = np.random.default_rng(1).choice(common, 500 - len(rare), replace=False)
    drawn = np.concatenate([rare, rest])
    owner, at = np.repeat(np.arange(len(sizes)), sizes), np.concatenate([*map(np.arange, sizes)])
    kept = [np.sort(at[drawn[owner[drawn] == number]]) for number in range(len(sizes))]
    rows = [result.suggestions.iloc[part] for result, part in zip(results, kept, strict=True)]
    flips = [
        suggestion_flips(part, result.frames, result.context)
        for result, part in zip(results, rows, strict=True)
    ]
    return list(zip(results, rows, flips, strict=True))


def kinds_at(result: ReviewResult, rows: pd.DataFrame, rate: pd.Series) -> np.ndarray:
    return suggestions_at_rates(rows, result.frames, rate.to_numpy(), result.context)[
        "kind"
    ].to_numpy()


def believed(result: ReviewResult, rows: pd.DataFrame) -> pd.Series:
    names = ["entity_key", "rate_mean"]
    frames = [
        result.frames[name][names].astype({"entity_key": "str"}) for name in ("plan", "terms")
    ]
    rates = pd.concat(frames).set_index("entity_key")["rate_mean"]
    return pd.Series(rates.reindex(rows["entity_key"]).to_numpy(), index=rows.index)


def test_the_sample_holds_every_kind(asked: list) -> None:
    kinds = {kind for _, rows, _ in asked for kind in rows["kind"]}
    assert kinds >= {"raise", "lower", "pause", "watch", "add_keyword", "add_negative"}
    assert sum(len(rows) for _, rows, _ in asked) == 500


def test_nearly_every_suggestion_has_a_flip(asked: list) -> None:
    known = pd.concat([flips["flip_rate"].notna() for _, _, flips in asked])
    assert known.mean() > 0.95


def test_at_the_believed_rate_nothing_changes(asked: list) -> None:
    for result, rows, flips in asked:
        judged = ~flips["flip_reason"].isin(["line_moved", "other_kind"])
        again = kinds_at(result, rows[judged], believed(result, rows)[judged])
        assert again.tolist() == rows.loc[judged, "kind"].tolist()


def test_past_the_flip_the_kind_is_the_one_foretold(asked: list) -> None:
    for result, rows, flips in asked:
        known = flips["flip_rate"].notna()
        beyond = np.where(flips["flip_side"] == "below", 1 - 1e-6, 1 + 1e-6)
        again = kinds_at(result, rows[known], (flips["flip_rate"] * beyond)[known])
        assert (again != rows.loc[known, "kind"]).all()
        assert again.tolist() == flips.loc[known, "flip_kind"].tolist()


def test_two_per_cent_short_of_the_flip_the_kind_stays(asked: list) -> None:
    """Never on the other side of what is believed now: there the next flip may begin."""
    for result, rows, flips in asked:
        known = flips["flip_rate"].notna()
        now, flip = believed(result, rows), flips["flip_rate"]
        below = np.minimum(flip * 1.02, now)
        short = below.where(flips["flip_side"] == "below", np.maximum(flip * 0.98, now))
        again = kinds_at(result, rows[known], short[known])
        assert again.tolist() == rows.loc[known, "kind"].tolist()


def test_flips_lie_on_the_side_they_name(asked: list) -> None:
    for result, rows, flips in asked:
        known = flips["flip_rate"].notna()
        ratio = (flips["flip_rate"] / believed(result, rows))[known]
        below = flips.loc[known, "flip_side"] == "below"
        assert (ratio[below] <= 1 + 1e-9).all()
        assert (ratio[~below] >= 1 - 1e-9).all()


def test_a_missing_flip_has_a_reason_and_a_found_one_has_none(asked: list) -> None:
    for _, _, flips in asked:
        assert (flips["flip_rate"].isna() == (flips["flip_reason"] != "")).all()
        assert np.isfinite(flips["flip_rate"].dropna()).all()


def test_a_click_that_is_worth_nothing_has_no_flip(reviewed: ReviewResult) -> None:
    plan = reviewed.frames["plan"]
    worthless = {**reviewed.frames, "plan": plan.assign(value_mean=0.0, marginal_mean=0.0)}
    rows = reviewed.suggestions.query("kind == 'lower'")
    found = suggestion_flips(rows, worthless, reviewed.context)
    assert set(found["flip_reason"]) == {"value_zero"}
    assert found["flip_rate"].isna().all()
