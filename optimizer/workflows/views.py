"""Filters of the queue under a name, everybody's own on every account."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from optimizer.errors import RefusedInput
from optimizer.tables import Actor
from optimizer.workflows.workspace import Workspace

VIEW_KEYS = ("tab", "kind", "decision", "campaign", "text", "p", "order")
"""What of the queue's address a view keeps."""

_NAME_LENGTH = 60
_QUERY_LENGTH = 2000


def views(workspace: Workspace, account: str, actor: Actor) -> dict[str, dict[str, list[str]]]:
    """The actor's views of the account's queue by name: what each part of the address says."""
    actor.require("viewer", account)
    kept = workspace.store.views(account, actor.name)
    return {name: parse_qs(query) for name, query in kept.items()}


def save_view(
    workspace: Workspace, account: str, name: str, shown: dict[str, list[str]], actor: Actor
) -> None:
    """Keep what the address says (other keys than VIEW_KEYS aside) under a name, perhaps anew.

    Raises `RefusedInput` for a name that is empty, too long or not printable, or too long an address.
    """
    actor.require("viewer", account)
    told = name.strip()
    query = urlencode({key: shown[key] for key in VIEW_KEYS if shown.get(key)}, doseq=True)
    if not told or len(told) > _NAME_LENGTH or not told.isprintable():
        raise RefusedInput("view_name_invalid", longest=_NAME_LENGTH)
    if len(query) > _QUERY_LENGTH:
        raise RefusedInput("view_too_long", longest=_QUERY_LENGTH)
    workspace.store.save_view(account, actor.name, told, query)


def delete_view(workspace: Workspace, account: str, name: str, actor: Actor) -> None:
    """Forget one of the actor's views."""
    actor.require("viewer", account)
    workspace.store.delete_view(account, actor.name, name)
