"""What an entry of the audit trail says, in words; the trail itself keeps it as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from optimizer.interfaces.locale import Translator

Known = Mapping[str, Any]
_JOIN = " · "
_STATES = ("decision", "delivery", "experiment")
"""Where the words for a state are: of a suggestion, of what was exported, of a bid test."""


def told_entry(words: Translator, detail: str) -> str:
    """What was decided or done, from what to what, why and until when; empty where that is all told.

    `detail` is the entry's JSON. Hashes and the like are left to it.
    """
    known = json.loads(detail)
    return _JOIN.join(part for tell in _TOLD for part in tell(words, known))


def _states(words: Translator, known: Known) -> Iterator[str]:
    states = [known[name] for name in ("from", "to", "state") if known.get(name)]
    if states:
        yield " → ".join(_state(words, each) for each in dict.fromkeys(states))


def _state(words: Translator, code: str) -> str:
    for context in _STATES:
        if words.has_code(context, code):
            return words.code(context, code)
    return code


def _amounts(words: Translator, known: Known) -> Iterator[str]:
    old, new = known.get("replaced_bid"), known.get("approved_bid")
    if old is not None and new is not None:
        yield words.text("from {old} to {new}", old=words.bid(old), new=words.bid(new))
    elif new is not None:
        yield words.text("at {bid}", bid=words.bid(new))
    if (seen := known.get("seen_value")) is not None:
        yield words.text("the report shows {bid}", bid=words.bid(seen))


def _why(words: Translator, known: Known) -> Iterator[str]:
    if reason := known.get("reason"):
        yield words.text("reason: {reason}", reason=words.code("rejection", str(reason)))
    if code := known.get("code"):
        yield words.code("delivery_code", code)
    if text := known.get("text"):
        yield str(text)
    if until := known.get("until"):
        yield words.text("until {until:date}", until=until)


def _slot(words: Translator, known: Known) -> Iterator[str]:
    if slot := known.get("slot"):
        yield words.code("slot", slot)


def _files(words: Translator, known: Known) -> Iterator[str]:
    if file := known.get("file"):
        yield str(file)
    if (kept := known.get("rows_kept")) is not None:
        changed = known.get("rows_changed")
        told = "{kept:whole} rows read, {changed:whole} of them new or different"
        yield words.text(told, kept=kept, changed=changed)
    if (rows := known.get("rows")) is not None:
        yield words.text("{rows:whole} rows", rows=rows)
    if files := known.get("files"):
        yield words.listing(files)
    if export := known.get("export_id"):
        yield words.text("in export {export}", export=str(export))


def _review(words: Translator, known: Known) -> Iterator[str]:
    if day := known.get("as_of"):
        yield words.text("as of {day:date}", day=day)
    if isinstance(counts := known.get("suggestions"), Mapping):
        yield words.listing({words.code("kind", kind): count for kind, count in counts.items()})
    if (moved := known.get("rewritten")) is not None:
        yield words.text("{rows:whole} suggestions moved", rows=len(moved))


def _test(words: Translator, known: Known) -> Iterator[str]:
    if (count := known.get("keywords")) is not None:
        yield words.text("{rows:whole} keywords", rows=count)
    if (week := known.get("week")) is not None:
        yield words.text("week {week:whole}", week=week)


def _rights(words: Translator, known: Known) -> Iterator[str]:
    if "account" in known:
        yield words.code("role", known.get("role"))
        yield known["account"] or words.text("every account")
    if ends := known.get("expires_at"):
        yield words.text("until {until:date}", until=ends)


def _opposite(words: Translator, known: Known) -> Iterator[str]:
    if by := known.get("by"):
        yield words.text("by suggestion {id}", id=str(by))


_TOLD: tuple[Callable[[Translator, Known], Iterator[str]], ...] = (
    *(_states, _amounts, _why, _slot, _files, _review, _test, _rights, _opposite),
)
