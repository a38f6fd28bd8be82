"""What a market's days leave behind: counts per search term, and orders."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from optimizer.tables import MICROS

NEVER = -1
CENT_MICROS = MICROS // 100


@dataclass(frozen=True)
class TermDays:
    """One entry per search term and day with an impression, sorted by day, then term.

    `day` counts from the market's first day; `eligible` are searches we could have been shown in;
    `chance` is the truth about orders per click of that day, which no report shows.
    """

    day: np.ndarray
    term: np.ndarray
    eligible: np.ndarray
    impressions: np.ndarray
    clicks: np.ndarray
    cost_micros: np.ndarray
    chance: np.ndarray

    def shown(self) -> TermDays:
        """The entries with an impression."""
        kept = self.impressions > 0
        return TermDays(*(getattr(self, part.name)[kept] for part in fields(self)))


@dataclass(frozen=True)
class OrderRecords:
    """One entry per order: click day, term, days until known, our share of it, value of that share.

    `credit` is 1 or less; `refund_after` is days from being known to being taken back, or NEVER.
    """

    day: np.ndarray
    term: np.ndarray
    delay: np.ndarray
    credit: np.ndarray
    value_micros: np.ndarray
    refund_after: np.ndarray

    def counted(self, horizon: int) -> np.ndarray:
        """Which orders a report shows that knows all days before `horizon`."""
        known = self.day + self.delay
        taken_back = (self.refund_after != NEVER) & (known + self.refund_after < horizon)
        counted: np.ndarray = (known < horizon) & ~taken_back
        return counted
