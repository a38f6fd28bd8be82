"""The operator's own views: the queue's filters under a name, to come back to by one click."""

from __future__ import annotations

import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.queue_orders import ORDERS
from optimizer.interfaces.queue_tabs import TABS
from optimizer.interfaces.web import session
from optimizer.interfaces.web.frame import flash, literal
from optimizer.workflows.views import VIEW_KEYS

DECISIONS = ("proposed", "awaiting_second", "approved", "rejected", "snoozed", "expired")


def draw_views() -> None:
    """A menu of the views kept, and a field to keep the present one."""
    visit = session.current()
    words = visit.words
    kept = workflows.views(visit.workspace, str(visit.account), visit.actor)
    with st.popover(words.text("Views"), icon=":material/bookmark:", key="views"):
        for number, (name, shown) in enumerate(kept.items()):
            with st.container(horizontal=True):
                st.button(literal(name), key=f"view_open_{number}", on_click=_open, args=(shown,))
                st.button(
                    words.text("Forget"), key=f"view_drop_{number}", on_click=_drop, args=(name,)
                )
        st.text_input(words.text("Name of this view"), key="view_name", max_chars=60)
        st.button(words.text("Keep this view"), key="view_save", on_click=_save)


def _open(shown: dict[str, list[str]]) -> None:
    """Set address and widgets as they are once the view's address is opened."""
    language = session.current().words.language
    for key in ("tab", "kind", "decision", "order"):
        st.query_params[key] = shown.get(key, [])
    asked = {key: told[0] for key, told in shown.items()}
    tab = asked.get("tab", "all") if asked.get("tab", "all") in TABS else "all"
    decision = asked.get("decision", DECISIONS[0])
    st.session_state[f"tab_{language}"] = tab
    st.session_state[f"kinds_{tab}_{language}"] = [
        kind for kind in shown.get("kind", []) if kind in TABS[tab]
    ]
    st.session_state[f"decision_{language}"] = decision if decision in DECISIONS else DECISIONS[0]
    order = asked.get("order", ORDERS[0])
    st.session_state[f"order_{language}"] = order if order in ORDERS else ORDERS[0]
    st.session_state["campaign"] = asked.get("campaign")
    st.session_state["text"] = asked.get("text", "")
    st.session_state["p"] = _share(asked.get("p", "0"))


def _share(told: str) -> float:
    """A probability as the slider takes it; an address that says something else asks for none."""
    return min(float(told), 1.0) if told.replace(".", "", 1).isdecimal() else 0.0


def _save() -> None:
    visit = session.current()
    shown = {key: st.query_params.get_all(key) for key in VIEW_KEYS}
    where = (visit.workspace, str(visit.account))
    try:
        workflows.save_view(*where, st.session_state["view_name"], shown, visit.actor)
    except OptimizerError as error:
        flash("error", [visit.words.error(error)])
    else:
        st.session_state["view_name"] = ""


def _drop(name: str) -> None:
    visit = session.current()
    workflows.delete_view(visit.workspace, str(visit.account), name, visit.actor)
