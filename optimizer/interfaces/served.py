"""The page application, from a checkout or from the installed package."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

app = st.App(Path(__file__).parent / "router.py")
