"""Three people and programs decide, from lists of any age, while reviews and reports come in.

The model remembers what each approval accepted. Whatever the order, the store may hold nothing as
approved that the model does not.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from optimizer.errors import Conflict
from optimizer.review import approvals
from optimizer.review.approvals import BidRange, Standing, Transition
from optimizer.review.reverting import reverts
from optimizer.store import open_store
from optimizer.store.protocol import Change, Delivered
from optimizer.tables import Actor
from tests.store.samples import ANNA, keyword_report, keyword_row, suggestion, suggestions_of

START = date(2026, 3, 5)
PEOPLE = ("ann", "ben", "token cron")
MADE_BY = {"token cron": "ann"}
ANY_BID = BidRange(approvals.Decimal("0.5"), approvals.Decimal("2"), approvals.Decimal("0.05"))
LATER = START + timedelta(days=90)
KEYS = ("1", "2", "3", "4")

people = st.sampled_from(PEOPLE)
picks = st.sets(st.sampled_from(KEYS), min_size=1, max_size=3)
proposals = st.fixed_dictionaries(
    {},
    optional={
        key: st.tuples(st.sampled_from(["raise", "lower"]), st.sampled_from([1.0, 1.05, 1.1]))
        for key in KEYS
    },
)


def behind(name: str) -> str:
    return MADE_BY.get(name, name)


def new_store(folder: Path) -> None:
    store = open_store(folder, None)
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", START, ANNA)
    store.close()


class Approvals(RuleBasedStateMachine):
    """Commands against a real store, from what each person last looked at."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.template, self.folder / "store")
        self.store = open_store(self.folder / "store", None)
        self.day = START
        self.runs: list[str] = []
        self.seen: dict[str, dict[str, Standing]] = {name: {} for name in PEOPLE}
        self.agreed: dict[str, tuple[float | None, float | None, frozenset[str]]] = {}
        self.begun: dict[str, tuple[float | None, str]] = {}
        self.offers: dict[tuple[str, int], tuple[Any, ...]] = {}
        self.exported: dict[str, float | None] = {}
        self.lapsed: set[str] = set()
        self.opposites: dict[str, str] = {}
        self.commands = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize(strict=st.booleans(), said=proposals)
    def begin(self, strict: bool, said: dict[str, tuple[str, float]]) -> None:
        self.strict = strict
        self._review(said or {"1": ("raise", 1.0)})

    # what comes in

    @rule(said=proposals, next_day=st.booleans())
    def review(self, said: dict[str, tuple[str, float]], next_day: bool) -> None:
        self.day += timedelta(days=int(next_day))
        self._review(said)

    def _review(self, said: dict[str, tuple[str, float]]) -> None:
        rows = self._said(said)
        run = self.store.save_run("shop", self.day, {}, rows, {}, ANNA)
        self.runs.append(run.run_id)
        self.lapsed -= {id_ for id_ in self.lapsed if id_ in set(rows["id"])}

    @rule(said=proposals, which=st.integers(0, 50))
    def resolve(self, said: dict[str, tuple[str, float]], which: int) -> None:
        """A re-solve of the newest review, or a late one of an older review: it must do nothing."""
        run = self.runs[-1 - which % len(self.runs)]
        assert self.store.update_run(run, {}, self._said(said), ANNA) == (run == self.runs[-1])

    @rule(bid=st.sampled_from([1.0, 1.1, 1.2]))
    def report(self, bid: float) -> None:
        """An import shows other bids; suggestions stay as they are until a review."""
        before = self._rows()
        row = keyword_row(self.day.isoformat(), bid_micros=round(bid * 1e6))
        batch = keyword_report([row], file_name=f"{self.day}-{self.commands}-{bid}.csv")
        self.store.append_report(batch, "shop", self.day + timedelta(days=1), ANNA)
        assert self._rows().equals(before)

    def _said(self, said: dict[str, tuple[str, float]]) -> pd.DataFrame:
        """Suggestions of the day; 3 and 4 are a linked pair."""
        linked = {"3": "4", "4": "3"}
        return suggestions_of(
            *(
                suggestion(
                    self._id(key),
                    entity_key=key,
                    kind=kind,
                    bid=bid,
                    proposed_bid=bid + 0.15 if kind == "raise" else bid - 0.15,
                    linked_id=self._id(linked[key])
                    if key in linked and linked[key] in said
                    else None,
                )
                for key, (kind, bid) in said.items()
            )
        )

    def _id(self, key: str) -> str:
        return f"{self.day:%m%d}-{key}"

    # what people do

    @rule(who=people)
    def look(self, who: str) -> None:
        self.seen[who] = approvals.standings(self._rows())

    @rule(who=people, keys=picks)
    def approve(self, who: str, keys: set[str]) -> None:
        self._act(who, keys, "approve", approvals.approve)

    @rule(who=people, keys=picks, bid=st.sampled_from([0.85, 0.95, 1.15, 1.2]))
    def edit(self, who: str, keys: set[str], bid: float) -> None:
        self._act(who, keys, "edit", partial(approvals.edit, bid=bid, allowed=ANY_BID))

    @rule(who=people, keys=picks)
    def reject(self, who: str, keys: set[str]) -> None:
        self._act(who, keys, "reject", partial(approvals.reject, reason="no", until=LATER))

    @rule(who=people, keys=picks)
    def snooze(self, who: str, keys: set[str]) -> None:
        self._act(who, keys, "snooze", partial(approvals.snooze, until=LATER))

    @rule(who=people, keys=picks)
    def undo(self, who: str, keys: set[str]) -> None:
        self._act(who, keys, "undo", approvals.undo)

    @rule()
    def time_passes(self) -> None:
        """Nobody decided in time: what is open of the newest review can never be decided again."""
        rows = self.store.suggestions("shop", as_of=self.day)
        seen = approvals.standings(rows[rows["decision"].isin(["proposed", "awaiting_second"])])
        versions = {row.id: row.version for row in seen.values()}
        moves, refused = approvals.decide(seen, versions, approvals.expire)
        assert not refused
        assert len(moves) == len(seen)
        changes = [Change(**vars(move)) for move in moves]
        self.store.apply_changes("shop", changes, Actor("clock", None), "expire")
        for move in moves:
            self._remember("clock", move, seen[move.id])
        self.lapsed |= set(seen)

    @rule(who=people, key=st.sampled_from(KEYS), locked=st.booleans())
    def lock(self, who: str, key: str, locked: bool) -> None:
        before = self._rows()
        self.store.set_lock("shop", key, "bid", locked, Actor(who, "operator"))
        assert self._rows().equals(before)

    def _act(
        self, who: str, keys: set[str], name: str, command: Callable[[Standing, int], Transition]
    ) -> None:
        """Judge by what `who` saw, however old, and let the store refuse what has moved since."""
        seen = self.seen[who]
        named = {row.id: row.version for row in seen.values() if row.id[-1] in keys}
        moves, _ = approvals.decide(seen, named, command)
        before = self._rows()
        try:
            if name in ("approve", "edit") and self.strict and moves:
                moves = approvals.seconded(moves, seen, behind(who), behind)
            changes = [Change(**vars(move)) for move in moves]
            self.store.apply_changes("shop", changes, Actor(who, "approver"), name)
        except Conflict:
            assert self._rows().equals(before)
            return
        self.commands += len(moves)
        for move in moves:
            self._remember(who, move, seen[move.id])

    def _remember(self, who: str, move: Transition, seen: Standing) -> None:
        first = self.begun.pop(move.id, None)
        self.agreed.pop(move.id, None)
        if move.to_decision == "awaiting_second":
            self.begun[move.id] = (move.approved_bid, behind(who))
        if move.to_decision != "approved":
            return
        others = {first[1]} if first and first[0] == move.approved_bid else set()
        eyes = frozenset({behind(who)} | others)
        self.agreed[move.id] = (seen.bid, move.approved_bid, eyes)

    @rule(who=people)
    def export(self, who: str) -> None:
        rows = self.store.approved("shop")
        if rows.empty:
            return
        key = f"e{len(self.exported)}-{len(rows)}"
        refs = [(row.id, row.version) for row in rows.itertuples()]
        self.store.record_export("shop", key, ["x.csv"], refs, Actor(who, "approver"))
        self.exported |= dict(zip(rows["id"], rows["approved_bid"], strict=True))

    @rule(who=people, which=st.integers(0, 50))
    def revert(self, who: str, which: int) -> None:
        """Somebody takes one exported change back: its opposite is approved like any other."""
        if not self.exported:
            return
        old = sorted(self.exported)[which % len(self.exported)]
        rows = self.store.suggestions("shop", ids=[old])
        made, refused = reverts(rows, "shop", self.day, {old})
        assert (rows["delivery"].isin(["exported", "confirmed_live"])).all() != bool(refused)
        if refused:
            return
        (new,) = made["id"]
        seen = dict(zip(rows["id"], rows["delivery"], strict=True))
        try:
            self.store.propose_reverts(self.runs[-1], made, {new: old}, seen, ANNA)
        except Conflict:
            raise AssertionError("nobody moved it") from None
        self.opposites[new] = old
        self.seen[who] = approvals.standings(self.store.suggestions("shop", ids=[new]))
        self._act(who, {new[-1]}, "approve", approvals.approve)

    @rule(who=people, fate=st.sampled_from(["confirmed_live", "failed", "drifted"]))
    def result(self, who: str, fate: Any) -> None:
        """The platform's answer on everything that is out and unanswered."""
        rows = self.store.suggestions("shop", ids=list(self.exported))
        told = [
            Delivered(row.id, row.version, "exported", fate, "approved_value_seen")
            for row in rows[rows["delivery"].eq("exported")].itertuples()
        ]
        self.store.record_deliveries("shop", told, Actor(who, "operator"))

    # what must hold

    @invariant()
    def all_holds(self) -> None:
        """One reading of the store for all that must be true after each step."""
        rows = self._rows()
        self.nothing_is_approved_that_nobody_approved(rows)
        self.what_is_exported_is_what_was_approved_and_final(rows)
        self.a_version_always_offers_the_same(rows)
        self.older_reviews_leave_nothing_open(rows)
        self.what_lapsed_stays_so_until_a_review(rows)
        self.what_is_taken_back_goes_from_the_exported_to_the_old_value(rows)
        self.every_decision_is_in_an_unbroken_trail()

    def _rows(self) -> pd.DataFrame:
        """Every row of every day."""
        days = range((self.day - START).days + 1)
        ids = [f"{START + timedelta(days=ago):%m%d}-{key}" for ago in days for key in KEYS]
        ids += list(self.opposites)
        return self.store.suggestions("shop", ids=ids).sort_values("id", ignore_index=True)

    def nothing_is_approved_that_nobody_approved(self, rows: pd.DataFrame) -> None:
        for row in approvals.standings(rows).values():
            if row.decision == "approved":
                replaced, bid, eyes = self.agreed[row.id]
                assert (row.bid, row.approved_bid) == (replaced, bid)
                assert len(eyes) == 2 or not self.strict
            elif row.decision == "awaiting_second":
                assert row.approved_bid == self.begun[row.id][0]

    def what_is_exported_is_what_was_approved_and_final(self, rows: pd.DataFrame) -> None:
        out = rows.query("delivery != 'not_exported'").set_index("id")
        assert set(out.index) == set(self.exported)
        assert out["decision"].eq("approved").all()
        assert dict(out["approved_bid"]) == self.exported
        assert all(self.agreed[id_][1] == bid for id_, bid in self.exported.items())

    def a_version_always_offers_the_same(self, rows: pd.DataFrame) -> None:
        for row in approvals.standings(rows).values():
            if row.decision in ("proposed", "awaiting_second"):
                offer = (row.kind, row.bid, row.offered)
                assert self.offers.setdefault((row.id, row.version), offer) == offer

    def older_reviews_leave_nothing_open(self, rows: pd.DataFrame) -> None:
        older = rows[rows["as_of"].lt(pd.Timestamp(self.day))]
        assert not older["decision"].isin(["proposed", "awaiting_second", "snoozed"]).any()

    def what_is_taken_back_goes_from_the_exported_to_the_old_value(
        self, rows: pd.DataFrame
    ) -> None:
        known = rows.set_index("id")
        for new, old in self.opposites.items():
            assert known.loc[new, "bid"] == known.loc[old, "approved_bid"]
            assert known.loc[new, "proposed_bid"] == known.loc[old, "bid"]
            assert known.loc[old, "decision"] == "approved"

    def what_lapsed_stays_so_until_a_review(self, rows: pd.DataFrame) -> None:
        assert rows.loc[rows["id"].isin(self.lapsed), "decision"].eq("expired").all()

    def every_decision_is_in_an_unbroken_trail(self) -> None:
        assert self.store.verify_audit() == []
        actions = self.store.audit("shop")["action"]
        decided = ["approve", "edit", "reject", "snooze", "undo"]
        assert int(actions.isin(decided).sum()) == self.commands


def test_no_order_of_acts_approves_what_nobody_approved(tmp_path: Path) -> None:
    new_store(tmp_path / "template")
    machine = type("Prepared", (Approvals,), {"template": tmp_path / "template"})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("APPROVAL_EXAMPLES", "8")),
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
