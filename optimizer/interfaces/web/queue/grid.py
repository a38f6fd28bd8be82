"""The editable grid: one row per suggestion, indexed by its id."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from optimizer.interfaces.figures import with_figures
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.marks import mark
from optimizer.interfaces.web.queue.choice import NOTHING, Choice, offered
from optimizer.interfaces.web.queue.remembered import remembered
from optimizer.interfaces.web.queue.window import Window

# Through the reason it all shows at 1280 pixels; in Chinese a reason is short.
KEYWORD_WIDTH, REASON_WIDTH = {"en": 142, "zh": 176}, {"en": 208, "zh": 174}
ROW_HEIGHT = 35
GRID_HEIGHT = 560


def draw_grid(words: Translator, shown: Window) -> Choice:
    """Draw the rows on screen; what is chosen in the whole list, read back by id."""
    made_for = (shown.key, words.language, words.currency)
    table = remembered("_grid", made_for, lambda: grid_table(words, shown.rows, shown.before))
    editable = {"pick", "new_bid"}
    st.data_editor(
        table,
        key=shown.key,
        height=min(GRID_HEIGHT, ROW_HEIGHT * (len(table) + 1) + 3),
        row_height=ROW_HEIGHT,
        hide_index=True,
        num_rows="fixed",
        disabled=[name for name in table.columns if name not in editable],
        column_config=_columns(words, shown),
        placeholder="–",
        alt=words.text("Suggestions"),
    )
    return shown.choice


def grid_table(words: Translator, rows: pd.DataFrame, before: Choice = NOTHING) -> pd.DataFrame:
    """The columns of the grid, indexed by suggestion id, ticked and edited as `before` says.

    `share` and `conflicts` only where the rows have any.
    """
    rows = with_figures(words, rows)
    proposed = offered(rows)
    table = pd.DataFrame(
        {
            "pick": rows["id"].isin(before.ids),
            "why": ":material/query_stats:",
            "keyword": rows["keyword_text"],
            "action": _told(rows["kind"], lambda kind: f"{mark(kind)} {words.code('kind', kind)}"),
            "bid": rows["bid"],
            "new_bid": rows["id"].map(before.edits).astype("float64").fillna(proposed),
            "share": rows["share"],
            "change": 100 * (proposed / rows["bid"] - 1),
            "delta_cost": rows["delta_cost"],
            "delta_profit": rows["delta_profit_mean"],
            "interval": _intervals(rows),
            "reason": _told(rows["reason"], words.reason),
            "conflicts": _conflict_texts(words, rows),
            "p": 100 * rows["p_positive"],
            "match": _told(rows["match_type"], partial(words.code, "match")),
            "campaign": rows["campaign_name"],
            "ad_group": rows["ad_group_name"],
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


def clicked_why(shown: Window) -> str | None:
    """The id whose why-button in this grid was just pressed."""
    click = st.session_state.get(_why_key(shown))
    return None if click is None else str(shown.rows["id"].iloc[click["row"]])


def _why_key(shown: Window) -> str:
    # Of one grid alone: a click on rows that have just left the screen must not open another's.
    return f"why_{shown.key}"


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


def _columns(words: Translator, shown: Window) -> dict[str, Any]:
    column = st.column_config
    text = words.text
    return {
        "pick": column.CheckboxColumn("✓", pinned=True, width=44),
        "why": column.ButtonColumn(
            text("Why"), pinned=True, width=40, type="tertiary", key=_why_key(shown)
        ),
        "keyword": column.TextColumn(
            text("Keyword"), pinned=True, width=KEYWORD_WIDTH[words.language]
        ),
        "action": column.TextColumn(text("Action"), width=82),
        "bid": column.NumberColumn(text("Bid now"), format="%.2f", width=72),
        "new_bid": column.NumberColumn(
            text("New bid"),
            format="%.2f",
            width=84,
            min_value=0.0,
            help=text("Edit the bid here before approving."),
        ),
        "share": column.TextColumn(text("Share of impressions"), width=110),
        "change": column.NumberColumn(
            "Δ %",
            format="%+.0f%%",
            width=48,
            help=text("The new bid against the present one, in per cent."),
        ),
        "delta_cost": column.NumberColumn(text("Δ cost/day"), format="%+.2f", width=74),
        "delta_profit": column.NumberColumn(text("Δ profit/day"), format="%+.2f", width=82),
        "interval": column.TextColumn(
            "80 %",
            width=106,
            help=text("With 80 % probability the change of profit per day lies between these two."),
        ),
        "reason": column.TextColumn(text("Reason"), width=REASON_WIDTH[words.language]),
        "conflicts": column.TextColumn(text("Stands against"), width=260),
        "p": column.NumberColumn(
            "P(Δ>0)", format="%.0f%%", width=64, help=text("How likely it is that profit rises.")
        ),
        "match": column.TextColumn(text("Match"), width=70),
        "campaign": column.TextColumn(text("Campaign"), width=171),
        "ad_group": column.TextColumn(text("Ad group"), width=110),
        "decision": column.TextColumn(text("Decision"), width=90),
        "exported": column.TextColumn(
            text("Last export"),
            width=110,
            help=text("What became of the last export for this keyword, by the reports since."),
        ),
    }
