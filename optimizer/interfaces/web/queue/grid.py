"""The editable grid: one row per suggestion, indexed by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from optimizer.interfaces.figures import with_figures
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark
from optimizer.interfaces.web.queue.pinned import Pinned

WHY_CLICK = "why_click"
_TABLE = "_grid_table"
ROW_HEIGHT = 35
GRID_HEIGHT = 560


@dataclass(frozen=True)
class Choice:
    """What the operator ticked and edited: (id, version) pairs, and bids by id.

    `bids` are those of ticked rows, `edits` all.
    """

    refs: tuple[tuple[str, int], ...]
    bids: Mapping[str, float]
    edits: Mapping[str, float]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the ticked rows."""
        return tuple(identity for identity, _ in self.refs)


NOTHING = Choice((), {}, {})


def draw_grid(words: Translator, view: Pinned) -> Choice:
    """Draw the list and return what was chosen in it, read back by id."""
    table = _table_of(words, view)
    editable = {"pick", "new_bid"}
    edited = st.data_editor(
        table,
        key=view.key,
        height=min(GRID_HEIGHT, ROW_HEIGHT * (len(table) + 1) + 3),
        row_height=ROW_HEIGHT,
        hide_index=True,
        num_rows="fixed",
        disabled=[name for name in table.columns if name not in editable],
        column_config=_columns(words),
        placeholder="–",
        alt=words.text("Suggestions"),
    )
    return chosen(view.rows, edited)


def _table_of(words: Translator, view: Pinned) -> pd.DataFrame:
    """The grid's table, made once for a list: of tens of thousands it takes a second."""
    kept = st.session_state.get(_TABLE)
    if kept is None or kept[0] != (view.key, words.language, words.currency):
        kept = ((view.key, words.language, words.currency), grid_table(words, view.rows))
        st.session_state[_TABLE] = kept
    table: pd.DataFrame = kept[1]
    return table


def grid_table(words: Translator, rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of the grid, indexed by suggestion id; `share` only where a creative has one."""
    rows = with_figures(words, rows)
    offered = rows["approved_bid"].fillna(rows["proposed_bid"])
    table = pd.DataFrame(
        {
            "pick": False,
            "why": ":material/query_stats:",
            "keyword": rows["keyword_text"],
            "action": _told(rows["kind"], lambda kind: f"{mark(kind)} {words.code('kind', kind)}"),
            "bid": rows["bid"],
            "new_bid": offered,
            "share": rows["share"],
            "change": 100 * (offered / rows["bid"] - 1),
            "delta_cost": rows["delta_cost"],
            "delta_profit": rows["delta_profit_mean"],
            "interval": _intervals(rows),
            "p": 100 * rows["p_positive"],
            "match": _told(rows["match_type"], partial(words.code, "match")),
            "campaign": rows["campaign_name"],
            "ad_group": rows["ad_group_name"],
            "reason": _told(rows["reason"], words.reason),
            "conflicts": _conflict_texts(words, rows),
            "decision": _told(rows["decision"], partial(words.code, "decision")),
            "exported": _told(rows["last_delivery"], partial(words.code, "delivery")),
        }
    )
    table = table if rows["share"].notna().any() else table.drop(columns="share")
    table = table if "conflicts" in rows.columns else table.drop(columns="conflicts")
    return table.set_axis(pd.Index(rows["id"], name="id"), axis="index")


def _told(codes: pd.Series[str], tell: Callable[[str], str]) -> pd.Series[str]:
    """Codes in words, null where there is none; each of the few is told once."""
    return codes.map({code: tell(code) for code in codes.dropna().unique()})


def chosen(rows: pd.DataFrame, edited: pd.DataFrame) -> Choice:
    """Ticks and edited bids of `edited` by id; the versions are those on screen."""
    shown = rows.set_index("id")
    ticked = edited.index[edited["pick"].astype(bool)]
    before = shown["approved_bid"].fillna(shown["proposed_bid"])
    after = edited["new_bid"].astype("float64")
    changed = after.notna() & (after != before.reindex(edited.index))
    versions = shown.loc[ticked, "version"].astype(int)
    edits = {str(identity): float(bid) for identity, bid in after[changed].items()}
    refs = tuple(zip(ticked.astype(str), versions, strict=True))
    return Choice(refs, {id_: edits[id_] for id_, _ in refs if id_ in edits}, edits)


def clicked_why(view: Pinned) -> str | None:
    """The id whose why-button was just pressed."""
    click = st.session_state.get(WHY_CLICK)
    return None if click is None else str(view.rows["id"].iloc[click["row"]])


def _conflict_texts(words: Translator, rows: pd.DataFrame) -> pd.Series[str]:
    codes = rows["conflicts"] if "conflicts" in rows.columns else [()] * len(rows)
    texts = [" · ".join(words.code("conflict_short", code) for code in each) for each in codes]
    return pd.Series(texts, index=rows.index, dtype="str")


def _intervals(rows: pd.DataFrame) -> pd.Series[str]:
    ends = zip(rows["delta_profit_low"], rows["delta_profit_high"], strict=True)
    texts = [
        None if low != low else f"{low:+.2f} … {high:+.2f}".replace("-", "−") for low, high in ends
    ]
    return pd.Series(texts, index=rows.index, dtype="str")


def _columns(words: Translator) -> dict[str, Any]:
    column = st.column_config
    text = words.text
    return {
        "pick": column.CheckboxColumn("✓", pinned=True, width=56),
        "why": column.ButtonColumn(
            text("Why"), pinned=True, width=48, type="tertiary", key=WHY_CLICK
        ),
        "keyword": column.TextColumn(text("Keyword"), pinned=True, width=215),
        "action": column.TextColumn(text("Action"), width=112),
        "bid": column.NumberColumn(text("Bid now"), format="%.2f", width=70),
        "new_bid": column.NumberColumn(
            text("New bid"),
            format="%.2f",
            width=88,
            min_value=0.0,
            help=text("Edit the bid here before approving."),
        ),
        "share": column.TextColumn(text("Share of impressions"), width=110),
        "change": column.NumberColumn(
            "Δ %",
            format="%+.0f%%",
            width=56,
            help=text("The new bid against the present one, in per cent."),
        ),
        "delta_cost": column.NumberColumn(text("Δ cost/day"), format="%+.2f", width=80),
        "delta_profit": column.NumberColumn(text("Δ profit/day"), format="%+.2f", width=86),
        "interval": column.TextColumn(
            "80 %",
            width=110,
            help=text("With 80 % probability the change of profit per day lies between these two."),
        ),
        "p": column.NumberColumn(
            "P(Δ>0)", format="%.0f%%", width=64, help=text("How likely it is that profit rises.")
        ),
        "match": column.TextColumn(text("Match"), width=70),
        "campaign": column.TextColumn(text("Campaign"), width=171),
        "ad_group": column.TextColumn(text("Ad group"), width=110),
        "reason": column.TextColumn(text("Reason"), width=230),
        "conflicts": column.TextColumn(text("Stands against"), width=260),
        "decision": column.TextColumn(text("Decision"), width=90),
        "exported": column.TextColumn(
            text("Last export"),
            width=110,
            help=text("What became of the last export for this keyword, by the reports since."),
        ),
    }
