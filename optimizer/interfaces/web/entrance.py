"""The way in: a login where one is set up, a plain word to those who have no rights here."""

from __future__ import annotations

import streamlit as st

from optimizer.errors import Forbidden, OptimizerError
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.serving import reach, require_asked_here
from optimizer.interfaces.web import frame, session

_LOG_IN_FIRST = ("login_needed", "login_expired")


def refusal(words: Translator) -> OptimizerError | None:
    """Begin this run; what stands in the way of seeing any page, if anything does."""
    try:
        _require_asked_here()
        session.begin(words).actor.require_anywhere("viewer")
    except OptimizerError as error:
        return error
    return None


def _require_asked_here() -> None:
    """As the guard before the application does, for a page that was started without it."""
    headers = st.context.headers
    if len(headers):
        told = (headers.get_all("host"), headers.get_all("origin"))
        require_asked_here(*told, st.get_option("server.address"), reach())


def draw_refusal(words: Translator, error: OptimizerError) -> None:
    """What stands in the way, whom to ask, and the way in or out."""
    st.title(words.text("Bid review"))
    st.info(frame.literal(words.error(error)), icon=":material/lock:")
    if error.code in _LOG_IN_FIRST:
        st.button(words.text("Log in"), key="log_in", type="primary", on_click=st.login)
    elif isinstance(error, Forbidden):
        contact = st.secrets.get("access", {}).get("contact")
        whom = contact or words.text("whoever runs this installation")
        st.text(words.text("To be let in, ask {contact}.", contact=whom))
        st.button(words.text("Log out"), key="log_out", on_click=st.logout)


def draw_visitor(words: Translator) -> None:
    """Who is logged in and the way out; a banner where nobody has to log in."""
    if reach().login:
        st.sidebar.text(session.current().actor.name)
        st.sidebar.button(words.text("Log out"), key="log_out", on_click=st.logout)
        return
    told = words.text("No login: only this machine is served, and whoever sits here may do all.")
    st.sidebar.caption(f":material/lock_open: {told}")
