"""Defining, changing and ending a test of creatives on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.figures import from_percent, in_percent
from optimizer.interfaces.sentences import error_lines
from optimizer.interfaces.web import frame, session

METRICS = (
    *("profit_per_impression", "ctr", "cvr", "value_per_click"),
    *("value_per_impression", "cpa"),
)
MODES = ("earn", "find", "top_two")
ROTATIONS = ("platform", "even_rotation", "randomised")


def draw_form(tests: list[workflows.DefinedTest], chosen: str | None) -> None:
    """A new test, or the one that is looked at where it was defined here."""
    if not frame.may("operator"):
        frame.draw_needed("operator")
        return
    words = session.current().words
    own = {one.test.name: one for one in tests if one.version is not None}
    known = own.get(chosen or "")
    with st.expander(words.text("Define a test")):
        _draw_fields(None)
    if known is not None:
        with st.expander(words.text("Change or end {test}", test=known.test.name)):
            _draw_fields(known)
            _draw_end(known)


def _draw_end(known: workflows.DefinedTest) -> None:
    """A button behind a question: what an end would do."""
    words = session.current().words
    with st.popover(words.text("End this test"), icon=":material/stop_circle:", key="ask_end"):
        told = words.text(
            "Ends {test} with the last day that reports tell of. What it found stays readable; "
            "nothing more is suggested for it.",
            test=known.test.name,
        )
        st.text(told)
        if st.button(words.text("End it now"), key="end_test"):
            _end(known)


def _draw_fields(known: workflows.DefinedTest | None) -> None:
    visit = session.current()
    creatives = workflows.known_creatives(visit.workspace, str(visit.account), visit.actor)
    if creatives.empty:
        frame.draw_empty("No report of creatives was imported yet.", "imports", "Go to Imports")
        return
    told = {} if known is None else known.test.model_dump()
    mark = "new" if known is None else f"{known.test.name} {known.version}"
    place = _draw_place(creatives, told, mark)
    rest = _draw_rest(told, mark)
    label = visit.words.text("Define" if known is None else "Change")
    if st.button(label, key=f"save {mark}", type="primary"):
        _save({**place, **rest}, None if known is None else known.version)


def _draw_place(creatives: pd.DataFrame, told: dict[str, Any], mark: str) -> dict[str, Any]:
    """Name, campaign, ad group and the creatives compared."""
    words = session.current().words
    name = st.text_input(
        words.text("Name"), told.get("name", ""), key=f"name {mark}", disabled=bool(told)
    )
    campaigns = sorted(creatives["campaign_name"].unique())
    campaign = st.selectbox(
        words.text("Campaign"),
        campaigns,
        index=_index(campaigns, told.get("campaign")),
        key=f"campaign {mark}",
    )
    inside = creatives[creatives["campaign_name"].eq(campaign)]
    groups = sorted(inside["ad_group_name"].dropna().unique())
    group = st.selectbox(
        words.text("Ad group"),
        [None, *groups],
        index=_index([None, *groups], told.get("ad_group")),
        format_func=lambda one: words.text("All") if one is None else one,
        key=f"group {mark}",
    )
    own = inside if group is None else inside[inside["ad_group_name"].eq(group)]
    ids = own["creative_id"].fillna(own["creative_name"])
    names = told_apart(dict(zip(ids, own["creative_name"], strict=True)))
    arms = st.multiselect(
        words.text("Creatives compared"),
        list(names),
        default=[one for one in told.get("arms", ()) if one in names],
        format_func=names.__getitem__,
        placeholder=words.text("All"),
        key=f"arms {mark}",
    )
    return {"name": name.strip(), "campaign": campaign, "ad_group": group, "arms": arms}


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Names by id; the id beside those that several have."""
    count = Counter(names.values())
    return {key: f"{name} ({key})" if count[name] > 1 else name for key, name in names.items()}


def _draw_rest(told: dict[str, Any], mark: str) -> dict[str, Any]:
    """How the test is judged and served, and how long."""
    words = session.current().words
    left, right = st.columns(2)
    with left:
        metric = _choice("Metric", "creative_metric", METRICS, told.get("metric"), mark)
        mode = _choice("Mode", "creative_mode", MODES, told.get("mode"), mark)
        start = st.date_input(words.text("First day"), told.get("start"), key=f"start {mark}")
        label = words.text("Part of impressions spread while earning")
        floor = _share(label, told.get("floor", 0.1), (0.0, 90.0), f"floor {mark}")
    with right:
        rotation = _choice(
            "Who chooses", "creative_rotation", ROTATIONS, told.get("rotation"), mark
        )
        label = words.text("Smallest difference worth finding")
        known = told.get("minimum_effect", 0.15)
        effect = _share(label, known, (1.0, 500.0), f"effect {mark}")
        end = st.date_input(words.text("Last day"), told.get("end"), key=f"end {mark}")
        claims = st.checkbox(
            words.text("Keep a fifth for each creative, so that a winner can be claimed"),
            bool(told.get("claims_wanted", False)),
            key=f"claims {mark}",
        )
    return {
        **{"metric": metric, "mode": mode, "rotation": rotation, "floor": floor},
        **{"minimum_effect": effect, "claims_wanted": claims, "split": told.get("split", {})},
        **{"start": _day(start), "end": _day(end)},
    }


def _share(label: str, known: float, ends: tuple[float, float], key: str) -> float:
    """A share, entered as a percentage between `ends`."""
    told = st.number_input(f"{label} (%)", *ends, in_percent(known), 1.0, format="%.4g", key=key)
    return from_percent(told)


def _choice(label: str, context: str, codes: tuple[str, ...], known: str | None, mark: str) -> str:
    words = session.current().words
    return st.selectbox(
        words.text(label),
        codes,
        index=_index(list(codes), known),
        format_func=lambda code: words.code(context, code),
        key=f"{label} {mark}",
    )


def _index(options: list[Any], known: Any) -> int:
    return options.index(known) if known in options else 0


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) else None


def _save(definition: dict[str, Any], version: int | None) -> None:
    visit = session.current()
    try:
        found = workflows.define_creative_test(
            visit.workspace, str(visit.account), definition, visit.actor, version
        )
    except OptimizerError as error:
        st.error("  \n".join(frame.literal(line) for line in error_lines(visit.words, error)))
        return
    _told(found)


def _end(known: workflows.DefinedTest) -> None:
    visit = session.current()
    try:
        found = workflows.end_creative_test(
            visit.workspace, str(visit.account), known.test.name, visit.actor, known.version
        )
    except OptimizerError as error:
        st.error("  \n".join(frame.literal(line) for line in error_lines(visit.words, error)))
        return
    _told(found)


def _told(found: workflows.DefinedTest) -> None:
    words = session.current().words
    stored = words.text("Test {test} is stored.", test=found.test.name)
    frame.flash("success", [stored, words.text("Its suggestions come with the next review.")])
    st.rerun()
