"""Who looks at which account of which store; kept per browser session, rebuilt on every run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import login
from optimizer.tables import Actor

_KEY = "_visit"


@dataclass
class Visit:
    """One run of a page. `account` is null while the store has none."""

    workspace: workflows.Workspace
    words: Translator
    account: str | None = None

    @property
    def actor(self) -> Actor:
        """Who it is and what they may do now: asked anew at every action. Raises `Forbidden`."""
        return login.visitor(self.workspace)


def begin(words: Translator) -> Visit:
    """Open the store for this run. Raises what `open_workspace` raises."""
    workspace = _open(*folders())
    st.session_state[_KEY] = Visit(workspace, words)
    return current()


def folders() -> tuple[Path | None, Path | None]:
    """Where the environment says that the store and the settings are."""
    store, configs = (os.environ.get(f"OPTIMIZER_{name}") for name in ("STORE", "CONFIGS"))
    return Path(store) if store else None, Path(configs) if configs else None


def current() -> Visit:
    """The visit of this run."""
    return cast(Visit, st.session_state[_KEY])


def choose(account: str, currency: str | None) -> None:
    """Look at `account`, money in its currency."""
    visit = current()
    visit.account = account
    visit.words = Translator(visit.words.language, currency, visit.words.zone)


@st.cache_resource(on_release=workflows.Workspace.close, show_spinner=False)
def _open(store: Path | None, configs: Path | None) -> workflows.Workspace:
    return workflows.open_workspace(store, configs)
