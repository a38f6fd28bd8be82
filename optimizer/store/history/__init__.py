"""What reports said, read from Parquet through Ibis on DuckDB; the only folder that imports Ibis.

Every fact row is stamped (as_of, sequence). The newest stamp of a key (entity_key, first_day,
last_day) wins; a batch holds only rows that differ from what was known, and `*_seen` files hold the
keys it repeated unchanged. Money is integer micros in files and float64 currency in results.
"""

from optimizer.store.history.comparing import Comparison, compare
from optimizer.store.history.layout import (
    EXTRA_TYPES,
    FACTS,
    KEY,
    NEGATIVES_FILE,
    SEEN,
    STATE_TYPES,
    STATES,
    SUMS,
    HistoryFile,
    Window,
)
from optimizer.store.history.numbers import daily, extras, negatives, sums
from optimizer.store.history.states import bids_shown, newest_state, states, texts_shown
from optimizer.store.history.triangle import versions

__all__ = [
    "EXTRA_TYPES",
    "FACTS",
    "KEY",
    "NEGATIVES_FILE",
    "SEEN",
    "STATES",
    "STATE_TYPES",
    "SUMS",
    "Comparison",
    "HistoryFile",
    "Window",
    "bids_shown",
    "compare",
    "daily",
    "extras",
    "negatives",
    "newest_state",
    "states",
    "sums",
    "texts_shown",
    "versions",
]
