from datetime import timedelta
from pathlib import Path

from optimizer import workflows
from optimizer.workflows import Workspace
from optimizer.workflows.kept_lists import kept_frames, kept_list
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs


def test_the_list_is_read_once_while_nothing_happens(shop: Workspace) -> None:
    first = kept_list(shop.store, "shop")
    assert kept_list(shop.store, "shop") is first
    assert kept_list(shop.store, "shop").rows.equals(shop.store.suggestions("shop"))


def test_every_act_of_anybody_makes_it_be_read_again(shop: Workspace, tmp_path: Path) -> None:
    row = refs(proposed(shop, "raise", "lower")[:1])
    acts = [
        lambda other: workflows.snooze(other, "shop", row, OPERATOR, AS_OF + timedelta(days=2)),
        lambda other: workflows.undo(other, "shop", row, APPROVER),
        lambda other: workflows.lock(other, "shop", row[0], OPERATOR),
        lambda other: workflows.review(other, "shop", actor=OPERATOR),
    ]
    with workflows.open_workspace(tmp_path / "store", shop.configs.root) as other:
        for act in acts:
            before = workflows.queue_stamp(shop, "shop", VIEWER)
            kept_list(shop.store, "shop")
            act(other)
            assert workflows.queue_stamp(shop, "shop", VIEWER) > before
            rows = kept_list(shop.store, "shop").rows
            assert rows.equals(shop.store.suggestions("shop"))


def test_frames_are_those_of_the_run_asked_for(shop: Workspace) -> None:
    first = shop.store.latest_run("shop").run_id
    kept_frames(shop.store, first)
    workflows.review(shop, "shop", actor=OPERATOR, seed=5)
    second = shop.store.latest_run("shop").run_id
    for run in (second, first):
        plan = kept_frames(shop.store, run)["plan"]
        assert plan.equals(shop.store.run_frames(run)["plan"])
