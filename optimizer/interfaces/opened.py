"""The open store of a server: one for its pages and its API, which share what they read and solve."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import streamlit as st

from optimizer import workflows

PATIENCE: float | None = 1.0
"""Seconds that a decision waits for the rest to be solved again before it is answered without."""


def folders() -> tuple[Path | None, Path | None]:
    """Where the environment says that the store and the settings are."""
    store, configs = (os.environ.get(f"OPTIMIZER_{name}") for name in ("STORE", "CONFIGS"))
    return Path(store) if store else None, Path(configs) if configs else None


def opened() -> workflows.Workspace:
    """The store and settings of the environment. Raises what `open_workspace` raises."""
    return replace(_open(*folders()), patience=PATIENCE)


@st.cache_resource(on_release=workflows.Workspace.close, show_spinner=False)
def _open(store: Path | None, configs: Path | None) -> workflows.Workspace:
    return workflows.open_workspace(store, configs)
