"""Tables for people's spreadsheets: no text in them may start a formula."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def people_csv(rows: pd.DataFrame) -> str:
    """`rows` as CSV, texts that a spreadsheet would run behind an apostrophe (OWASP CSV injection).

    >>> print(people_csv(pd.DataFrame({"keyword": ["=1+1", "shoes"]})).splitlines()[1:])
    ["'=1+1", 'shoes']
    """
    return rows.map(_inert).to_csv(index=False)


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_STARTS) else value
