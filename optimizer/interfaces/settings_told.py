"""Settings, rights and the audit trail as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from optimizer.interfaces.audit_words import told_entry
from optimizer.interfaces.locale import Translator
from optimizer.workflows import InForce

SHARES = frozenset(
    {
        *("margin", "refund_rate", "brand_incrementality", "step_limit", "assumed_step_limit"),
        *("dead_band", "min_probability", "pause_probability", "add_probability"),
        *("negative_probability", "capped_share", "outage_probability", "budget_step_limit"),
        *("target_step_limit", "learning_loss", "cost_share", "dither", "shared_share"),
    }
)
"""Settings that are told in per cent; their files hold fractions of one."""
LOCK_COLUMNS = ("keyword_text", "match_type", "campaign_name", "ad_group_name", "slots")
AUDIT_COLUMNS = ("sequence", "at", "actor", "role", "account", "action", "subject", "detail")


def setting_rows(words: Translator, found: InForce, section: str) -> pd.DataFrame:
    """Setting, its key, its value in words, and whether its file states it."""
    rows = [
        {
            words.text("Setting"): words.code("setting", each.key),
            words.text("Key"): each.key,
            words.text("Set to"): _told_setting(words, each.key, each.value),
            words.text("From"): words.text("the file") if each.stated else words.text("default"),
        }
        for each in found.settings
        if each.section == section
    ]
    return pd.DataFrame(rows)


def _told_setting(words: Translator, key: str, value: Any) -> str:
    """A share as a percentage, a code in words with what the file says, others as `told_value`."""
    if key in SHARES and isinstance(value, int | float):
        return words.percent(value, 2)
    if isinstance(value, str) and (told := words.code("setting_value", value)) != value:
        return f"{told} ({value})"
    return told_value(words, value)


def told_value(words: Translator, value: Any) -> str:
    """A setting's value: lists and mappings as in their file, nothing as a dash."""
    if isinstance(value, Mapping):
        parts = [f"{key}: {told_value(words, each)}" for key, each in value.items()]
        return "; ".join(part for part in parts if not part.endswith(": –")) or "–"
    if isinstance(value, list):
        return " | ".join(told_value(words, each) for each in value) or "–"
    return words.plain(value)


def lock_rows(words: Translator, found: pd.DataFrame) -> pd.DataFrame:
    """What is locked, by name where it has one, else by its key."""
    shown = found.assign(
        keyword_text=found["keyword_text"].fillna(found["entity_key"]),
        match_type=found["match_type"].map(partial(words.code, "match"), na_action="ignore"),
        slots=[words.listing(_slots(words, each)) for each in found["slots"]],
    )
    names = {name: words.heading("column", name) for name in LOCK_COLUMNS}
    return shown[list(LOCK_COLUMNS)].rename(columns=names | {"slots": words.text("Locked")})


def lock_names(found: pd.DataFrame) -> dict[str, str]:
    """Each locked key with all that tells it from others: text, campaign and ad group."""
    parts = found[["keyword_text", "campaign_name", "ad_group_name"]].astype(object)
    told = [" · ".join(str(one) for one in row if pd.notna(one)) for row in parts.to_numpy()]
    return {key: name or key for key, name in zip(found["entity_key"], told, strict=True)}


def _slots(words: Translator, slots: Sequence[str]) -> list[str]:
    return [words.code("slot", each) for each in slots]


def audit_between(
    rows: pd.DataFrame,
    zone: str,
    *,
    who: str | None = None,
    what: str | None = None,
    first: date | None = None,
    last: date | None = None,
    text: str = "",
) -> pd.DataFrame:
    """Audit rows of one person, one kind of act, some days of the zone, or whose texts hold `text`.

    Newest first; `at` is a time of the zone, `last` counts as a whole day.
    """
    local = rows.assign(at=rows["at"].dt.tz_convert(ZoneInfo(zone)))
    keep = pd.Series(True, index=local.index)
    days = local["at"].dt.tz_localize(None).dt.normalize()
    if who is not None:
        keep &= local["actor"].eq(who)
    if what is not None:
        keep &= local["action"].eq(what)
    if first is not None:
        keep &= days >= pd.Timestamp(first)
    if last is not None:
        keep &= days <= pd.Timestamp(last)
    if text:
        found = [
            local[name].astype(str).str.contains(text, case=False, regex=False)
            for name in ("subject", "detail", "actor")
        ]
        keep &= found[0] | found[1] | found[2]
    return local[keep].iloc[::-1].reset_index(drop=True)


def audit_rows(
    words: Translator, rows: pd.DataFrame, names: Mapping[str, str], stored: bool = False
) -> pd.DataFrame:
    """The trail in words, times as `audit_between` left them, and beside it the detail as `stored`.

    `names` are those of subjects that have one; others are told by their id.
    """
    zone = rows["at"].dt.tz
    sentences = {each: told_entry(words, each) for each in rows["detail"].unique()}
    shown = rows[list(AUDIT_COLUMNS)].assign(
        at=[words.moment(each, zone) for each in rows["at"]],
        action=[words.code("action", each) for each in rows["action"]],
        role=[words.code("role", each) for each in rows["role"]],
        subject=[names.get(each, each) for each in rows["subject"]],
        detail=rows["detail"].map(sentences),
    )
    shown = shown.rename(columns=lambda name: words.heading("column", name))
    return shown.assign(**{words.text("As stored"): rows["detail"]}) if stored else shown


def subject_names(words: Translator, suggestions: pd.DataFrame) -> dict[str, str]:
    """What is suggested for what, by the suggestion's id."""
    kinds = {each: words.code("kind", each) for each in suggestions["kind"].unique()}
    told = suggestions["keyword_text"].astype(str) + " · " + suggestions["kind"].map(kinds)
    return dict(zip(suggestions["id"].astype(str), told, strict=True))


def grant_rows(words: Translator, found: Sequence[Any]) -> pd.DataFrame:
    """Roles of people."""
    rows = [
        (
            each.person,
            _where(words, each.account),
            words.code("role", each.role),
            words.moment(each.granted_at),
            each.granted_by,
        )
        for each in found
    ]
    names = ("Person", "Account", "Role", "Since", "By")
    return pd.DataFrame(rows, columns=[words.text(name) for name in names])


def token_rows(words: Translator, found: Sequence[Any], now: datetime) -> pd.DataFrame:
    """Tokens as they stand `now`, revoked ones too; never their secrets."""
    rows = [
        (
            each.name,
            _where(words, each.account),
            words.code("role", each.role),
            words.moment(each.created_at),
            each.created_by,
            words.moment(each.revoked_at or each.expires_at),
            _standing(words, each, now),
        )
        for each in found
    ]
    names = ("Token", "Account", "Role", "Since", "By", "Until", "State")
    return pd.DataFrame(rows, columns=[words.text(name) for name in names])


def _where(words: Translator, account: str | None) -> str:
    return account or words.text("every account")


def _standing(words: Translator, token: Any, now: datetime) -> str:
    if token.revoked_at is not None:
        return words.text("revoked")
    expired = token.expires_at is not None and token.expires_at <= now
    return words.code("decision", "expired") if expired else words.text("valid")
