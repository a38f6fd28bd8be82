"""What a person must take back: rows that a file created and that no file can name without an id.

On Microsoft a negative deleted without its id deletes all of its ad group: such a row is never written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def with_rollback(
    name: str,
    write: Callable[[Sequence[Change]], bytes],
    done: Sequence[Change],
    undone: Sequence[Change],
) -> dict[str, bytes]:
    """The file, its rollback and, for what the file creates, `rollback_by_hand.csv`; none is empty."""
    files = {
        name: write(done),
        f"rollback_{name}": write([one for one in undone if one.action not in CREATED]),
        "rollback_by_hand.csv": _list_of([one for one in undone if one.action in CREATED]),
    }
    return {name: content for name, content in files.items() if content}


def _list_of(created: Sequence[Change]) -> bytes:
    return write_delimited(_LAYOUT, map(_cells, created))


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
