"""One language's words and number formats."""

from __future__ import annotations

import locale as system_locale
import math
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from string import Formatter
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent, get_currency_precision

from optimizer.errors import OptimizerError
from optimizer.interfaces.locale.catalogue import catalogue
from optimizer.interfaces.locale.templates import MISSING, Template

LANGUAGES: Mapping[str, str] = {"zh": "中文", "en": "English"}
_ONE = re.compile(r"(?<![\w.,])1 (order|click|day|keyword|bid|word|row|file|suggestion)s\b")
"""English counts of one; sentences are written for several."""
_LOCALES = {"zh": "zh_Hans_CN", "en": "en_US"}


def pick_language(asked: str | None = None) -> str:
    """`asked`, a locale name such as zh-CN, or the environment's language; English when unsure."""
    names = [asked, os.environ.get("LC_ALL"), os.environ.get("LANG"), system_locale.getlocale()[0]]
    first = next((name for name in names if name), "en")
    return "zh" if first.lower().startswith("zh") else "en"


class Translator:
    """Text, codes and values in one language; money in `currency` unless a call names another.

    `zone` is that of the reader's clock, if it is known.
    """

    def __init__(
        self, language: str, currency: str | None = None, zone: tzinfo | None = None
    ) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.currency = currency
        self.zone = zone
        self._locale = Locale.parse(_LOCALES[self.language])
        self._words = catalogue(self.language)

    def text(self, english: str, **fields: Any) -> str:
        """`english` in this language, fields filled in."""
        told = self._fill(self._words.get(("", english), english), fields)
        return _ONE.sub(r"1 \1", told) if self.language == "en" else told

    @staticmethod
    def fields_of(english: str) -> frozenset[str]:
        """Names of the fields in a text."""
        return frozenset(name for _, name, _, _ in Formatter().parse(english) if name)

    def has_code(self, context: str, code: str) -> bool:
        """Whether there are words for the code."""
        return (context, code) in self._words

    def code(self, context: str, code: str | None, **fields: Any) -> str:
        """The words for a code from below; the code itself where there are none yet."""
        if code is None or code != code:
            return MISSING
        template = self._words.get((context, code))
        return code if template is None else self._fill(template, fields)

    def heading(self, context: str, code: str) -> str:
        """The words for a code at the head of a column: they begin with a capital."""
        told = self.code(context, code)
        return told[:1].upper() + told[1:]

    def reason(self, code: str | None, **fields: Any) -> str:
        """A reason, binding constraint, assumption or alert in words."""
        return self.code("reason", code, **fields)

    def error(self, error: OptimizerError) -> str:
        """What went wrong and what to do, for the person who asked."""
        return self.code("error", error.code, **error.fields)

    def money(self, amount: Any, currency: str | None = None, *, sign: bool = False) -> str:
        """An amount with the currency's code; `sign` marks increases with +."""
        if (number := _finite(amount)) is None:
            return MISSING
        code = currency or self.currency or "XXX"
        digits = get_currency_precision(code)
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        shown = number if round(number, digits) else 0.0  # never −0.00
        value = format_decimal(shown, format=pattern, locale=self._locale)
        return f"{_plus(number, digits, sign)}{value} {code}".replace("-", "−")

    def amount(self, amount: Any) -> str:
        """An amount in the currency's digits, without its code: for columns that name it above."""
        return self.money(amount).rpartition(" ")[0] or MISSING

    def money_text(self, amount: Any) -> str:
        """A change in the currency's digits, without its code: for columns that name it above."""
        return self.money(amount, sign=True).rpartition(" ")[0] or MISSING

    def number(self, value: Any, digits: int = 2, *, sign: bool = False) -> str:
        """A number with at most `digits` decimals."""
        if (number := _finite(value)) is None:
            return MISSING
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        text = format_decimal(number, format=pattern, locale=self._locale)
        return _plus(number, digits, sign) + text.replace("-", "−")

    def ratio(self, value: Any) -> str:
        """A return such as Λ, always with two decimals."""
        if (number := _finite(value)) is None:
            return MISSING
        return format_decimal(number, format="#,##0.00", locale=self._locale).replace("-", "−")

    def bid(self, value: Any) -> str:
        """A bid, with two to four decimals: some platforms take fractions of a cent."""
        if (number := _finite(value)) is None:
            return MISSING
        return format_decimal(number, format="#,##0.00##", locale=self._locale)

    def percent(self, share: Any, digits: int = 0, *, sign: bool = False) -> str:
        """A share as a percentage."""
        if (number := _finite(share)) is None:
            return MISSING
        pattern = "#,##0" + ("." + "#" * digits if digits else "") + "%"
        text = format_percent(number, format=pattern, locale=self._locale)
        return _plus(number, digits + 2, sign) + text.replace("-", "−")

    def rate(self, share: Any) -> str:
        """A conversion rate as a percentage with two figures that count: 2.9%, 2.0%, 0.24%, 0.018%."""
        number = _finite(share)
        if number is None or number <= 0:
            return self.percent(share, 1)
        digits = min(max(1, -math.floor(math.log10(number)) - 1), 6)
        return format_percent(number, format=f"#,##0.{'0' * digits}%", locale=self._locale)

    def day(self, value: Any) -> str:
        """A date."""
        if value is None or value != value:
            return MISSING
        parsed = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return format_date(parsed, format="medium", locale=self._locale)

    def moment(self, value: Any, zone: tzinfo | None = None) -> str:
        """A date and time in `zone`, else in the reader's, else as given; then UTC is named."""
        if value is None or value != value:
            return MISSING
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
        if (local := zone or self.zone) is not None:
            return format_datetime(parsed, format="short", tzinfo=local, locale=self._locale)
        told = format_datetime(parsed, format="short", locale=self._locale)
        return told if parsed.utcoffset() else f"{told} UTC"

    def listing(self, values: Any) -> str:
        """Several values in a row."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            return self.plain(values)
        pairs = values.items() if isinstance(values, Mapping) else None
        parts = [f"{k}: {self.plain(v)}" for k, v in pairs] if pairs else map(self.plain, values)
        return ("、" if self.language == "zh" else ", ").join(parts) or MISSING

    def plain(self, value: Any) -> str:
        """A value as its type suggests: numbers grouped, dates in order, lists joined."""
        if isinstance(value, bool) or value is None:
            return self.text({True: "yes", False: "no", None: MISSING}[value])
        if isinstance(value, int | float | Decimal):
            return self.number(value, 4)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, list | tuple | set | dict):
            return self.listing(value)
        return str(value)

    def interval(self, values: Mapping[str, Any], currency: str | None = None) -> str:
        """A mean with the ends of its 80 % interval: 12.30 [4.10, 20.00] CNY."""
        code = currency or self.currency or "XXX"
        mean, low, high = (
            self.money(values.get(name), code, sign=True).removesuffix(f" {code}")
            for name in ("mean", "low", "high")
        )
        return f"{mean} [{low}, {high}] {code}"

    def _fill(self, template: str, fields: Mapping[str, Any]) -> str:
        if "{" not in template:
            return template
        currency = fields.get("currency") or self.currency
        formats = {
            "": self.plain,
            "money": lambda value: self.money(value, currency),
            "change": lambda value: self.money(value, currency, sign=True),
            "percent": lambda value: self.percent(value, 1),
            "rate": self.rate,
            "date": self.day,
            "list": self.listing,
            "number": self.number,
            "whole": lambda value: self.number(value, 0),
            "ratio": self.ratio,
            "bracketed": lambda value: f" ({value})" if value else "",
            "left_out": lambda code: self.code("backtest_left_out", code),
        }
        return Template(formats).vformat(template, (), fields)


def _finite(value: Any) -> float | None:
    if value is None or isinstance(value, str):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _plus(number: float, digits: int, sign: bool) -> str:
    return "+" if sign and round(number, digits) > 0 else ""
