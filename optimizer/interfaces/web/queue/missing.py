"""Why is this keyword not in the list?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue.decisions import unlock

_UNLOCKED_AT_ONCE = 10


def draw_why_not(words: Translator, text: str) -> None:
    """What became of every keyword that contains the text of the filter."""
    label = words.text("Why is a keyword not in this list?")
    panel = st.expander(label, key="why_not", on_change="rerun")
    with panel:
        if not text:
            st.caption(words.text("Type a part of its text into “Keyword contains”."))
        elif panel.open:
            _draw_found(words, text)


def _draw_found(words: Translator, text: str) -> None:
    visit = session.current()
    rows = workflows.why_not(visit.workspace, str(visit.account), text, visit.actor)
    if rows.empty:
        st.caption(words.text("No keyword contains it."))
        return
    table = pd.DataFrame(
        {
            words.text("Keyword"): rows["keyword_text"],
            words.text("Match"): rows["match_type"].map(
                lambda code: words.code("match", code), na_action="ignore"
            ),
            words.text("Campaign"): rows["campaign_name"],
            words.text("Ad group"): rows["ad_group_name"],
            words.text("Result"): rows["reason"].map(words.reason),
        }
    )
    st.dataframe(table, hide_index=True)
    if frame.may("operator"):
        _draw_unlock(words, rows[rows["reason"].eq("locked")].head(_UNLOCKED_AT_ONCE))


def _draw_unlock(words: Translator, rows: pd.DataFrame) -> None:
    """A way back for those that are only locked."""
    for row in rows.to_dict("records"):
        label = f"{words.text('Unlock')}: {literal(str(row['keyword_text']))}"
        if st.button(label, key=f"unlock_{row['entity_key']}"):
            unlock(str(row["entity_key"]))
