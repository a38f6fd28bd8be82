"""What applies to an account at this moment: settings with where they come from, and what is locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.settings import Account, Configs, Exploration, Guardrails, Model
from optimizer.store.protocol import AccountRecord
from optimizer.tables import Actor
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import Workspace, checked_account_name, newest_day

SECTIONS = ("account", "guardrails", "exploration")
LOCKS = (
    "entity_key",
    "slots",
    "campaign_name",
    "ad_group_name",
    "keyword_text",
    "match_type",
)


@dataclass(frozen=True)
class Setting:
    """One key of a section as it is used: `value` as JSON, `stated` where its file says it."""

    section: str
    key: str
    value: Any
    stated: bool


@dataclass(frozen=True)
class InForce:
    """All settings of an account that an operator may state, and the file of each section.

    `files` maps a section to its file and whether there is one; `outdated` names sections whose file
    says something else by now: the running program goes on with what it read when it started.
    """

    account: str
    settings: tuple[Setting, ...]
    files: dict[str, tuple[str, bool]]
    outdated: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(
            {
                "account": self.account,
                "settings": [vars(each) for each in self.settings],
                "files": self.files,
                "outdated": self.outdated,
            }
        )


def settings_in_force(workspace: Workspace, account: str, actor: Actor) -> InForce:
    """What reviews and approvals of the account go by. Raises `BadSettings` for a file that is wrong.

    The account's own file is read anew at every use, the others once per start.
    """
    actor.require("viewer", account)
    name = checked_account_name(account)
    used, written = workspace.configs, Configs(workspace.configs.root)
    models = _models(used, name)
    told = [each for section, model in models.items() for each in _settings(section, model)]
    paths = _paths(used, name)
    files = {section: (str(path), path.exists()) for section, path in paths.items()}
    fresh = _models(written, name)
    outdated = tuple(section for section in SECTIONS if fresh[section] != models[section])
    return InForce(name, tuple(told), files, outdated)


def _models(configs: Configs, account: str) -> dict[str, Model]:
    found: tuple[Account, Guardrails, Exploration] = (
        configs.account(account),
        configs.guardrails,
        configs.exploration,
    )
    return dict(zip(SECTIONS, found, strict=True))


def _paths(configs: Configs, account: str) -> dict[str, Path]:
    names = [configs.root / f"{section}.yaml" for section in SECTIONS[1:]]
    return dict(zip(SECTIONS, [configs.account_path(account), *names], strict=True))


def _settings(section: str, model: Model) -> Iterable[Setting]:
    values = model.model_dump(mode="json", exclude_none=False)
    for key, value in values.items():
        yield Setting(section, key, plain(value), key in model.model_fields_set)


def locks(workspace: Workspace, account: str, actor: Actor) -> pd.DataFrame:
    """What somebody locked: columns LOCKS, one row per keyword, term, campaign or creative.

    `slots` are those of the table HOLDS; names are null for what is no keyword. Raises `NotFound` for
    an account without imports.
    """
    actor.require("viewer", account)
    record: AccountRecord = workspace.store.account(account)
    day = newest_day(workspace, record.name)
    holds = workspace.store.holds(record.name, day)
    # What the platform refused is held for its day as well, at a value; nobody locked that.
    held = holds[holds["kind"].eq("locked") & holds["value"].isna()]
    slots = held.groupby("entity_key")["slot"].agg(list).rename("slots").reset_index()
    names = workspace.store.keyword_days(record.name, day, 1).names
    named = names.assign(entity_key=names["entity_key"].astype(str))
    return slots.merge(named, on="entity_key", how="left")[list(LOCKS)]
