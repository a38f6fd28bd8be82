"""Which pages there are, in which language, on which account; each page is a file in `web`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from optimizer.errors import BadTable, OptimizerError
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import entrance, failures, frame

# Not called `pages`: a folder of that name beside this file Streamlit takes for the application's pages
# until `st.navigation` runs, and tells the first visitor of an address that there is no such page.
PAGES = Path(__file__).parent / "web"
ICON = Path(__file__).parent / "icon.svg"


def main() -> None:
    """Draw what surrounds a page, then the page."""
    words = frame.language()
    # Without an icon of our own Streamlit asks a font server on the internet for one.
    st.set_page_config(
        page_title=words.text("Bid review"),
        page_icon=str(ICON),
        layout="wide",
    )
    frame.draw_style()
    closed = entrance.refusal(words)
    page = st.navigation(_sections(words), position="hidden" if closed else "sidebar")
    frame.draw_language_switch(words)
    if closed:
        entrance.draw_refusal(words, closed)
        return
    try:
        frame.draw_sidebar()
        entrance.draw_visitor(words)
        st.subheader(page.title)
        frame.draw_flash()
        page.run()
    except BadTable:
        raise  # a defect of ours, which nobody who reads a page could do anything about
    except OptimizerError as error:
        failures.draw(words, error)


def _sections(words: Translator) -> dict[str, list[st.Page]]:
    daily = [
        _page(words, "queue", "Suggestions", ":material/checklist:", default=True),
        _page(words, "overview", "Overview", ":material/dashboard:"),
        _page(words, "creatives", "Creative tests", ":material/science:"),
        _page(words, "budget", "Budget & scenarios", ":material/savings:"),
    ]
    data = [
        _page(words, "imports", "Imports", ":material/upload_file:"),
        _page(words, "bulk_files", "Bulk files", ":material/drive_file_move:"),
    ]
    house = [_page(words, "settings", "Settings & audit", ":material/settings:")]
    return {words.text("Daily"): daily, words.text("Data"): data, words.text("House"): house}


def _page(words: Translator, name: str, title: str, icon: str, *, default: bool = False) -> st.Page:
    path = PAGES / f"{name}_page.py"
    return st.Page(path, title=words.text(title), icon=icon, url_path=name, default=default)


main()
