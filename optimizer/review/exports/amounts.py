"""Amounts of money and targets as exact decimals; no float reaches a file."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

MICRO = Decimal("0.000001")
PERCENT_DIGITS = Decimal("0.0001")
"""The finest share a file states: a hundredth of a percent."""


def on_step(value: float | None, step: Decimal) -> Decimal | None:
    """The amount as an exact multiple of `step`, or None when it is not one (or unknown).

    Floats carry noise far below a step (0.30000000000000004); more than a millionth of a step is
    a different amount and is never rounded away quietly.
    """
    if value is None or pd.isna(value):
        return None
    stated = Decimal(repr(float(value)))
    nearest = (stated / step).to_integral_value() * step
    return nearest.quantize(step) if abs(stated - nearest) <= step / 1_000_000 else None


def exact(value: float | None, step: Decimal) -> Decimal | None:
    """The amount on its step, else as the report stated it, to a millionth; None where unknown.

    Only amounts to be restored may lie off the step: new ones are refused before.
    """
    if value is None or pd.isna(value):
        return None
    stated = Decimal(repr(float(value))).quantize(MICRO).normalize()
    return on_step(value, step) or stated


def plain(amount: Decimal | None) -> str:
    """1.30, 97, 0.000001: never an exponent; "" where there is none."""
    return "" if amount is None else f"{amount:f}"


def percent(ratio: Decimal) -> str:
    """3.4 as 340%."""
    return f"{(ratio * 100).normalize():f}%"


def ratio_of(text: str) -> Decimal:
    """340% as 3.4."""
    return Decimal(text.removesuffix("%")) / 100


def amount_of(text: str) -> Decimal | None:
    """The amount that a cell states; None where it is blank."""
    return Decimal(text) if text else None


def whole_units(amount: Decimal, unit: Decimal) -> int:
    """How many of the smallest unit it is (1.37 yuan: 137 fen). Raises `ValueError` for a remainder."""
    count = amount / unit
    if count != count.to_integral_value():
        raise ValueError(f"{amount} is no multiple of {unit}")
    return int(count)
