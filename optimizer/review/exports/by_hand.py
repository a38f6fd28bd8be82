"""What a person must take back: rows that a file created and that no file can name without an id.

On Microsoft a negative deleted without its id deletes all of its ad group: such a row is never written.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.review.exports.changes import CREATED, Change
from optimizer.review.exports.delimited import Cells, Layout, read_delimited, write_delimited
from optimizer.review.exports.people import as_written, inert

_LAYOUT = Layout(
    ("Remove", "Level", "Campaign", "Ad group", "Text", "Match type"),
    line_end="\r\n",
    encoding="utf-8-sig",
)
_SUBJECTS = {"remove_keyword": "keyword", "remove_negative": "negative keyword"}
_LEVELS = {"ad_group": "ad group"}


def by_hand_files(undone: Sequence[Change]) -> dict[str, bytes]:
    """`rollback_by_hand.csv`, where there is something in it."""
    created = [one for one in undone if one.action in CREATED]
    content = write_delimited(_LAYOUT, map(_cells, created))
    return {"rollback_by_hand.csv": content} if content else {}


def read_by_hand(content: bytes) -> list[Change]:
    """The edits of such a list."""
    return [_change(cells) for cells in read_delimited(_LAYOUT, content)]


def _cells(change: Change) -> Cells:
    return {
        "Remove": _SUBJECTS[change.action],
        "Level": _LEVELS.get(change.level, change.level),
        "Campaign": inert(change.campaign_name),
        "Ad group": "" if change.level == "campaign" else inert(change.ad_group_name),
        "Text": inert(change.keyword_text),
        "Match type": change.match_type.lower(),
    }


def _change(cells: Cells) -> Change:
    return Change(
        "remove_negative" if cells["Remove"] == _SUBJECTS["remove_negative"] else "remove_keyword",
        level=cells["Level"].replace(" ", "_"),
        campaign_name=as_written(cells["Campaign"]),
        ad_group_name=as_written(cells["Ad group"]),
        keyword_text=as_written(cells["Text"]),
        match_type=cells["Match type"].upper(),
    )
