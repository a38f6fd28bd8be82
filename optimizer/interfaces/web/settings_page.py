"""Settings and audit: what applies to the account, what is locked, who may do what, who did what."""

from __future__ import annotations

import streamlit as st

from optimizer import workflows
from optimizer.errors import NotFound, OptimizerError
from optimizer.interfaces import settings_told
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.spreadsheet import people_csv
from optimizer.interfaces.web import frame, rights_form, session
from optimizer.interfaces.web.frame import literal
from optimizer.settings import Account

SECTIONS = ("account", "guardrails", "exploration")


def draw() -> None:
    """Tabs of the account chosen, or what to do first."""
    visit = session.current()
    if visit.account is None:
        frame.draw_first_steps()
        return
    words = visit.words
    tabs = ["In force", "Locks", "Audit"]
    admin = frame.may("admin")
    tabs += ["Rights and tokens"] if admin else []
    shown = st.tabs([words.text(name) for name in tabs])
    with shown[0]:
        _draw_settings(words, admin)
    with shown[1]:
        _draw_locks(words)
    with shown[2]:
        _draw_audit(words)
    if admin:
        with shown[3]:
            rights_form.draw_rights(words)


def _draw_settings(words: Translator, admin: bool) -> None:
    visit = session.current()
    found = workflows.settings_in_force(visit.workspace, str(visit.account), visit.actor)
    st.caption(words.text("Settings are files: edit the file, then review again."))
    for section in SECTIONS:
        st.markdown("##### " + words.code("settings_section", section))
        file, exists = found.files[section]
        text = "Defaults; to change them make {file}." if not exists else "To change, edit {file}."
        # Where files lie is no business of those who cannot edit them.
        name = file if admin else file.replace("\\", "/").rpartition("/")[2]
        st.caption(literal(words.text(text, file=name)))
        if section in found.outdated:
            told = words.text("The file says something else by now: restart the program to use it.")
            st.warning(told, icon=":material/restart_alt:")
        rows = settings_told.setting_rows(words, found, section)
        # Not a grid, whose cells would cut long values.
        st.table(rows.map(literal), hide_index=True)


def _draw_locks(words: Translator) -> None:
    visit = session.current()
    where = visit.workspace, str(visit.account)
    found = workflows.locks(*where, visit.actor)
    if found.empty:
        st.info(words.text("Nothing is locked. A locked keyword is left as it is by every review."))
        frame.draw_link("queue", "Go to Suggestions")
        return
    rows = settings_told.lock_rows(words, found)
    st.dataframe(rows, hide_index=True, key="locks", placeholder="–")
    if not frame.may("operator"):
        return
    names = settings_told.lock_names(found)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            words.text("Locked keyword"),
            list(names),
            format_func=names.__getitem__,
            key="unlock_key",
        )
        st.button(words.text("Unlock"), key="unlock", on_click=_unlock, args=(key,))


def _unlock(key: str) -> None:
    visit = session.current()
    try:
        workflows.lock(visit.workspace, str(visit.account), key, visit.actor, locked=False)
        frame.flash("success", [visit.words.text("Unlocked; the next review may move it.")])
    except OptimizerError as error:
        frame.flash("error", [visit.words.error(error)])


def _draw_audit(words: Translator) -> None:
    visit = session.current()
    everywhere = visit.actor.may("viewer")
    account: str | None = visit.account
    if everywhere and st.toggle(words.text("All accounts"), key="audit_all"):
        account = None
    rows = workflows.audit(visit.workspace, visit.actor, account)
    zone = _zone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.selectbox(
            words.text("Who"),
            sorted(rows["actor"].unique()),
            index=None,
            placeholder=words.text("All"),
            key="audit_who",
            width=180,
        )
        what = st.selectbox(
            words.text("What"),
            sorted(rows["action"].unique()),
            index=None,
            placeholder=words.text("All"),
            format_func=lambda code: words.code("action", code),
            key="audit_what",
            width=180,
        )
        first = st.date_input(words.text("From day"), value=None, key="audit_first", width=150)
        last = st.date_input(words.text("To day"), value=None, key="audit_last", width=150)
        text = st.text_input(words.text("Contains"), key="audit_text", width=180)
    found = settings_told.audit_between(
        rows, zone, who=who, what=what, first=first, last=last, text=text
    )
    told = "{shown:whole} of {all:whole} entries, newest first; times of {zone}."
    st.caption(literal(words.text(told, shown=len(found), all=len(rows), zone=zone)))
    stored = st.toggle(words.text("Show the detail as it is stored"), key="audit_stored")
    shown = settings_told.audit_rows(words, found, _subjects(words), stored)
    st.dataframe(shown, hide_index=True, key="audit")
    with st.container(horizontal=True):
        st.download_button(
            words.text("Download as CSV"),
            people_csv(found).encode("utf-8-sig"),
            file_name="audit.csv",
            mime="text/csv",
            key="audit_csv",
        )
        if everywhere and st.button(words.text("Check the chain"), key="audit_check"):
            _draw_check(words)


def _subjects(words: Translator) -> dict[str, str]:
    """Names of what the newest review suggests; none before the first."""
    visit = session.current()
    try:
        rows = workflows.suggestions(visit.workspace, str(visit.account), visit.actor)
    except NotFound:
        return {}
    return settings_told.subject_names(words, rows)


def _zone() -> str:
    visit = session.current()
    found = workflows.settings_in_force(visit.workspace, str(visit.account), visit.actor)
    stated = {each.key: each.value for each in found.settings if each.section == "account"}
    return str(stated.get("time_zone", Account().time_zone))


def _draw_check(words: Translator) -> None:
    """Whether anybody changed the trail, or the store lost anything."""
    visit = session.current()
    report = workflows.check(visit.workspace, visit.actor)
    if report.ok:
        st.success(
            words.text("The chain is whole, and so is the store."), icon=":material/verified:"
        )
        return
    for problem in report.problems:
        told = words.code("problem", problem["code"], **problem["fields"])
        st.error(literal(told), icon=":material/error:")


draw()
