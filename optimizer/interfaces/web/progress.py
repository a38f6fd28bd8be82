"""How far a long step has come, on the page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from optimizer.interfaces.web import session


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar as long as the work lasts; tell it the step, how much of it is done, and how much there is."""
    words = session.current().words
    bar, context = st.progress(0.0), get_script_run_ctx()

    def report(step: str, done: int, total: int) -> None:
        # A query is watched by a thread of its own, which belongs to no visit unless it is told so.
        add_script_run_ctx(threading.current_thread(), context)
        bar.progress(min(done / total, 1.0) if total else 0.0, text=words.code("step", step))

    try:
        yield report
    finally:
        bar.empty()
