"""The pages and the API as one application, from a checkout or from the installed package."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from optimizer.interfaces import api, serving
from optimizer.interfaces.web import failures

app = st.App(
    Path(__file__).parent / "router.py",
    routes=api.routes(),
    middleware=serving.middleware(),
    lifespan=serving.lifespan,
    on_script_error=failures.tell,
)
