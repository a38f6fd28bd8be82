"""What surrounds every page: language, account, freshness, messages of the last action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from optimizer import workflows
from optimizer.errors import NotFound, OptimizerError
from optimizer.interfaces.locale import LANGUAGES, Translator, pick_language
from optimizer.interfaces.opened import folders
from optimizer.interfaces.web import session
from optimizer.interfaces.web.progress import progress_bar
from optimizer.tables import Actor, Role
from optimizer.workflows import Workspace

Found = TypeVar("Found")
_FLASH = "_flash"
Level = Literal["success", "warning", "error"]

STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding: 2.4rem 2rem 1rem;}
[data-testid="stBottomBlockContainer"] {padding: 0.6rem 2rem 0.8rem;}
[data-testid="stSidebar"][data-collapsed="false"] {width: 230px !important; min-width: 230px !important;}
[data-testid="stMetricValue"] {font-size: 1.5rem;}
/* Streamlit writes white on the primary colour, which on the dark page is a light blue. */
[data-testid^="stBaseButton-primary"]:enabled {color: light-dark(#FFFFFF, #0E0E10) !important;}
/* Texts of keywords may be formulas; what the download button writes is not escaped. */
[data-testid="stElementToolbarButton"]:has([aria-label^="Download as CSV"]) {display: none;}
.st-key-evidence [data-testid="stText"] {font-size: 0.875rem; line-height: 1.65;}
@media (max-width: 1400px) {
  .st-key-queue_body [data-testid="stHorizontalBlock"] {flex-wrap: wrap;}
  .st-key-queue_body [data-testid="stColumn"] {flex: 1 1 100%; min-width: 100%;}
}
</style>
"""


def language() -> Translator:
    """The language switched to, else the one in the address, else the browser's."""
    names = {name: code for code, name in LANGUAGES.items()}
    switched = st.session_state.get("lang") or st.query_params.get("lang")
    spoken = names.get(str(switched)) or pick_language(st.context.locale)
    return Translator(spoken, zone=_browser_zone())


def _browser_zone() -> ZoneInfo | None:
    """The zone of the visitor's clock; None where the browser does not tell, or one we do not know."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def draw_language_switch(words: Translator) -> None:
    """Both languages by their own names, kept in the address."""
    names = list(LANGUAGES.values())
    index = list(LANGUAGES).index(pick_language(st.context.locale))
    st.sidebar.selectbox("语言 / Language", names, index=index, key="lang", bind="query-params")


def draw_style() -> None:
    """Less blank above, evidence below the grid on narrow screens."""
    st.html(STYLE)


INK = {"light": "#595959", "dark": "#BDBDBD"}
"""Words in plots: Streamlit's own grey has a contrast of 3.7 on white."""


def ink() -> str:
    """The colour of words in plots, on the theme that the visitor sees."""
    return INK.get(str(st.context.theme.type), "#808080")


def draw_sidebar() -> None:
    """Account switch and how fresh its data are."""
    visit = session.current()
    records = workflows.accounts(visit.workspace, visit.actor)
    if not records:
        return
    names = [record.name for record in records]
    # Not bound by Streamlit, which leaves the first account out of the address: a link must go on
    # meaning the same account when another one comes before it.
    asked = st.query_params.get("account")
    index = names.index(asked) if asked in names else 0
    chosen = st.sidebar.selectbox(visit.words.text("Account"), names, index=index, key="account")
    if asked != chosen:
        st.query_params["account"] = chosen
    if asked is not None and asked not in names:
        told = "The address asks for account {asked}, which is not here. This is {account}."
        flash("warning", [visit.words.text(told, asked=asked, account=chosen)])
    session.choose(chosen, records[names.index(chosen)].currency)
    st.sidebar.caption(_freshness())


def _freshness() -> str:
    visit = session.current()
    batches = workflows.batches(visit.workspace, str(visit.account), visit.actor)
    if not batches:
        return visit.words.text("Nothing imported yet.")
    return visit.words.text(
        "Data downloaded {as_of:date}, imported {at}; {review}",
        as_of=batches[0].as_of,
        at=visit.words.moment(batches[0].imported_at),
        review=_review_day(),
    )


def _review_day() -> str:
    visit = session.current()
    try:
        summary = workflows.latest_summary(visit.workspace, str(visit.account), visit.actor)
    except NotFound:
        return visit.words.text("not reviewed yet.")
    return visit.words.text("reviewed as of {as_of:date}.", as_of=summary["as_of"])


def choice_in_address(
    label: str,
    options: Sequence[str],
    name: str,
    shown: Callable[[str], str],
    default: str | None = None,
) -> str:
    """A choice kept in the address as its code: the same link works in either language."""
    asked = st.query_params.get(name, default)
    key = f"{name}_{session.current().words.language}"
    return st.selectbox(
        label,
        options,
        index=options.index(asked if asked in options else default or options[0]),
        format_func=shown,
        key=key,
        on_change=_to_address,
        args=(name, key),
        width=190,
    )


def _to_address(name: str, key: str) -> None:
    st.query_params[name] = st.session_state[key]


def flash(level: Level, lines: Sequence[str]) -> None:
    """Keep a message for the next run, after which the page is drawn afresh."""
    st.session_state.setdefault(_FLASH, []).append((level, list(lines)))


def draw_flash() -> None:
    """Show, once, what the last action did."""
    for level, lines in st.session_state.pop(_FLASH, []):
        box = {"success": st.success, "warning": st.warning, "error": st.error}[level]
        box("  \n".join(literal(line) for line in lines))


def literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-!<>$~|:" else sign for sign in text)


def may(role: Role) -> bool:
    """Whether the visitor has the role on the account that is looked at."""
    visit = session.current()
    return visit.actor.may(role, visit.account)


def draw_needed(role: Role) -> None:
    """In the place of buttons that the visitor's role leaves out: which one it takes."""
    words = session.current().words
    told = words.text("To act here takes the role {role}.", role=words.code("role", role))
    st.caption(f":material/lock: {literal(told)}")


def read_reviewed(read: Callable[[Workspace, str, Actor], Found]) -> Found | None:
    """What `read` finds for the account chosen; None, with what to do first drawn, where it cannot."""
    visit = session.current()
    if visit.account is None:
        draw_first_steps()
        return None
    try:
        return read(visit.workspace, visit.account, visit.actor)
    except NotFound:
        draw_empty("This account was not reviewed yet.", "imports", "Import and review")
        draw_review_button()
        return None


def draw_review_button() -> None:
    """Review the account as far as its imports go, then to the suggestions; for those who may."""
    visit = session.current()
    if not may("operator") or not st.button(visit.words.text("Review now"), key="review_now"):
        return
    try:
        with st.spinner(visit.words.text("Reviewing")):
            workflows.review(visit.workspace, str(visit.account), actor=visit.actor)
    except OptimizerError as error:
        st.error(literal(visit.words.error(error)), icon=":material/error:")
        return
    flash("success", [visit.words.text("The account was reviewed.")])
    st.switch_page(_path("queue"))


def draw_first_steps() -> None:
    """A store without accounts: to the import, or to a demonstration, in one click."""
    draw_empty("There is no account yet. Import a report first.", "imports", "Go to Imports")
    draw_demonstration_offer()


def draw_demonstration_offer() -> None:
    """The synthetic account in one click, for those who may fill an empty store."""
    visit = session.current()
    if not visit.actor.may("operator"):
        return
    told = (
        "Or look around first: a synthetic account, imported and reviewed here, takes some minutes."
    )
    st.caption(visit.words.text(told))
    if st.button(visit.words.text("Load the demonstration"), key="demo", type="primary"):
        _load_demonstration()


def _load_demonstration() -> None:
    visit = session.current()
    try:
        with progress_bar() as tell:
            store, configs = folders()
            workflows.demo(store, configs, visit.actor, progress=tell)
        flash("success", [visit.words.text("The demonstration is loaded.")])
    except OptimizerError as error:
        flash("error", [visit.words.error(error)])
    st.rerun()


def draw_line(place: DeltaGenerator, value: float | None) -> None:
    """Λ as a card, with what it means."""
    words = session.current().words
    told = words.text(
        "Λ is what the next unit of money brings back here, after margin. Bids rise where they return "
        "more than it and fall where they return less."
    )
    place.metric(words.text("Λ, return of the next unit"), words.ratio(value), help=told)


def draw_empty(english: str, page: str, link: str) -> None:
    """Nothing to show: say what to do next, one click away."""
    st.info(session.current().words.text(english), icon=":material/info:")
    draw_link(page, link)


def draw_link(page: str, english: str) -> None:
    """The way to another page."""
    label = session.current().words.text(english)
    st.page_link(_path(page), label=label, icon=":material/arrow_forward:")


def _path(page: str) -> str:
    from optimizer.interfaces.web import __file__ as folder

    return folder.replace("__init__.py", f"{page}_page.py")
