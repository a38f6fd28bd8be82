"""What can be asked for over HTTP: one function per workflow, and the table of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel

from optimizer import scratch, workflows
from optimizer.errors import NotFound
from optimizer.interfaces.api import shapes
from optimizer.interfaces.api.metrics import prometheus_text
from optimizer.interfaces.json_values import plain
from optimizer.tables import Actor

Content = Literal["application/json", "text/plain", "application/octet-stream"]


@dataclass(frozen=True)
class Call:
    """One request, checked: `parts` are those of its path, `file` the upload where there is one."""

    workspace: workflows.Workspace
    actor: Actor
    parts: Mapping[str, str]
    query: Any = None
    body: Any = None
    file: Path | None = None

    @property
    def account(self) -> str:
        """The account that the path names."""
        return self.parts["account"]


@dataclass(frozen=True)
class Endpoint:
    """One thing that can be asked for; `public` ones need no token, `upload` is a file as the body."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    summary: str
    handle: Callable[[Call], Any]
    answer: Mapping[str, Any] = field(default_factory=lambda: shapes.ANYTHING)
    query: type[BaseModel] = shapes.NoQuery
    body: type[BaseModel] | None = None
    upload: bool = False
    public: bool = False
    status: int = 200
    content: Content = "application/json"


def health(_call: Call) -> Any:
    """The process answers."""
    return {"status": "ok"}


def readiness(call: Call) -> Any:
    """The store answers."""
    return {"status": "ready", "accounts": workflows.ready(call.workspace)}


def metrics(call: Call) -> str:
    """What a monitoring system asks for, as Prometheus reads it."""
    return prometheus_text(workflows.account_statuses(call.workspace, call.actor))


def accounts(call: Call) -> Any:
    """Accounts the token may look at."""
    return {"accounts": workflows.accounts(call.workspace, call.actor)}


def import_file(call: Call) -> Any:
    """Read one report file into the store."""
    query, file = call.query, call.file
    assert file is not None
    results = workflows.import_files(
        call.workspace,
        [file],
        call.account,
        profile=query.profile,
        as_of=query.as_of,
        actor=call.actor,
        dry_run=query.dry_run,
        accept_quarantine=query.accept_quarantine,
        told=workflows.Told(query.currency, query.attribution_days, query.attribution_basis),
    )
    return {"imports": [{**each.to_json(), "file": file.name} for each in results]}


def review(call: Call) -> Any:
    """Review the account; the suggestions are asked for by themselves."""
    body = call.body
    report = workflows.review(
        call.workspace,
        call.account,
        as_of=body.as_of,
        budget=body.budget,
        actor=call.actor,
        seed=body.seed,
        dry_run=body.dry_run,
    )
    told = report.to_json()
    return {**told, "suggestions": len(told["suggestions"])}


def list_suggestions(call: Call) -> Any:
    """Suggestions of the newest review (of that day), those with these decisions and kinds."""
    query = call.query
    rows = workflows.suggestions(call.workspace, call.account, call.actor, query.as_of)
    for column, wanted in (("decision", query.decision), ("kind", query.kind)):
        rows = rows if wanted is None else rows[rows[column].eq(wanted)]
    page = rows.iloc[query.offset : query.offset + query.limit]
    return {"total": len(rows), "suggestions": _without_evidence(page)}


def _without_evidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns="evidence")


def one_suggestion(call: Call) -> Any:
    """One suggestion with its evidence, response curve and history."""
    found = workflows.suggestion(call.workspace, call.account, call.parts["id"], call.actor)
    return found.to_json()


def approve(call: Call) -> Any:
    """Approve suggestions, some perhaps at another bid."""
    bids = {one.id: one.bid for one in call.body.suggestions if one.bid is not None}
    done = workflows.approve(
        call.workspace, call.account, _refs(call.body), call.actor, bids or None
    )
    return done.to_json()


def reject(call: Call) -> Any:
    """Refuse suggestions; the rest is solved again."""
    body = call.body
    done = workflows.reject(
        call.workspace, call.account, _refs(body), call.actor, body.reason, body.until
    )
    return done.to_json()


def revert(call: Call) -> Any:
    """Approve the opposite of exported suggestions; the next export takes them back."""
    body = call.body
    done = workflows.revert(call.workspace, call.account, call.actor, body.ids, body.export_id)
    return done.to_json()


def solving(call: Call) -> Any:
    """Whether the figures are being brought up to date, and why the last time failed."""
    return asdict(workflows.solving(call.workspace, call.account, call.actor))


def _refs(body: Any) -> list[tuple[str, int]]:
    return [(one.id, one.version) for one in body.suggestions]


def export(call: Call) -> Any:
    """Make the platform's files of what is approved; they are fetched by name."""
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
        made = workflows.export(
            call.workspace,
            call.account,
            Path(folder),
            call.actor,
            dry_run=call.body.dry_run,
            format_=call.body.format,
        )
    return {**made.to_json(), "files": sorted(made.files)}


def list_exports(call: Call) -> Any:
    """What was exported, newest first."""
    found = workflows.exports(call.workspace, call.account, call.actor)
    return {"exports": [asdict(each) for each in found]}


def export_file(call: Call) -> bytes:
    """One file of an export, the same bytes every time."""
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
        made = workflows.export(
            call.workspace, call.account, Path(folder), call.actor, again=call.parts["export_id"]
        )
        path = made.files.get(call.parts["file"])
        if path is None:
            raise NotFound("export_file_unknown", file=call.parts["file"], known=sorted(made.files))
        return path.read_bytes()


def outcomes(call: Call) -> Any:
    """What became of exported changes."""
    query = call.query
    found = workflows.deliveries(call.workspace, call.account, call.actor, query.state, query.since)
    return found.to_json()


_ACCOUNT = "/accounts/{account}"
_SUGGESTIONS = f"{_ACCOUNT}/suggestions"
ENDPOINTS = (
    Endpoint(
        "GET", "/health", "health", "The process answers.", health, shapes.STATUS, public=True
    ),
    Endpoint(
        "GET", "/ready", "readiness", "The store answers.", readiness, shapes.STATUS, public=True
    ),
    Endpoint(
        "GET", "/metrics", "metrics", "Figures for Prometheus.", metrics, content="text/plain"
    ),
    Endpoint(
        "GET", "/accounts", "accounts", "Accounts in reach.", accounts, shapes.listing("accounts")
    ),
    Endpoint(
        "POST",
        f"{_ACCOUNT}/imports",
        "import",
        "Import one report file, sent as the body.",
        import_file,
        shapes.listing("imports"),
        query=shapes.Import,
        upload=True,
    ),
    Endpoint(
        "POST",
        f"{_ACCOUNT}/reviews",
        "review",
        "Review the account and propose changes.",
        review,
        shapes.REVIEW,
        body=shapes.Review,
    ),
    Endpoint(
        "GET",
        _SUGGESTIONS,
        "suggestions",
        "Suggestions of the newest review.",
        list_suggestions,
        shapes.SUGGESTIONS,
        query=shapes.Listed,
    ),
    Endpoint(
        "GET",
        _SUGGESTIONS + "/{id}",
        "suggestion",
        "One suggestion with its evidence.",
        one_suggestion,
    ),
    Endpoint(
        "POST",
        f"{_SUGGESTIONS}/approve",
        "approve",
        "Approve suggestions in the version that was seen.",
        approve,
        shapes.DECISION,
        body=shapes.Approve,
    ),
    Endpoint(
        "POST",
        f"{_SUGGESTIONS}/reject",
        "reject",
        "Reject suggestions in the version that was seen.",
        reject,
        shapes.DECISION,
        body=shapes.Reject,
    ),
    Endpoint(
        "POST",
        f"{_SUGGESTIONS}/revert",
        "revert",
        "Take exported suggestions back.",
        revert,
        shapes.DECISION,
        body=shapes.Revert,
    ),
    Endpoint(
        "GET",
        f"{_ACCOUNT}/solving",
        "solving",
        "Whether the figures are still being brought up to date after decisions.",
        solving,
        shapes.SOLVING,
    ),
    Endpoint(
        "POST",
        f"{_ACCOUNT}/exports",
        "export",
        "Export what is approved.",
        export,
        shapes.EXPORT,
        body=shapes.Export,
    ),
    Endpoint(
        "GET",
        f"{_ACCOUNT}/exports",
        "exports",
        "What was exported.",
        list_exports,
        shapes.listing("exports"),
    ),
    Endpoint(
        "GET",
        f"{_ACCOUNT}/exports/{{export_id}}/{{file}}",
        "exportFile",
        "A file of an export.",
        export_file,
        content="application/octet-stream",
    ),
    Endpoint(
        "GET",
        f"{_ACCOUNT}/outcomes",
        "outcomes",
        "What became of exported changes.",
        outcomes,
        shapes.OUTCOMES,
        query=shapes.Outcomes,
    ),
)


def json_answer(value: Any) -> Any:
    """The answer in JSON's own types."""
    return plain(value)
