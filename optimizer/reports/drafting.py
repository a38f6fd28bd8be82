"""A first profile for a file that nobody has described: guesses from its header, marked to confirm."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from optimizer import scratch
from optimizer.errors import RefusedInput
from optimizer.reports.layout import HEADER_WITHIN, normal
from optimizer.reports.profiles import COUNTED, SUBJECTS, ReportProfile, load_profiles
from optimizer.reports.recognising import readings_of, texts_of
from optimizer.settings import Configs

UNKNOWN: Final = "?"
"""Header of a needed field that no column looked like; no file has it."""
_DELIMITERS: Final = (",", "\t", ";", "|")
_DATES: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%b %d, %Y", "%Y年%m月%d日",
)  # fmt: skip
_COMMA_DECIMAL: Final = re.compile(r"^-?\d{1,3}(\.\d{3})*,\d+\s*%?$")
_SHOWN: Final = 3
_ROWS: Final = 20
_COMMON: Final = {
    name: headers.split(", ")
    for name, headers in {
        "day": "datum, tag, fecha, jour, 日付, 日期, 时间",
        "campaign_name": "kampagne, campaña, campagne, キャンペーン, 推广计划, 计划名称, 广告系列",
        "ad_group_name": "anzeigengruppe, grupo de anuncios, 広告グループ, 推广单元, 广告组",
        "keyword_text": "suchbegriff, suchkeyword, palabra clave, mot clé, 検索キーワード, 关键词",
        "match_type": "keyword-option, übereinstimmungstyp, マッチタイプ, 匹配方式, 匹配模式",
        "impressions": "impressionen, impresiones, 表示回数, 展现量, 展现数, 展现, 曝光量, 展示次数",
        "clicks": "klicks, clics, クリック数, 点击量, 点击数, 点击, 点击次数",
        "cost": "kosten, ausgaben, coste, gasto, coût, 費用, 花费, 消费, 总费用, 费用",
        "conversions": "bestellungen, käufe, conversiones, コンバージョン, 成交笔数, 订单量, 转化数",
        "value": "umsatz, ventas, 売上, 成交金额, 交易额, 转化价值",
        "bid": "gebot, puja, enchère, 入札, 出价",
    }.items()
}
"""Headers in other languages, for guesses only."""
_NULLS: Final = ("--", "-", "—", "/", "暂无", "N/A", "NULL")
_OPENING: Final = """\
# Draft made from the header of a file. Look through every line marked "confirm", then say so:
confirmed: false  # confirm: true once you have
"""


@dataclass(frozen=True)
class _Sample:
    """The header of a file and the first rows below it."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str

    def values(self, at: int) -> list[str]:
        """The first cells of a column that say something."""
        return [row[at].strip() for row in self.rows if row[at].strip(" -—")]


def draft_profile(path: Path, configs: Configs) -> str:
    """YAML of a profile for the file, as far as its header and first rows tell.

    It loads as it is, and reads nothing until somebody sets `confirmed`. Raises `RefusedInput` for a
    file that holds no table.
    """
    profiles = load_profiles(configs)
    sample = _sample(path)
    guesses = _guesses(sample, profiles)
    ratios = _guesses(sample, profiles, derived=True)
    grain, platform = _grain(guesses), _platform(sample, profiles)
    lines = [
        _OPENING + f"platform: {platform}  # confirm",
        f"grain: {grain}  # confirm: keyword, search_term, creative, keyword_state or negative",
        "columns:",
        *_column_lines(sample, guesses, grain),
        *_unused_lines(sample, {*guesses.values(), *ratios.values()}),
        *_format_lines(sample, guesses),
        *_ratio_lines(sample, ratios),
        *_constant_lines(guesses),
    ]
    return "\n".join(lines) + "\n"


def _sample(path: Path) -> _Sample:
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("report")) as folder:
        neutral = ReportProfile.model_construct(sheet=None)
        texts = texts_of(path, {"": neutral}, Path(folder))
        readings = readings_of(texts[""], "auto") if texts else {}
    if not readings:
        raise RefusedInput("encoding_unknown", file=path.name, tried=["utf-8", "gb18030"])
    encoding, text = next(iter(readings.items()))
    header, rows = max((_table(text, mark) for mark in _DELIMITERS), key=lambda pair: len(pair[0]))
    if len(header) < 2:
        raise RefusedInput("header_not_found", file=path.name, found=list(header), profile="")
    return _Sample(header, rows, encoding)


def _table(text: str, delimiter: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The first of the widest lines, which is the header, and the rows as wide below it."""
    lines = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), HEADER_WITHIN + _ROWS))
    width = max((_filled(line) for line in lines[:HEADER_WITHIN]), default=0)
    at = next((n for n, line in enumerate(lines) if _filled(line) == width), 0)
    header = tuple(cell.strip() for cell in lines[at]) if lines else ()
    below = (tuple(line) for line in lines[at + 1 :] if len(line) == len(header))
    return header, tuple(below)


def _filled(line: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in line)


def _guesses(
    sample: _Sample, profiles: Mapping[str, ReportProfile], *, derived: bool = False
) -> dict[str, int]:
    """The column that each field is likeliest read from, by the headers that other profiles know."""
    votes = _votes(profiles, derived=derived)
    found: dict[str, int] = {}
    for at, header in enumerate(sample.headers):
        known = votes.get(normal(header)) or votes.get(_bare(header), Counter())
        for name, _ in known.most_common():
            if name not in found and name not in ("row_type", "period_start", "period_end"):
                found[name] = at
                break
    return found if derived else _with_day(sample, found)


def _votes(profiles: Mapping[str, ReportProfile], *, derived: bool) -> dict[str, Counter[str]]:
    """Per header, how many profiles read each field from it."""
    known = [profile.derived if derived else profile.columns for profile in profiles.values()]
    votes: dict[str, Counter[str]] = {}
    for columns in known if derived else [_COMMON, *known]:
        for name, headers in columns.items():
            for header in headers:
                votes.setdefault(normal(header), Counter())[name] += 1
    return votes


def _with_day(sample: _Sample, found: dict[str, int]) -> dict[str, int]:
    """Where no header says day, the first column whose cells are all dates."""
    free = (at for at in range(len(sample.headers)) if at not in found.values())
    dated = [at for at in free if _is_dates(sample.values(at))]
    return found if "day" in found or not dated else {**found, "day": dated[0]}


def _is_dates(values: Sequence[str]) -> bool:
    return bool(values) and any(all(_reads(value, style) for value in values) for style in _DATES)


def _bare(header: str) -> str:
    return re.sub(r"\s*\([^()]*\)$", "", normal(header))


def _grain(guesses: Mapping[str, int]) -> str:
    if "search_term" in guesses:
        return "search_term"
    if "keyword_text" not in guesses and "creative_name" in guesses:
        return "creative"
    return "keyword" if {"clicks", "impressions"} & {*guesses} else "keyword_state"


def _platform(sample: _Sample, profiles: Mapping[str, ReportProfile]) -> str:
    """The platform whose profiles know most of the headers."""
    headers = {normal(header) for header in sample.headers}
    known = {
        name: len(headers & {normal(each) for each in _headers(profile)})
        for name, profile in profiles.items()
    }
    best = max(known, key=lambda name: known[name], default="")
    return profiles[best].platform if known.get(best) else "other"


def _headers(profile: ReportProfile) -> Iterator[str]:
    for headers in profile.columns.values():
        yield from headers


def _column_lines(sample: _Sample, guesses: Mapping[str, int], grain: str) -> Iterator[str]:
    for name, at in sorted(guesses.items(), key=lambda pair: pair[1]):
        yield f"  {name}: [{_text(sample.headers[at])}]  # confirm{_examples(sample, at)}"
    counted = () if grain in ("keyword_state", "negative") else COUNTED
    for name in (SUBJECTS.get(grain, "keyword_text"), *counted):
        if name not in guesses:
            yield f"  {name}: [{_text(UNKNOWN)}]  # confirm: no column looked like it"


def _unused_lines(sample: _Sample, used: set[int]) -> Iterator[str]:
    for at, header in enumerate(sample.headers):
        if at not in used and header:
            yield f"  # confirm, not read: {_text(header)}{_examples(sample, at)}"


def _examples(sample: _Sample, at: int) -> str:
    shown = ", ".join(_text(value[:40]) for value in sample.values(at)[:_SHOWN])
    return f": {shown}" if shown else ""


def _format_lines(sample: _Sample, guesses: Mapping[str, int]) -> Iterator[str]:
    needed = [name for name in ("day", "campaign_name", "ad_group_name") if name in guesses]
    yield f"required: [{', '.join(needed)}]"
    if "day" in guesses:
        yield f"date_formats: [{_text(_date_format(sample.values(guesses['day'])))}]  # confirm"
    if any(_COMMA_DECIMAL.match(cell) for row in sample.rows for cell in row):
        yield 'number: {decimal: ",", thousands: "."}  # confirm'
    marks = sorted({cell.strip() for row in sample.rows for cell in row} & {*_NULLS})
    if marks:
        yield f"null_marks: [{', '.join(_text(mark) for mark in marks)}]  # confirm: unknown, not 0"
    if sample.encoding not in ("utf-8", "utf-8-sig", "utf-16"):
        yield f"encoding: {sample.encoding}  # confirm"


def _date_format(values: Sequence[str]) -> str:
    """The first format that reads every value."""
    fitting = (style for style in _DATES if values and all(_reads(v, style) for v in values))
    return next(fitting, _DATES[0])


def _reads(value: str, style: str) -> bool:
    try:
        datetime.strptime(value.removesuffix(" 00:00:00"), style)
    except ValueError:
        return False
    return True


def _ratio_lines(sample: _Sample, ratios: Mapping[str, int]) -> Iterator[str]:
    if not ratios:
        return
    yield "derived:  # only compared with the counts"
    for name, at in ratios.items():
        yield f"  {name}: [{_text(sample.headers[at])}]  # confirm{_examples(sample, at)}"


def _constant_lines(guesses: Mapping[str, int]) -> Iterator[str]:
    stated = {"campaign_name": "Campaign", "ad_group_name": "Ad group"}
    missing = {name: value for name, value in stated.items() if name not in guesses}
    if missing:
        told = ", ".join(f"{name}: {_text(value)}" for name, value in missing.items())
        yield f"constants: {{{told}}}  # confirm: one name stands for all"
    if "currency" not in guesses:
        yield "asks: [currency]  # confirm: or constants: {currency: USD}"
    yield "# attribution_window_days: 30  # confirm: days after the click in which orders count"
    yield "# attribution_basis: click  # confirm: click, or order where orders count on their own day"


def _text(value: str) -> str:
    """A YAML string on one line."""
    return json.dumps(value, ensure_ascii=False)
