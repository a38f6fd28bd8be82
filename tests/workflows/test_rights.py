"""Rights as they are given: to people by e-mail address, to programs by token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import Forbidden, NotFound, RefusedInput
from optimizer.tables import Actor
from optimizer.workflows import Workspace

ADMIN = Actor("root", "admin")
LATER = 4e9


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Workspace]:
    with workflows.open_workspace(tmp_path / "store") as opened:
        yield opened


def test_person_has_what_was_granted_whatever_the_case_of_the_address(empty: Workspace) -> None:
    workflows.grant(empty, " Ada@X.org", "operator", ADMIN, "shop")
    workflows.grant(empty, "ada@x.org", "viewer", ADMIN)
    ada = workflows.person_actor(empty, "ADA@x.org", LATER)
    assert (ada.name, ada.role, dict(ada.grants)) == ("ada@x.org", "viewer", {"shop": "operator"})


def test_letters_that_only_look_alike_are_another_person(empty: Workspace) -> None:
    """The Kelvin sign in lower case is a plain k."""
    workflows.grant(empty, "kay@x.org", "admin", ADMIN)
    stranger = workflows.person_actor(empty, "\u212aay@x.org", LATER)
    assert (stranger.role, dict(stranger.grants)) == (None, {})


def test_unknown_person_has_no_rights_and_ended_login_none_left(empty: Workspace) -> None:
    with pytest.raises(Forbidden, match="no_right_here"):
        workflows.accounts(empty, workflows.person_actor(empty, "eve@x.org", LATER))
    workflows.grant(empty, "ada@x.org", "admin", ADMIN)
    with pytest.raises(Forbidden, match="login_expired"):
        workflows.accounts(empty, workflows.person_actor(empty, "ada@x.org", 1.0))


def test_administrator_of_one_account_gives_rights_there_only(empty: Workspace) -> None:
    workflows.grant(empty, "bob@x.org", "viewer", ADMIN)
    ada = Actor("ada@x.org", None, {"shop": "admin"})
    workflows.grant(empty, "cy@x.org", "approver", ada, "shop")
    assert [each.person for each in workflows.grants(empty, ada)] == ["cy@x.org"]
    with pytest.raises(Forbidden, match="no_right_here"):
        workflows.grant(empty, "ada@x.org", "admin", ada)


def test_taken_role_is_worth_nothing_at_once(empty: Workspace) -> None:
    workflows.grant(empty, "ada@x.org", "admin", ADMIN)
    workflows.ungrant(empty, "ada@x.org", ADMIN)
    assert workflows.person_actor(empty, "ada@x.org", LATER).role is None


@pytest.mark.parametrize("person", ["", "ada", "a b@x.org", "a@b@c", "a@\x00", "@x.org"])
def test_what_is_no_address_is_no_person(empty: Workspace, person: str) -> None:
    with pytest.raises(RefusedInput, match="person_not_an_email"):
        workflows.grant(empty, person, "viewer", ADMIN)


def test_token_lets_in_until_it_is_revoked(empty: Workspace) -> None:
    made = workflows.add_token(empty, "ci", "operator", ADMIN, "shop")
    program = workflows.token_actor(empty, made.secret)
    assert (program.name, program.role_on("shop"), program.role_on("x")) == (
        "token ci", "operator", None,
    )  # fmt: skip
    workflows.revoke_token(empty, "ci", ADMIN)
    with pytest.raises(Forbidden, match="token_not_valid"):
        workflows.token_actor(empty, made.secret)


def test_secret_is_kept_nowhere(empty: Workspace, tmp_path: Path) -> None:
    made = workflows.add_token(empty, "ci", "viewer", ADMIN)
    again = workflows.add_token(empty, "other", "viewer", ADMIN)
    assert made.secret != again.secret
    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert made.secret.encode() not in kept
    assert made.secret not in repr(workflows.tokens(empty, ADMIN))


def test_token_that_expired_lets_nobody_in(empty: Workspace) -> None:
    made = workflows.add_token(empty, "ci", "viewer", ADMIN, days=-1)
    with pytest.raises(Forbidden, match="token_expired"):
        workflows.token_actor(empty, made.secret)


def test_administrator_of_one_account_neither_sees_nor_revokes_others(empty: Workspace) -> None:
    workflows.add_token(empty, "all", "viewer", ADMIN)
    ada = Actor("ada@x.org", None, {"shop": "admin"})
    assert workflows.tokens(empty, ada) == []
    with pytest.raises(NotFound, match="token_unknown"):
        workflows.revoke_token(empty, "all", ada)


def test_every_change_of_rights_has_its_audit_row(empty: Workspace) -> None:
    workflows.grant(empty, "ada@x.org", "viewer", ADMIN, "shop")
    workflows.ungrant(empty, "ada@x.org", ADMIN, "shop")
    workflows.add_token(empty, "ci", "viewer", ADMIN)
    workflows.revoke_token(empty, "ci", ADMIN)
    rows = workflows.audit(empty, ADMIN)
    assert rows["action"].tolist() == ["grant", "ungrant", "add_token", "revoke_token"]
    assert set(rows["actor"]) == {"root"}
    assert workflows.check(empty, ADMIN).ok
