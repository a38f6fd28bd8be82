"""The API: the same workflows and errors as everywhere, as HTTP says them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette

from optimizer import workflows
from optimizer.errors import OptimizerError, RefusedInput
from optimizer.interfaces import api, opened
from optimizer.interfaces.api import serving
from optimizer.tables import Role
from optimizer.workflows import resolving
from tests.interfaces.conftest import ACCOUNT, AS_OF, OWNER

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")
HERE = f"/api/v1/accounts/{ACCOUNT}"


@pytest.fixture
def client(store: Path) -> Iterator[Any]:
    from starlette.testclient import TestClient

    st.cache_resource.clear()
    with TestClient(Starlette(routes=api.routes()), raise_server_exceptions=False) as made:
        yield made
    st.cache_resource.clear()


@pytest.fixture
def allowed(workspace: workflows.Workspace) -> Callable[..., dict[str, str]]:
    """Headers of a new token with a role, on the account unless another is named."""

    def headers(role: Role, account: str | None = ACCOUNT) -> dict[str, str]:
        name = f"t{len(workflows.tokens(workspace, OWNER))}"
        secret = workflows.add_token(workspace, name, role, OWNER, account).secret
        return {"Authorization": f"Bearer {secret}"}

    return headers


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def lowers(client: Any, headers: dict[str, str]) -> list[dict[str, Any]]:
    listed = client.get(f"{HERE}/suggestions", headers=headers, params={"kind": "lower"}).json()
    return [{"id": one["id"], "version": one["version"]} for one in listed["suggestions"]]


def test_health_readiness_and_description_need_no_token(client: Any) -> None:
    assert client.get("/api/v1/health").json() == {"status": "ok"}
    assert client.get("/api/v1/ready").json() == {"status": "ready", "accounts": 1}
    assert client.get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic abc", "Bearer opt_guess"])
def test_everything_else_needs_a_valid_token(client: Any, value: str) -> None:
    refused = client.get(f"{HERE}/suggestions", headers={"Authorization": value})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


def test_revoked_token_is_refused_at_once(
    client: Any, allowed: Callable[..., dict[str, str]], workspace: workflows.Workspace
) -> None:
    headers = allowed("viewer")
    assert client.get("/api/v1/accounts", headers=headers).status_code == 200
    workflows.revoke_token(workspace, "t0", OWNER)
    assert client.get("/api/v1/accounts", headers=headers).status_code == 401


def test_token_is_worth_its_role_on_its_account_only(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    viewer, elsewhere = allowed("viewer"), allowed("admin", "other")
    body = {"suggestions": lowers(client, viewer)[:1]}
    assert code(client.post(f"{HERE}/suggestions/approve", headers=viewer, json=body)) == (
        "role_too_low"
    )
    refused = client.get(f"{HERE}/suggestions", headers=elsewhere)
    assert (refused.status_code, code(refused)) == (403, "no_right_here")
    assert client.get("/api/v1/accounts", headers=elsewhere).json() == {"accounts": []}


def test_approved_suggestion_is_exported_and_followed(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    headers = allowed("approver")
    body = {"suggestions": lowers(client, headers)[:2]}
    done = client.post(f"{HERE}/suggestions/approve", headers=headers, json=body).json()
    assert sorted(done["changed"]) == sorted(one["id"] for one in body["suggestions"])
    made = client.post(f"{HERE}/exports", headers=headers, json={}).json()
    assert made["rows"] == 2
    url = f"{HERE}/exports/{made['export_id']}"
    first, again = (client.get(f"{url}/{made['files'][0]}", headers=headers) for _ in range(2))
    assert first.content == again.content != b""
    assert code(client.get(f"{url}/other.csv", headers=headers)) == "export_file_unknown"
    listed = client.get(f"{HERE}/exports", headers=headers).json()["exports"]
    assert [one["export_id"] for one in listed] == [made["export_id"]]
    assert client.get(f"{HERE}/outcomes", headers=headers).json()["counts"]["exported"] == 2


def test_exported_changes_are_taken_back_once(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    headers, url = allowed("approver"), f"{HERE}/suggestions/revert"
    body = {"suggestions": lowers(client, headers)[:1]}
    client.post(f"{HERE}/suggestions/approve", headers=headers, json=body)
    made = client.post(f"{HERE}/exports", headers=headers, json={}).json()
    asked = {"export_id": made["export_id"]}
    assert len(client.post(url, headers=headers, json=asked).json()["changed"]) == 1
    assert client.post(url, headers=headers, json=asked).status_code == 409
    assert code(client.post(url, headers=headers, json={})) == "nothing_named"


def test_who_was_answered_early_can_ask_when_the_figures_are_those_of_the_decision(
    client: Any, allowed: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, solve, go_on = allowed("operator"), resolving.resolve_account, Event()

    def held_up(*arguments: Any) -> Any:
        assert go_on.wait(60)
        return solve(*arguments)

    monkeypatch.setattr(opened, "PATIENCE", 0.0)
    monkeypatch.setattr(resolving, "resolve_account", held_up)
    body = {"suggestions": lowers(client, headers)[:1], "reason": "season"}
    done = client.post(f"{HERE}/suggestions/reject", headers=headers, json=body).json()
    assert (done["pending"], done["resolve"], len(done["changed"])) == (True, None, 1)
    url = f"{HERE}/solving"
    assert client.get(url, headers=headers).json() == {"pending": True, "problem": None}
    go_on.set()
    while client.get(url, headers=headers).json()["pending"]:
        pass
    assert client.get(url, headers=headers).json() == {"pending": False, "problem": None}
    assert client.get(url, headers=allowed("admin", "other")).status_code == 403
    unknown = client.get("/api/v1/accounts/other/solving", headers=allowed("viewer", "other"))
    assert (unknown.status_code, code(unknown)) == (404, "account_not_found")


def test_version_that_moved_is_a_conflict_and_nothing_is_done(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    headers = allowed("approver")
    stale = [{**lowers(client, headers)[0], "version": 7}]
    refused = client.post(
        f"{HERE}/suggestions/approve", headers=headers, json={"suggestions": stale}
    )
    assert refused.status_code == 409
    left = client.get(f"{HERE}/suggestions?decision=approved", headers=headers).json()
    assert left["total"] == 0


def test_rejected_with_a_reason_and_audited_under_the_token(
    client: Any, allowed: Callable[..., dict[str, str]], workspace: workflows.Workspace
) -> None:
    headers = allowed("operator")
    body = {"suggestions": lowers(client, headers)[:1], "reason": "season"}
    assert client.post(f"{HERE}/suggestions/reject", headers=headers, json=body).status_code == 200
    rows = workflows.audit(workspace, OWNER, ACCOUNT)
    last = rows[rows["action"] == "reject"].iloc[-1]
    assert (last["actor"], last["role"]) == ("token t0", "operator")


def test_file_sent_as_body_is_imported_once_and_reviewed(
    client: Any, allowed: Callable[..., dict[str, str]], report_files: list[Path]
) -> None:
    headers = allowed("operator")
    said = {"file_name": "keywords.csv", "as_of": AS_OF.isoformat()}
    sent = report_files[0].read_bytes()
    done = client.post(f"{HERE}/imports", headers=headers, params=said, content=sent).json()
    assert done["imports"][0]["duplicate"] is True
    assert done["imports"][0]["file"] == "keywords.csv"
    told = client.post(f"{HERE}/reviews", headers=headers, json={"dry_run": True}).json()
    assert told["as_of"] == AS_OF.isoformat()
    assert told["suggestions"] > 0


@pytest.mark.parametrize("name", ["../x.csv", "a/b.csv", ".hidden", "", "x\x00.csv", "a\\b.csv"])
def test_file_name_that_leads_elsewhere_is_refused(
    client: Any, allowed: Callable[..., dict[str, str]], name: str
) -> None:
    refused = client.post(
        f"{HERE}/imports", headers=allowed("operator"), params={"file_name": name}, content=b"x"
    )
    assert (refused.status_code, code(refused)) == (400, "request_invalid")


def test_file_that_is_no_report_is_refused_as_on_the_page(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    refused = client.post(
        f"{HERE}/imports", headers=allowed("operator"), params={"file_name": "x.csv"}, content=b""
    )
    assert refused.status_code == 422


def test_who_may_not_import_is_refused_before_the_file_is_read(
    client: Any, allowed: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MEGABYTE", 0)
    where = f"{HERE}/imports?file_name=a.csv"
    refused = client.post(where, headers=allowed("viewer"), content=b"any")
    assert (refused.status_code, code(refused)) == (403, "role_too_low")


def test_too_large_a_file_is_refused_while_it_comes(
    client: Any, allowed: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MEGABYTE", 10)
    headers = allowed("operator")
    for content in (b"x" * 3000, iter([b"x" * 1500, b"x" * 1500])):
        refused = client.post(
            f"{HERE}/imports", headers=headers, params={"file_name": "x.csv"}, content=content
        )
        assert (refused.status_code, code(refused)) == (413, "request_too_large")


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", '{"suggestions": []}', '{"suggestions": [{"id": "a", "version": NaN}]}',
     '{"suggestions": [{"id": "a", "version": 1, "bid": -1}]}', '{"all": true}', "[" * 100_000],
)  # fmt: skip
def test_body_that_is_not_as_described_is_refused(
    client: Any, allowed: Callable[..., dict[str, str]], body: str
) -> None:
    refused = client.post(
        f"{HERE}/suggestions/approve", headers=allowed("approver"), content=body.encode()
    )
    assert (refused.status_code, code(refused)) == (400, "request_invalid")


def test_unknown_address_and_method_are_told_in_the_language_asked_for(client: Any) -> None:
    missing = client.get("/api/v1/nothing", headers={"Accept-Language": "zh-CN"})
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "此地址没有内容。")
    wrong = client.delete("/api/v1/health")
    assert (wrong.status_code, code(wrong)) == (405, "method_not_allowed")


def test_an_address_with_a_line_break_is_refused_like_any_other(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    answer = client.get("/api/v1/accounts/a%0Ab/suggestions", headers=allowed("viewer"))
    assert answer.status_code in (400, 403, 404, 422)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"]


def test_figures_are_those_of_the_accounts_in_reach(
    client: Any, allowed: Callable[..., dict[str, str]]
) -> None:
    own = client.get("/api/v1/metrics", headers=allowed("viewer")).text
    assert f'optimizer_suggestions{{account="{ACCOUNT}",decision="proposed"}}' in own
    other = client.get("/api/v1/metrics", headers=allowed("viewer", "other")).text
    assert "account=" not in other
    assert client.get("/api/v1/metrics").status_code == 401


def test_what_nobody_foresaw_is_logged_under_the_reference_and_not_told(
    client: Any, allowed: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def broken(*_arguments: Any) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(workflows, "accounts", broken)
    with caplog.at_level(logging.INFO, "optimizer.api"):
        failed = client.get("/api/v1/accounts", headers=allowed("viewer"))
    told = failed.json()["error"]
    assert (failed.status_code, told["code"]) == (500, "something_failed")
    assert "secret detail" not in failed.text
    assert told["reference"] in caplog.text
    assert "a secret detail" in caplog.text


def test_full_disk_has_its_own_status() -> None:
    assert serving.status_of(RefusedInput("store_not_writable")) == 507
    assert serving.status_of(OptimizerError("disk_full")) == 507


def test_description_names_every_endpoint_and_its_statuses(client: Any) -> None:
    told = client.get("/api/v1/openapi.json").json()
    assert "$defs" not in json.dumps(told)
    assert set(told["paths"]["/accounts/{account}/suggestions"]) == {"get"}
    assert {"401", "403", "409", "413", "422", "507"} <= set(
        told["paths"]["/accounts/{account}/suggestions/approve"]["post"]["responses"]
    )
