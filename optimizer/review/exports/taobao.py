"""Taobao 直通车 / 万相台: the change list, and for a program of the shop's own the documented API calls.

`taobao.simba.keyword.update` sets a keyword's bid and nothing else, twenty a call. The older
`taobao.simba.keywords.pricevon.set` also sets match type and mobile bid, so it is not used. New
keywords go through `taobao.simba.keywordsvon.add`. Prices are whole fen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, islice
from typing import Any

import pandas as pd

from optimizer.review.exports.amounts import whole_units
from optimizer.review.exports.change_list import TAOBAO
from optimizer.review.exports.changes import Change, edits
from optimizer.review.exports.checks import require_none
from optimizer.review.exports.rows import Refusal
from optimizer.settings import BidLimit

FEN = Decimal("0.01")
PER_CALL = 20
_SCOPES = {"EXACT": 1, "BROAD": 4}


def refusals(rows: pd.DataFrame, limit: BidLimit) -> list[Refusal]:
    """Every reason why a row cannot be written, row by row; empty when all can."""
    return TAOBAO.refusals(rows, limit)


def write_bulk_upload(rows: pd.DataFrame, limit: BidLimit) -> dict[str, bytes]:
    """The change list with all edits, its rollback, and `api.json` with those that the API takes.

    Calls are written only where every keyword they concern has a numeric id. Word packages,
    negatives, pauses and budgets are in the list alone. Raises `Conflict` `rows_refused`.
    """
    require_none(refusals(rows, limit))
    done, undone = edits(rows, limit)
    calls = {"api.json": _calls(done), "rollback_api.json": _calls(undone)}
    return TAOBAO.files(done, undone) | {
        name: content for name, content in calls.items() if content
    }


def read_changes(files: Mapping[str, bytes]) -> list[Change]:
    """The edits of the change list; the API's calls repeat some of them."""
    return TAOBAO.read_changes(files)


def read_calls(content: bytes) -> list[Change]:
    """The edits of `api.json`."""
    found: list[Change] = []
    for call in json.loads(content)["calls"]:
        found += _read_call(call)
    return found


def _calls(changes: Sequence[Change]) -> bytes:
    bids = [one for one in changes if one.action in ("set_bid", "clear_bid") and _is_word(one)]
    adds = [one for one in changes if one.action == "add_keyword" and one.value is not None]
    ids = [text for one in bids for text in (one.keyword_id, one.ad_group_id)]
    ids += [one.ad_group_id for one in adds]
    whole = all((one.value or FEN) % FEN == 0 for one in (*bids, *adds))
    if not ids or not whole or not all(text.isascii() and text.isdigit() for text in ids):
        return b""
    calls = [*_updates(bids), *_additions(adds)]
    return (json.dumps({"calls": calls}, ensure_ascii=False, indent=1) + "\n").encode()


def _is_word(change: Change) -> bool:
    return change.target_type in ("", "keyword")


def _updates(bids: Sequence[Change]) -> Iterator[dict[str, Any]]:
    ordered = sorted(bids, key=lambda one: (int(one.ad_group_id), int(one.keyword_id)))
    for together in _calls_of(ordered):
        words = [
            {
                "id": int(one.keyword_id),
                "adgroup_id": int(one.ad_group_id),
                "mobile_bid_price": _fen(one),
            }
            for one in together
        ]
        yield {"method": "taobao.simba.keyword.update", "bidwords": words}


def _additions(adds: Sequence[Change]) -> Iterator[dict[str, Any]]:
    ordered = sorted(adds, key=lambda one: (int(one.ad_group_id), one.keyword_text))
    for group, words in groupby(ordered, lambda one: int(one.ad_group_id)):
        for together in _calls_of(words):
            yield {
                "method": "taobao.simba.keywordsvon.add",
                "adgroup_id": group,
                "keyword_prices": [_addition(one) for one in together],
            }


def _calls_of(changes: Iterable[Change]) -> Iterator[tuple[Change, ...]]:
    """As many as one call takes, until none is left."""
    left = iter(changes)
    while together := tuple(islice(left, PER_CALL)):
        yield together


def _addition(change: Change) -> dict[str, Any]:
    return {
        "word": change.keyword_text,
        "maxPrice": _fen(change),
        "maxMobilePrice": _fen(change),
        "matchScope": _SCOPES[change.match_type],
    }


def _fen(change: Change) -> int:
    if change.value is None:
        raise ValueError(f"no bid for {change.keyword_text}")
    return whole_units(change.value, FEN)


def _read_call(call: Mapping[str, Any]) -> list[Change]:
    if "bidwords" in call:
        return [
            Change(
                "set_bid",
                keyword_id=str(one["id"]),
                ad_group_id=str(one["adgroup_id"]),
                value=one["mobile_bid_price"] * FEN,
            )
            for one in call["bidwords"]
        ]
    scopes = {scope: name for name, scope in _SCOPES.items()}
    return [
        Change(
            "add_keyword",
            ad_group_id=str(call["adgroup_id"]),
            keyword_text=one["word"],
            match_type=scopes[one["matchScope"]],
            value=one["maxPrice"] * FEN,
        )
        for one in call["keyword_prices"]
    ]
