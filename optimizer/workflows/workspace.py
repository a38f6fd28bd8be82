"""Where one installation keeps its state and its settings."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from platformdirs import user_data_path

from optimizer import scratch
from optimizer.errors import NotFound, RefusedInput
from optimizer.settings import Configs, find_configs
from optimizer.store import open_store
from optimizer.store.protocol import Store

Progress = Callable[[str, int, int], None]
"""Called with a step code, how many of its parts are done, and how many there are."""

_ACCOUNT_NAME = re.compile(r"[\w][\w .\-]{0,63}")


@dataclass(frozen=True)
class Workspace:
    """An open store beside the settings that apply to it; a context manager that closes the store.

    `patience` is how many seconds a decision waits for the rest to be solved again; None: until it is.
    """

    store: Store
    configs: Configs
    patience: float | None = None

    def close(self) -> None:
        """Release the store's files and connections."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def open_workspace(store_dir: Path | None = None, configs_dir: Path | None = None) -> Workspace:
    """Open the store in `store_dir`, else $OPTIMIZER_STORE, else the user's data directory.

    $OPTIMIZER_DATABASE_URL moves the state (not the history) to that database. Temporary folders that
    killed processes left go. Raises `BadSettings` when a named configuration folder does not exist.
    """
    scratch.sweep(time.time())
    configs = find_configs(configs_dir)
    url = os.environ.get("OPTIMIZER_DATABASE_URL") or None
    return Workspace(open_store(store_folder(store_dir), url), configs)


def store_folder(store_dir: Path | None = None) -> Path:
    """`store_dir`, else $OPTIMIZER_STORE, else the user's data directory."""
    return store_dir or Path(os.environ.get("OPTIMIZER_STORE") or user_data_path("optimizer"))


def checked_account_name(account: str) -> str:
    """`account` itself; `RefusedInput` when it could not also name a file on every system."""
    if not _ACCOUNT_NAME.fullmatch(account) or account[-1] in " .":
        raise RefusedInput("account_name_invalid", account=account, allowed=_ACCOUNT_NAME.pattern)
    return account


def newest_day(workspace: Workspace, account: str) -> date:
    """Download day of the newest import. Raises `NotFound`."""
    days = [batch.as_of for batch in workspace.store.batches(account)]
    if not days:
        raise NotFound("no_imports", account=account)
    return max(days)


def today_of(workspace: Workspace, account: str) -> date:
    """The calendar day it is now in the account's time zone."""
    return datetime.now(ZoneInfo(workspace.configs.account(account).time_zone)).date()


def silent(step: str, done: int, total: int) -> None:
    """The progress callback of those who do not watch."""
