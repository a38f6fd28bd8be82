from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import Any, Literal

import pandas as pd
import pytest

from optimizer.errors import Conflict
from optimizer.store.protocol import ExperimentRecord, NewExperiment, StepRecord
from optimizer.store.sql_store import SqlStore
from optimizer.tables import (
    EXPERIMENT_MEMBERS,
    EXPERIMENT_STEPS,
    HOLDS,
    check_table,
    empty_table,
)
from tests.store.samples import ANNA, BEN, keyword_report, keyword_row

State = Literal["running", "finished", "stopped"]
DAY = date(2026, 3, 5)
FIGURES = {
    "cost_mean": 1.5,
    "cost_low": 0.5,
    "cost_high": 2.5,
    "extra_spend": 0.75,
    "value": 90.0,
}


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    """A store whose account `shop` has one report."""
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", DAY, ANNA)
    return store


def member(key: str, arm: str = "dither") -> dict[str, Any]:
    names = {"campaign_name": "Shoes", "ad_group_name": "Red", "keyword_text": f"shoe {key}"}
    numbers = {"base_bid": 1.0, "clicks": 9.0, "cost": 0.5, "value": 3.0}
    return {"entity_key": key, "arm": arm, **names, **numbers}


def proposal(as_of: date = DAY, bids: tuple[float, ...] = (1.1, 0.9, 1.0)) -> NewExperiment:
    members = [member("7"), member("8", "ramp")]
    frame = pd.DataFrame(members, columns=list(EXPERIMENT_MEMBERS.columns))
    steps = [
        {"entity_key": key, "week": week, "bid": bid}
        for key in ("7", "8")
        for week, bid in enumerate(bids)
    ]
    return NewExperiment(
        id=f"experiment-{as_of:%d%m}"[:16],
        account="shop",
        as_of=as_of,
        last_day=as_of + timedelta(days=13),
        weeks=len(bids) - 1,
        figures=FIGURES,
        members=frame.astype(empty_table(EXPERIMENT_MEMBERS).dtypes),
        steps=pd.DataFrame(steps).astype(empty_table(EXPERIMENT_STEPS).dtypes),
    )


def step(week: int, day: date = DAY) -> StepRecord:
    bid = [1.1, 0.9, 1.0][week]
    rows = tuple(
        {"entity_key": key, "arm": arm, "bid": bid} for key, arm in (("7", "dither"), ("8", "ramp"))
    )
    return StepRecord(week, f"step{week}", day, ("a.csv",), rows)


def approved(shop: SqlStore, bids: tuple[float, ...] = (1.1, 0.9, 1.0)) -> ExperimentRecord:
    made = shop.save_experiment(proposal(bids=bids), ANNA)
    shop.decide_experiment("shop", (made.id, made.version), "approved", None, BEN)
    return made


def record(shop: SqlStore, made: StepRecord, state: State) -> None:
    """Export one step of the test as it stands now."""
    shop.record_experiment_step(seen(shop), made, state, BEN)


def seen(shop: SqlStore) -> ExperimentRecord:
    found = shop.experiment("shop", proposal().id)
    assert found is not None
    return found


def held(shop: SqlStore, as_of: date = DAY) -> set[str]:
    rows = shop.holds("shop", as_of)
    return set(rows.loc[rows["kind"].eq("experiment"), "entity_key"])


def test_a_proposal_comes_back(shop: SqlStore) -> None:
    made = shop.save_experiment(proposal(), ANNA)
    found = shop.experiment("shop")
    assert found is not None
    assert (found.state, found.version, found.figures) == ("proposed", 1, FIGURES)
    assert (found.last_day, found.weeks, found.proposed_by) == (date(2026, 3, 18), 2, "anna")
    check_table(found.members, EXPERIMENT_MEMBERS)
    assert found.steps.equals(check_table(made.steps, EXPERIMENT_STEPS))
    assert found.members["entity_key"].tolist() == ["7", "8"]


def test_no_proposal_is_none(shop: SqlStore) -> None:
    assert shop.experiment("shop") is None


def test_the_same_proposal_again_is_the_same_test(shop: SqlStore) -> None:
    shop.save_experiment(proposal(), ANNA)
    assert shop.save_experiment(proposal(), BEN).version == 1
    assert shop.save_experiment(proposal(bids=(0.9, 1.1, 1.0)), BEN).version == 2
    later = shop.save_experiment(proposal(DAY + timedelta(days=1)), ANNA)
    assert later.version == 1
    older = shop.experiment("shop", proposal().id)
    assert older is not None
    assert older.state == "superseded"


def test_a_rejected_test_proposed_again_can_be_decided_again(shop: SqlStore) -> None:
    made = shop.save_experiment(proposal(), ANNA)
    shop.decide_experiment("shop", (made.id, 1), "rejected", "not now", BEN)
    again = shop.save_experiment(proposal(), ANNA)
    assert (again.state, again.version, again.decided_by) == ("proposed", 2, None)
    shop.decide_experiment("shop", (again.id, 2), "approved", None, BEN)


def test_a_decision_names_the_version_it_saw(shop: SqlStore) -> None:
    made = shop.save_experiment(proposal(), ANNA)
    with pytest.raises(Conflict, match="experiment_moved"):
        shop.decide_experiment("shop", (made.id, 2), "approved", None, BEN)
    shop.decide_experiment("shop", (made.id, 1), "rejected", "not now", BEN)
    with pytest.raises(Conflict, match="experiment_moved"):
        shop.decide_experiment("shop", (made.id, 1), "approved", None, BEN)
    assert held(shop) == set()


def test_only_one_test_at_a_time(shop: SqlStore) -> None:
    approved(shop)
    with pytest.raises(Conflict, match="experiment_open"):
        shop.save_experiment(proposal(DAY + timedelta(days=1)), ANNA)


def test_members_are_held_until_a_report_shows_the_end(shop: SqlStore) -> None:
    made = approved(shop)
    rows = check_table(shop.holds("shop", DAY), HOLDS)
    assert rows[["slot", "kind"]].drop_duplicates().to_numpy().tolist() == [["bid", "experiment"]]
    assert set(rows["until"].dt.date) == {made.last_day}
    for week, state in enumerate(["running", "running", "finished"]):
        on = DAY + timedelta(days=7 * week)
        record(shop, step(week, on), state)
    assert held(shop, on) == {"7", "8"}
    report = keyword_report([keyword_row("2026-03-19")])
    shop.append_report(report, "shop", on + timedelta(days=1), ANNA)
    assert held(shop, on + timedelta(days=1)) == set()


def test_a_hold_says_the_middle_of_the_test_and_then_what_was_handed_back(shop: SqlStore) -> None:
    def said() -> list[float]:
        rows = shop.holds("shop", DAY)
        return rows.loc[rows["kind"].eq("experiment"), "value"].tolist()

    approved(shop, bids=(1.3, 0.9, 1.0))
    record(shop, step(0), "running")
    assert said() == pytest.approx([1.1, 1.1])
    record(shop, step(1), "running")
    record(shop, step(2), "finished")
    assert said() == [1.0, 1.0]


def test_a_stopped_test_holds_the_old_bids(shop: SqlStore) -> None:
    approved(shop, bids=(1.3, 1.2, 1.25))
    record(shop, step(0), "running")
    record(shop, step(2), "stopped")
    assert set(shop.holds("shop", DAY)["value"]) == {1.0}


def test_a_test_never_exported_holds_nothing_once_its_weeks_are_over(shop: SqlStore) -> None:
    last = approved(shop).last_day
    report = keyword_report([keyword_row("2026-03-19")])
    shop.append_report(report, "shop", last, ANNA)
    assert held(shop, last) == {"7", "8"}
    later = keyword_report([keyword_row("2026-03-20")])
    shop.append_report(later, "shop", last + timedelta(days=1), ANNA)
    assert held(shop, last + timedelta(days=1)) == set()


def test_a_step_is_exported_once(shop: SqlStore) -> None:
    approved(shop)
    record(shop, step(0), "running")
    with pytest.raises(Conflict, match="experiment_step_exported"):
        record(shop, step(0), "running")
    record(shop, step(2), "stopped")
    with pytest.raises(Conflict, match="experiment_not_approved"):
        record(shop, step(1), "running")


def test_a_file_made_before_another_step_is_refused(shop: SqlStore) -> None:
    """Ben looks, Anna exports the next step: his hand-back would follow bids that are gone."""
    approved(shop)
    record(shop, step(0), "running")
    before = seen(shop)
    record(shop, step(1), "running")
    with pytest.raises(Conflict, match="experiment_moved"):
        shop.record_experiment_step(before, step(2), "stopped", BEN)
    assert seen(shop).state == "running"


def test_a_file_made_from_an_older_version_is_refused(shop: SqlStore) -> None:
    made = approved(shop)
    before = seen(shop)
    shop.decide_experiment("shop", (made.id, 1), "rejected", "not now", BEN)
    again = shop.save_experiment(proposal(bids=(0.9, 1.1, 1.0)), ANNA)
    shop.decide_experiment("shop", (again.id, again.version), "approved", None, BEN)
    with pytest.raises(Conflict, match="experiment_moved"):
        shop.record_experiment_step(before, step(0), "running", ANNA)


def test_of_a_stop_and_a_step_at_once_one_is_refused(
    shop: SqlStore, reopen: Callable[[], SqlStore]
) -> None:
    approved(shop)
    record(shop, step(0), "running")
    both, start = (shop, reopen()), Barrier(2)
    before = [seen(one) for one in both]

    def act(who: int) -> str:
        start.wait()
        week, state = ((1, "running"), (2, "stopped"))[who]
        try:
            both[who].record_experiment_step(before[who], step(week), state, (ANNA, BEN)[who])
        except Conflict as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(act, range(2)))
    assert told[0] == "done"
    assert told[1] in ("experiment_moved", "experiment_not_approved")
    assert [one.week for one in seen(shop).exports] in ([0, 1], [0, 2])


def test_an_undecided_test_cannot_be_exported(shop: SqlStore) -> None:
    shop.save_experiment(proposal(), ANNA)
    with pytest.raises(Conflict, match="experiment_not_approved"):
        record(shop, step(0), "running")


def test_randomised_bids_are_those_exported_while_they_held(shop: SqlStore) -> None:
    approved(shop)
    assert shop.randomised_bids("shop", DAY).empty
    record(shop, step(0), "running")
    record(shop, step(1, date(2026, 3, 13)), "running")
    found = shop.randomised_bids("shop", date(2026, 3, 15))
    assert found["entity_key"].tolist() == [7, 7]
    assert found["bid"].tolist() == [1.1, 0.9]
    assert found["first_day"].dt.date.tolist() == [DAY, date(2026, 3, 13)]
    assert found["last_day"].dt.date.tolist() == [date(2026, 3, 12), date(2026, 3, 15)]
    record(shop, step(2, date(2026, 3, 19)), "finished")
    ended = shop.randomised_bids("shop", date(2026, 4, 1))["last_day"].dt.date.tolist()
    assert ended == [date(2026, 3, 12), date(2026, 3, 18)]


def test_every_act_is_in_the_audit_chain(shop: SqlStore) -> None:
    made = approved(shop)
    record(shop, step(0), "running")
    record(shop, replace(step(2), week=2), "stopped")
    rows = shop.audit("shop")
    acts = rows.loc[rows["subject"].eq(made.id), "action"].tolist()
    names = ["propose", "approve", "export", "stop"]
    assert acts == [f"experiment_{name}" for name in names]
    assert shop.verify_audit() == []
