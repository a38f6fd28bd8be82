"""Who looks at which account of which store; kept per browser session, rebuilt on every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.opened import opened
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
    st.session_state[_KEY] = Visit(opened(), words)
    return current()


def current() -> Visit:
    """The visit of this run."""
    return cast(Visit, st.session_state[_KEY])


def choose(account: str, currency: str | None) -> None:
    """Look at `account`, money in its currency."""
    visit = current()
    visit.account = account
    visit.words = Translator(visit.words.language, currency, visit.words.zone)
