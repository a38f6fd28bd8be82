"""What requests may say and what answers look like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from optimizer.settings import Basis

Day = date
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_\-]+$")]
FileName = Annotated[
    str, StringConstraints(max_length=120, pattern=r"^[0-9A-Za-z_][0-9A-Za-z_.\-]*$")
]
Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(_Said):
    """Nothing may be said."""


class Import(_Said):
    """How to read the file."""

    file_name: FileName
    as_of: Day | None = None
    profile: Text | None = None
    dry_run: bool = False
    accept_quarantine: bool = False
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    attribution_days: Annotated[int, Field(ge=1, le=365)] | None = None
    attribution_basis: Basis | None = None


class Listed(_Said):
    """Which suggestions, and which of them."""

    as_of: Day | None = None
    decision: (
        Literal["proposed", "awaiting_second", "approved", "rejected", "snoozed", "expired"] | None
    ) = None
    kind: Text | None = None
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Outcomes(_Said):
    """Which exported changes."""

    state: Literal["exported", "confirmed_live", "failed", "drifted", "reverted"] | None = None
    since: Day | None = None


class Review(_Said):
    """What to review."""

    as_of: Day | None = None
    budget: Money | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    dry_run: bool = False


class Seen(_Said):
    """A suggestion in the version that was seen."""

    id: Id
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class SeenWithBid(Seen):
    """The same, perhaps at another bid than the one proposed."""

    bid: Money | None = None


class Approve(_Said):
    """What to approve."""

    suggestions: Annotated[list[SeenWithBid], Field(min_length=1, max_length=50_000)]


class Reject(_Said):
    """What to reject, why, and until when it stays so."""

    suggestions: Annotated[list[Seen], Field(min_length=1, max_length=50_000)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    until: Day | None = None


class Revert(_Said):
    """Which exported suggestions to take back: some by id, or all of an export."""

    ids: Annotated[list[Text], Field(max_length=50_000)] = []
    export_id: Text | None = None


class Export(_Said):
    """How to export."""

    dry_run: bool = False
    format: Text | None = None


def _record(**fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields}


def _many(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


ANYTHING: dict[str, Any] = {"type": "object"}
_COUNT = {"type": "integer", "minimum": 0}
_STRING = {"type": "string"}
_PROBLEM = {
    "type": ["object", "null"],
    "description": "Why no plan meets what is decided: code and fields; null where one does.",
}
STATUS = _record(status=_STRING)
SUGGESTIONS = _record(
    total=_COUNT,
    suggestions=_many(_record(id=_STRING, version=_COUNT, kind=_STRING, decision=_STRING)),
)
REVIEW = _record(account=_STRING, as_of=_STRING, suggestions=_COUNT)
DECISION = _record(
    changed=_many(_STRING),
    refused=_many(ANYTHING),
    awaiting=_many(_STRING),
    resolve={
        "type": ["object", "null"],
        "description": "What the rest became; null while that is pending, and with a problem.",
    },
    excess=_many(ANYTHING),
    problem=_PROBLEM,
    pending={
        "type": "boolean",
        "description": "The decisions stand, the rest is still being solved again: ask `solving`.",
    },
)
SOLVING = _record(
    pending={
        "type": "boolean",
        "description": "Suggestions and sums are those of an earlier plan until this is false.",
    },
    problem=_PROBLEM,
)
EXPORT = _record(export_id=_STRING, files=_many(_STRING), rows=_COUNT)
OUTCOMES = _record(counts={"type": "object", "additionalProperties": _COUNT}, rows=_many(ANYTHING))
ERROR = _record(
    error=_record(code=_STRING, message=_STRING, fields=ANYTHING, reference=_STRING),
)


def listing(name: str) -> dict[str, Any]:
    """An object that holds a list under `name`."""
    return _record(**{name: _many(ANYTHING)})
