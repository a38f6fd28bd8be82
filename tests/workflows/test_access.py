"""Who may do what where: every workflow × every role × the own and another account."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from optimizer import workflows
from optimizer.errors import Forbidden, NotFound
from optimizer.tables import ROLES, Actor, Role
from optimizer.workflows import Workspace
from tests.workflows.shop_account import OPERATOR

Scope = Literal["account", "anywhere", "everywhere"]
NEEDS: dict[str, tuple[Role, Scope]] = {
    "account_statuses": ("viewer", "anywhere"),
    "accounts": ("viewer", "anywhere"),
    "add_token": ("admin", "account"),
    "approve": ("approver", "account"),
    "approve_experiment": ("approver", "account"),
    "at_rate": ("viewer", "account"),
    "attention": ("viewer", "account"),
    "audit": ("viewer", "account"),
    "backtest": ("viewer", "account"),
    "batches": ("viewer", "account"),
    "check": ("viewer", "everywhere"),
    "check_predictive": ("viewer", "account"),
    "conflicts": ("viewer", "account"),
    "creative_test": ("viewer", "account"),
    "creative_tests": ("viewer", "account"),
    "define_creative_test": ("operator", "account"),
    "defined_tests": ("viewer", "account"),
    "delete_plan": ("operator", "account"),
    "deliveries": ("viewer", "account"),
    "demo": ("operator", "everywhere"),
    "edit": ("approver", "account"),
    "edited": ("viewer", "account"),
    "end_creative_test": ("operator", "account"),
    "experiment": ("viewer", "account"),
    "explain_file": ("viewer", "anywhere"),
    "export": ("approver", "account"),
    "export_experiment": ("approver", "account"),
    "export_formats": ("viewer", "account"),
    "exports": ("viewer", "account"),
    "grant": ("admin", "account"),
    "grants": ("admin", "anywhere"),
    "import_files": ("operator", "account"),
    "kept_scenario": ("viewer", "account"),
    "known_creatives": ("viewer", "account"),
    "latest_review": ("viewer", "account"),
    "latest_summary": ("viewer", "account"),
    "lock": ("operator", "account"),
    "locks": ("viewer", "account"),
    "new_profile": ("operator", "anywhere"),
    "performance": ("viewer", "account"),
    "plan": ("viewer", "account"),
    "plan_basis": ("viewer", "account"),
    "plan_names": ("viewer", "account"),
    "plans": ("viewer", "account"),
    "propose_experiment": ("operator", "account"),
    "quarantine": ("viewer", "anywhere"),
    "queue_stamp": ("viewer", "account"),
    "solving": ("viewer", "account"),
    "reject": ("operator", "account"),
    "reject_experiment": ("operator", "account"),
    "review": ("operator", "account"),
    "revoke_token": ("admin", "anywhere"),
    "save_plan": ("operator", "account"),
    "settings_in_force": ("viewer", "account"),
    "simulate": ("viewer", "anywhere"),
    "snooze": ("operator", "account"),
    "stop_experiment": ("approver", "account"),
    "suggest_from_plan": ("operator", "account"),
    "suggestion": ("viewer", "account"),
    "suggestions": ("viewer", "account"),
    "tokens": ("admin", "anywhere"),
    "totals": ("viewer", "account"),
    "tune": ("operator", "everywhere"),
    "undo": ("approver", "account"),
    "revert": ("approver", "account"),
    "views": ("viewer", "account"),
    "save_view": ("viewer", "account"),
    "delete_view": ("viewer", "account"),
    "ungrant": ("admin", "account"),
    "unmatched": ("viewer", "account"),
    "why_not": ("viewer", "account"),
    "with_deliveries": ("viewer", "account"),
}
"""The role each workflow needs, and where: on its account, on some account, or on all of them."""
WITHOUT_ACTOR = {"event_names", "open_workspace", "person_actor", "ready", "token_actor"}
"""What opens the store, says whether it answers, who somebody is, which events the settings name."""
NO_ROLE = "no role"
HELD = (NO_ROLE, *get_args(Role))


class Passed(Exception):
    """The rights sufficed: work began."""


class Untouchable:
    """Stands for a workspace, and any other argument: whoever looks inside has begun to work."""

    def __getattr__(self, name: str) -> Any:
        raise Passed(name)

    def __fspath__(self) -> str:
        raise Passed("path")


def functions() -> dict[str, Any]:
    named = {name: getattr(workflows, name) for name in workflows.__all__}
    return {name: each for name, each in named.items() if inspect.isfunction(each)}


def call(name: str, actor: Actor, account: str) -> bool:
    """Whether the workflow lets the actor in, before it looked at anything else."""
    function = functions()[name]
    needed = inspect.signature(function).parameters.values()
    arguments: dict[str, Any] = {
        each.name: Untouchable() for each in needed if each.default is each.empty
    }
    known = {"actor": actor, "account": account}
    arguments |= {key: known[key] for key in known if key in inspect.signature(function).parameters}
    try:
        function(**arguments)
    except Forbidden:
        return False
    except Exception:
        return True
    return True


def granted(role: str, account: str) -> Actor:
    return Actor("ada", None, {} if role == NO_ROLE else {account: role})


def at_least(role: str, needed: Role) -> bool:
    return role != NO_ROLE and ROLES.index(role) >= ROLES.index(needed)


def test_every_workflow_says_here_what_it_needs() -> None:
    """A new workflow needs a line in NEEDS; one that is gone loses it."""
    assert sorted(functions()) == sorted([*NEEDS, *WITHOUT_ACTOR])


def let_in(name: str, actors: dict[str, Actor]) -> dict[str, bool]:
    return {role: call(name, actor, "own") for role, actor in actors.items()}


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_role_on_every_account_decides(name: str) -> None:
    actors = {role: Actor("ada", None if role == NO_ROLE else role) for role in HELD}
    assert let_in(name, actors) == {role: at_least(role, NEEDS[name][0]) for role in HELD}


@pytest.mark.parametrize("name", sorted(NEEDS))
@pytest.mark.parametrize(
    ("account", "scopes"), [("own", ("account", "anywhere")), ("other", ("anywhere",))]
)
def test_role_on_one_account_decides_there_only(
    name: str, account: str, scopes: tuple[Scope, ...]
) -> None:
    needed, scope = NEEDS[name]
    actors = {role: granted(role, account) for role in HELD}
    expected = {role: scope in scopes and at_least(role, needed) for role in HELD}
    assert let_in(name, actors) == expected


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_login_that_ended_may_do_nothing(name: str) -> None:
    assert not call(name, Actor("ada", "admin", {"own": "admin"}, until=1.0), "own")


def test_higher_of_two_roles_counts() -> None:
    actor = Actor("ada", "viewer", {"own": "approver"})
    assert (actor.role_on("own"), actor.role_on("other")) == ("approver", "viewer")
    assert Actor("ada", "admin", {"own": "viewer"}).role_on("own") == "admin"


def test_accounts_and_files_of_others_are_not_even_listed(
    shop: Workspace, report_files: list[Path]
) -> None:
    own = granted("viewer", "shop")
    batch = workflows.batches(shop, "shop", own)[0].batch_id
    assert [each.name for each in workflows.accounts(shop, own)] == ["shop"]
    assert len(workflows.quarantine(shop, batch, own)) == 0
    workflows.import_files(shop, report_files[:1], "second", actor=OPERATOR)
    other = granted("admin", "second")
    assert [each.name for each in workflows.accounts(shop, other)] == ["second"]
    with pytest.raises(NotFound, match="batch_not_found"):
        workflows.quarantine(shop, batch, other)
