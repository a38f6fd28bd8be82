"""What the store knows of an account, as the pure chain takes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.reports.landscapes import read_landscape
from optimizer.review.last_change import forget_changes
from optimizer.review.negatives import mark_excluded
from optimizer.review.suggestions import CreativeRecord, ReviewInputs
from optimizer.settings import Basis
from optimizer.store.protocol import BatchRecord, ReviewTables
from optimizer.workflows.workspace import Workspace


def review_inputs(
    workspace: Workspace, known: ReviewTables, window_days: int, budget: float | None = None
) -> ReviewInputs:
    """`known` as a review reads it.

    Raises `RefusedInput` where days of the window are told by reports of different attribution.
    """
    account = known.account
    batches = [
        batch for batch in workspace.store.batches(account.name) if batch.batch_id in known.batches
    ]
    telling = list(telling_batches(batches, known.as_of, window_days))
    basis = attribution_basis(telling)
    versions = like_versions(known.versions, batches, basis, attribution_window(telling))
    return ReviewInputs(
        account=account.name,
        platform=account.platform,
        currency=account.currency,
        keywords=forget_changes(
            known.keywords, workspace.store.randomised_bids(account.name, known.as_of)
        ),
        daily=known.daily,
        terms=mark_excluded(known.terms, known.negatives),
        term_daily=known.term_daily,
        # Sums of micros and of reported decimals: what lies below six places is the order of adding.
        versions=versions.round({"clicks": 6, "conversions": 6, "value": 6}),
        holds=workspace.store.holds(account.name, known.as_of),
        budget=budget,
        bid_changes=known.bid_changes,
        attribution_basis=basis,
        organic=workspace.store.organic(account.name, known.as_of, window_days),
        negatives=known.negatives,
        creatives=_creatives(workspace, known, window_days),
    )


def _creatives(
    workspace: Workspace, known: ReviewTables, window_days: int
) -> CreativeRecord | None:
    """What reports and plans tell of the account's creatives; None where no report does."""
    name = known.account.name
    found = workspace.store.creative_tables(name, known.as_of, window_days)
    if found.daily.empty:
        return None
    shares = workspace.store.creative_shares(name)
    held = shares[shares["as_of"].lt(pd.Timestamp(known.as_of))].reset_index(drop=True)
    return CreativeRecord(found.creatives, found.daily, found.texts, held)


def with_landscape(
    inputs: ReviewInputs, landscape: Path | None
) -> tuple[ReviewInputs, dict[str, Any]]:
    """`inputs` with the simulator points of a file, and what the run's origin says of that file.

    Raises `RefusedInput` naming its first bad line.
    """
    if landscape is None:
        return inputs, {}
    points = read_landscape(landscape, inputs.keywords)
    sha256 = hashlib.sha256(landscape.read_bytes()).hexdigest()
    told = {"file": landscape.name, "sha256": sha256, "points": len(points)}
    return replace(inputs, landscapes=points), {"landscape": told}


def telling_batches(
    batches: Sequence[BatchRecord], as_of: date, window_days: int
) -> Iterator[BatchRecord]:
    """The newest batch of each grain for every day of the window before `as_of`: those in force."""
    first = (as_of - timedelta(days=window_days)).toordinal()
    window = set(range(first, as_of.toordinal()))
    left: dict[str, set[int]] = {}
    for batch in sorted(batches, key=lambda each: (each.as_of, each.sequence), reverse=True):
        period = batch.reconciliation.period
        if period is None:
            continue
        open_days = left.setdefault(batch.grain, set(window))
        told = open_days & set(range(period[0].toordinal(), period[1].toordinal() + 1))
        open_days -= told
        if told:
            yield batch


def attribution_basis(telling: Sequence[BatchRecord]) -> Basis:
    """What the day of a conversion is; "click" where no report says.

    Raises `RefusedInput("basis_mixed")` naming a file of each basis.
    """
    dated = {batch.reconciliation.attribution_basis: batch for batch in telling}
    if {"click", "order"} <= dated.keys():
        click, order = dated["click"].file_name, dated["order"].file_name
        raise RefusedInput("basis_mixed", account=telling[0].account, click=click, order=order)
    return "order" if "order" in dated else "click"


def attribution_window(telling: Sequence[BatchRecord]) -> int | None:
    """Days after the click within which a conversion counts; None where no report says.

    Raises `RefusedInput("windows_mixed")` naming a file of each window.
    """
    stated = {
        batch.reconciliation.attribution_window_days: batch
        for batch in telling
        if batch.reconciliation.attribution_window_days is not None
    }
    if len(stated) < 2:
        return next(iter(stated), None)
    few, many = min(stated), max(stated)
    raise RefusedInput(
        "windows_mixed",
        account=telling[0].account,
        days=few,
        file=stated[few].file_name,
        other_days=many,
        other_file=stated[many].file_name,
    )


def like_versions(
    versions: pd.DataFrame, batches: Sequence[BatchRecord], basis: Basis, window: int | None
) -> pd.DataFrame:
    """Run-off without downloads of another window or basis, whose numbers differ for other reasons."""
    unlike = {
        pd.Timestamp(batch.as_of)
        for batch in batches
        if batch.grain == "keyword_day" and not _alike(batch, basis, window)
    }
    return versions[~versions["as_of"].isin(unlike)].reset_index(drop=True)


def _alike(batch: BatchRecord, basis: Basis, window: int | None) -> bool:
    told = batch.reconciliation
    dated = told.attribution_basis or basis
    days = told.attribution_window_days
    return dated == basis and (days is None or window is None or days == window)
