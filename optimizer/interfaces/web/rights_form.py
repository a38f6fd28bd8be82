"""Rights of people and tokens of programs, for administrators: list, give, take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces import settings_told
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.serving import reach
from optimizer.interfaces.web import frame, session
from optimizer.tables import Role

ROLES = get_args(Role)
_SECRET = "_new_token"


def draw_rights(words: Translator) -> None:
    """People, then programs."""
    if not reach().login:
        st.info(
            words.text("Nobody logs in here, so roles of people count once a login is set up."),
            icon=":material/info:",
        )
    _draw_people(words)
    _draw_tokens(words)


def _draw_people(words: Translator) -> None:
    visit = session.current()
    found = workflows.grants(visit.workspace, visit.actor)
    st.markdown("##### " + words.text("People"))
    if found:
        st.dataframe(settings_told.grant_rows(words, found), hide_index=True, key="grants")
    else:
        st.caption(words.text("Nobody has a role yet. Give the first one below."))
    with st.form("grant_form", border=False), _row():
        person = st.text_input(words.text("E-mail address"), key="grant_person")
        role = _role(words, "grant_role")
        where = _account(words, "grant_account")
        given = st.form_submit_button(words.text("Give the role"))
        taken = st.form_submit_button(words.text("Take it away"))
    if (given or taken) and not person:
        st.error(words.text("Enter the e-mail address first."))
    elif given:
        _act(lambda: workflows.grant(visit.workspace, person, role, visit.actor, where))
    elif taken:
        _act(lambda: workflows.ungrant(visit.workspace, person, visit.actor, where))


def _draw_tokens(words: Translator) -> None:
    visit = session.current()
    st.markdown("##### " + words.text("Tokens of programs"))
    _draw_secret(words)
    found = workflows.tokens(visit.workspace, visit.actor)
    if found:
        st.dataframe(
            settings_told.token_rows(words, found, datetime.now(UTC)),
            hide_index=True,
            key="tokens",
        )
    else:
        st.caption(words.text("No program has a token yet."))
    with st.form("token_form", border=False), _row():
        name = st.text_input(words.text("Name"), key="token_name")
        role = _role(words, "token_role")
        where = _account(words, "token_account")
        days = st.number_input(words.text("Valid for days"), 1, 3650, 90, key="token_days")
        made = st.form_submit_button(words.text("Make a token"))
    if made and not name:
        st.error(words.text("Enter a name first."))
    elif made:
        _act(lambda: _make(name, role, where, int(days)))
    standing = [each.name for each in found if each.revoked_at is None]
    if standing:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(words.text("Token"), standing, key="revoke_name", width=220)
            if st.button(words.text("Revoke"), key="revoke"):
                _act(lambda: workflows.revoke_token(visit.workspace, chosen, visit.actor))


def _make(name: str, role: Role, where: str | None, days: int) -> None:
    visit = session.current()
    made = workflows.add_token(visit.workspace, name, role, visit.actor, where, days)
    st.session_state[_SECRET] = made.secret


def _draw_secret(words: Translator) -> None:
    """The new token's secret, this once: it is not kept anywhere."""
    secret = st.session_state.pop(_SECRET, None)
    if secret is not None:
        st.success(words.text("Copy the token now: it is shown this once."), icon=":material/key:")
        st.code(secret, language=None)


def _row() -> DeltaGenerator:
    """Fields side by side, with the buttons on the line of the fields."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def _role(words: Translator, key: str) -> Role:
    chosen: Role = st.selectbox(
        words.text("Role"), ROLES, format_func=lambda each: words.code("role", each), key=key
    )
    return chosen


def _account(words: Translator, key: str) -> str | None:
    """One of the accounts that the visitor administers, or (None) all of them."""
    visit = session.current()
    records = workflows.accounts(visit.workspace, visit.actor)
    names: list[str | None] = [each.name for each in records if visit.actor.may("admin", each.name)]
    if visit.actor.may("admin"):
        names.append(None)
    return st.selectbox(
        words.text("Account"),
        names,
        index=names.index(visit.account) if visit.account in names else 0,
        format_func=lambda each: each or words.text("every account"),
        key=f"{key}_{visit.account}",
    )


def _act(act: Callable[[], object]) -> None:
    """Do it, tell what went wrong, and draw the page anew."""
    visit = session.current()
    try:
        act()
        frame.flash("success", [visit.words.text("Done.")])
    except OptimizerError as error:
        frame.flash("error", [visit.words.error(error)])
    st.rerun()
