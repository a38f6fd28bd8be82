"""Cells to values, as SQL over whole columns: text, numbers, money, shares, dates, words.

Every function takes the SQL of a VARCHAR and returns SQL; nothing here reads a file. A cell that
cannot be read becomes NULL, and so does an unknown one; `text` tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from optimizer.kept_rows import unglobbed
from optimizer.reports.profiles import NumberFormat, ShareBounds

CONTROLS: Final = r"[\x00-\x1f\x7f\x{80}-\x{9f}\x{2028}\x{2029}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_DECIMAL: Final = "DECIMAL(18,6)"
_WIDE: Final = "DECIMAL(28,6)"
_MICROS: Final = 1_000_000
_EXACT: Final = 1_000_000_000
_NEARLY: Final = 1e-7
"""0.0999 as a double is not 0.0999."""
_PLAIN: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"


def quoted(value: str) -> str:
    """A Python string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def path(where: Path) -> str:
    """A path as an SQL literal of a scan."""
    return quoted(unglobbed(where))


def literals(values: Sequence[str]) -> str:
    """A parenthesised SQL list."""
    return "(" + ", ".join(quoted(value) for value in values) + ")"


def text(cell: str, null_marks: Sequence[str]) -> str:
    """The cell without surrounding spaces; NULL where blank or a null mark."""
    marks = ["", *dict.fromkeys(mark.strip() for mark in null_marks if mark.strip())]
    return f"CASE WHEN {trimmed(cell)} NOT IN {literals(marks)} THEN {trimmed(cell)} END"


def trimmed(cell: str) -> str:
    """The cell without surrounding spaces; trim() alone costs more than all else a text needs."""
    spaced = f"starts_with({cell}, ' ') OR ends_with({cell}, ' ')"
    return f"CASE WHEN {spaced} THEN trim({cell}) ELSE {cell} END"


def identifier(cell: str) -> str:
    """An id as text, out of the `="…"` that protects it from spreadsheets.

    `1.44382946392851E+14` shows all its digits and is written out; `lost_digits` tells the others.
    """
    bare = rf"regexp_replace({cell}, '^=\"(.*)\"$', '\1')"
    whole = rf"regexp_replace({cell}, '^(\d)[.,](\d+)[eE].*$', '\1\2')"
    return (
        f"CASE WHEN starts_with({cell}, '=') THEN {bare} "
        f"WHEN {_shows_all_digits(cell)} THEN {whole} ELSE {cell} END"
    )


def _shows_all_digits(cell: str) -> str:
    """True for scientific notation with a decimal for every power of ten; a float holds 15 digits."""
    decimals = rf"length(regexp_extract({cell}, '^\d[.,](\d+)[eE]\+?\d+$', 1))"
    power = rf"TRY_CAST(regexp_extract({cell}, '[eE]\+?(\d+)$', 1) AS INTEGER)"
    shown = f"{decimals} > 0 AND {decimals} = {power} AND {power} < 15"
    return f"CASE WHEN contains(upper({cell}), 'E') THEN coalesce({shown}, false) ELSE false END"


def lost_digits(cell: str) -> str:
    """True where a spreadsheet turned an id into scientific notation that hides digits."""
    pattern = quoted(r"=?\"?\d+([.,]\d+)?[eE]\+?\d+\"?")
    hidden = f"regexp_full_match({cell}, {pattern}) AND NOT {_shows_all_digits(cell)}"
    return f"CASE WHEN contains(upper({cell}), 'E') THEN {hidden} ELSE false END"


def number(
    cell: str,
    style: NumberFormat,
    null_marks: Sequence[str] = (),
    endings: Sequence[str] = (),
    *,
    wide: bool = False,
) -> str:
    """An exact decimal with six places; NULL for nan, inf, wrong grouping and other text.

    `endings` are remarks in the cell that are no part of the number. A `wide` number has up to 22
    digits before the point rather than 12, which micros need.
    """
    kind = _WIDE if wide else _DECIMAL
    if style.decimal != ".":
        return _styled_number(_digits(cell, style, null_marks, endings), style, kind)
    # Lambdas name the texts that are used over and over: written out, planning such a query takes
    # seconds, and the database would compute them for every row and not only where they are asked for.
    digits = f"list_transform([{cell}], lambda cell: {_digits('cell', style, null_marks, endings)})"
    slow = f"list_transform({digits}, lambda bare: {_styled_number('bare', style, kind)})[1]"
    # A cast that fails costs twenty times one that succeeds, so what is known to fail comes first.
    # And it stands here once: what stands twice is computed for every row, whatever the case.
    plain = f"coalesce(TRY_CAST({cell} AS {kind}), {slow})"
    return f"CASE {_unknown(cell, null_marks)}{_grouped(cell, style, kind)}ELSE {plain} END"


def _digits(
    cell: str, style: NumberFormat, null_marks: Sequence[str], endings: Sequence[str]
) -> str:
    """What a cell holds beside remarks and currency symbols; NULL for a null mark."""
    bare = _nested("trim(replace({0}, {1}, ''))", text(cell, null_marks), endings)
    return _without_symbols(bare, style)


def _unknown(cell: str, null_marks: Sequence[str]) -> str:
    """The case of an empty cell or of a null mark as it stands."""
    marks = [mark for mark in null_marks if not any(c.isdigit() for c in mark)]
    listed = f" OR {cell} IN {literals(marks)}" if marks else ""
    return f"WHEN {cell} IS NULL{listed} THEN NULL "


def _grouped(cell: str, style: NumberFormat, kind: str) -> str:
    """The case of 1,234, which is common enough to be worth a regular expression of its own."""
    if style.thousands != ",":
        return ""
    grouped = quoted(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
    found = (
        f"CASE WHEN contains({cell}, ',') THEN regexp_full_match({cell}, {grouped}) ELSE false END"
    )
    return f"WHEN {found} THEN TRY_CAST(replace({cell}, ',', '') AS {kind}) "


def _styled_number(bare: str, style: NumberFormat, kind: str) -> str:
    ending, factor = _multiplier(bare, style.multipliers)
    digits = _one_point(ending, style)
    product = f"TRY_CAST({digits} AS DECIMAL(38,12)) * ({factor})"
    return f"TRY_CAST({product} AS {kind})"


def _without_symbols(cell: str, style: NumberFormat) -> str:
    protected = rf"regexp_replace({cell}, '^=\"(.*)\"$', '\1')"
    return _nested("trim(replace({0}, {1}, ''))", protected, style.symbols)


def _nested(template: str, start: str, marks: Sequence[str]) -> str:
    expression = start
    for mark in marks:
        expression = template.format(expression, quoted(mark))
    return expression


def _multiplier(cell: str, multipliers: Mapping[str, int]) -> tuple[str, str]:
    if not multipliers:
        return cell, "1"
    endings = "|".join(multipliers)
    cases = " ".join(
        f"WHEN ends_with({cell}, {quoted(ending)}) THEN {factor}"
        for ending, factor in multipliers.items()
    )
    return f"trim(regexp_replace({cell}, '({endings})$', ''))", f"CASE {cases} ELSE 1 END"


def _one_point(cell: str, style: NumberFormat) -> str:
    """The digits with a decimal point and no grouping; NULL where the grouping is wrong."""
    point, mark = _escaped(style.decimal), _escaped(style.thousands)
    plain = quoted(_PLAIN.replace(r"\.", point))
    pointed = f"replace({cell}, {quoted(style.decimal)}, '.')"
    whens = f"WHEN regexp_full_match({cell}, {plain}) THEN {pointed}"
    if style.thousands:
        grouped = quoted(rf"[+-]?[1-9]\d{{0,2}}({mark}\d{{3}})+({point}\d*)?")
        bare = f"replace({cell}, {quoted(style.thousands)}, '')"
        joined = f"replace({bare}, {quoted(style.decimal)}, '.')"
        whens = f"WHEN regexp_full_match({cell}, {grouped}) THEN {joined} " + whens
    return f"CASE {whens} END"


def looks_grouped(cell: str, style: NumberFormat) -> str:
    """True where each decimal mark would group thousands elsewhere: `1.234` may be 1234 in German."""
    # Behind a number may stand 万, with which it is one of decimals, or else a currency.
    behind = r"\s*" if style.multipliers else r"[^\d.,]*"
    digits = rf"[1-9]\d{{0,2}}({_escaped(style.decimal)}\d{{3}})+"
    pattern = quoted(rf"[^\d.,]*{digits}{behind}")
    pointed = f"contains({cell}, {quoted(style.decimal)})"
    return f"CASE WHEN {pointed} THEN regexp_full_match({cell}, {pattern}) ELSE false END"


def _escaped(mark: str) -> str:
    return {".": r"\.", ",": ",", " ": r"[ \x{a0}\x{202f}]", "'": "[''’]", "": ""}[mark]


def micros(number_sql: str, per_unit: int) -> str:
    """Money as integer micros, exactly; `per_unit`: micros in what the file counts in.

    The SQL of the number stands in it several times: give it a name.
    """
    exact = f"TRY_CAST(CAST({number_sql} AS {_WIDE}) * {per_unit} AS BIGINT)"
    if per_unit != _MICROS:
        return exact
    # Below a billion six decimals survive a double, which multiplies six times as fast.
    product = f"CAST(CAST({number_sql} AS DOUBLE) * {_MICROS} AS BIGINT)"
    return f"CASE WHEN abs({number_sql}) < {_EXACT} THEN {product} ELSE {exact} END"


def share(
    cell: str,
    style: NumberFormat,
    percent_cells: str,
    null_marks: Sequence[str] = (),
    bounds: ShareBounds | None = None,
    bare: str | None = None,
) -> str:
    """A share from 0 to 1; NULL for `< 10%` and `> 90%`, which bound a number and are none.

    `bare` names the column that is `without_percent` of the cell, where there is one: the text is
    asked for several times.
    """
    digits = number(bare or without_percent(cell), style, null_marks)
    inner = f"CAST({digits} AS DOUBLE) / {share_unit(cell, percent_cells)}"
    return f"CASE WHEN {bound(cell, style, null_marks, bounds)} IS NULL THEN {inner} END"


def without_percent(cell: str) -> str:
    """The cell of a share without its sign."""
    return f"replace({cell}, '%', '')"


def share_unit(cell: str, percent_cells: str) -> str:
    """What a share in the cell is counted in: 100 where it says per cent."""
    per_cent = "100.0" if percent_cells == "percent" else "1.0"
    return f"CAST(CASE WHEN contains({cell}, '%') THEN 100.0 ELSE {per_cent} END AS DOUBLE)"


def bound(
    cell: str, style: NumberFormat, null_marks: Sequence[str], bounds: ShareBounds | None
) -> str:
    """lt or gt where a share is only bounded: `< 10%`, or a number that stands for it; else NULL."""
    # Most cells begin with a digit, which costs least to see; a regular expression has its price.
    other = f"{cell} < '0' OR {cell} >= ':'"
    bounded = rf"({other}) AND regexp_matches({cell}, '^\s*[<>]\s*\d')"
    whens = f"WHEN {bounded} THEN if(contains({cell}, '<'), 'lt', 'gt')"
    if bounds is not None:
        value = f"CAST({number(cell, style, null_marks)} AS DOUBLE)"
        whens += f" WHEN abs({value} - {bounds.below}) < {_NEARLY} THEN 'lt'"
        whens += f" WHEN abs({value} - {bounds.above}) < {_NEARLY} THEN 'gt'"
    return f"CASE {whens} END"


def day(cell: str, formats: Sequence[str]) -> str:
    """A date in one of the formats; a midnight written behind it is ignored."""
    bare = rf"regexp_replace({cell}, '[ T]00:00(:00(\.0+)?)?$', '')"
    listed = ", ".join(quoted(style) for style in formats)
    # Two expressions of one use each: a shared one would be computed for every row.
    first = f"CASE WHEN length({cell}) >= 8 THEN try_strptime({cell}, {quoted(formats[0])}) END"
    rest = f"try_strptime({bare}, [{listed}])"
    return f"CAST(coalesce({first}, {rest}) AS DATE)"


def hour(cell: str) -> str:
    """The hour of the day, 0 to 23, of `8`, `08:00`, `8点` or `08:00-09:00`."""
    found = rf"TRY_CAST(regexp_extract({cell}, '^(\d{{1,2}})(\D|$)', 1) AS TINYINT)"
    return f"CASE WHEN {found} BETWEEN 0 AND 23 THEN {found} END"


def word(cell: str, words: Mapping[str, str | None]) -> str:
    """Our word for the cell, compared without case; NULL for one that is not listed."""
    if not words:
        return "CAST(NULL AS VARCHAR)"
    whens = " ".join(
        f"WHEN {quoted(theirs.lower())} THEN {quoted(ours) if ours else 'NULL'}"
        for theirs, ours in words.items()
    )
    return f"CASE lower({cell}) {whens} END"


def is_unlisted(cell: str, words: Mapping[str, str | None]) -> str:
    """True where `word` is NULL although the cell says something, and not a word for unknown."""
    unknown = [theirs.lower() for theirs, ours in words.items() if ours is None]
    listed = f" AND lower({cell}) NOT IN {literals(unknown)}" if unknown else ""
    return f"{cell} IS NOT NULL{listed}"


def bare_keyword(cell: str, match_type: str | None) -> str:
    """The keyword without [ ] or quotes, where they say what the match type says.

    `match_type` None: the file does not state the keyword's, and the marks can be nothing else.
    """
    inner = f"trim(substr({cell}, 2, length({cell}) - 2))"
    whens = " ".join(
        f"WHEN {'' if match_type is None else f'{match_type} = {quoted(kind)} AND '}"
        f"starts_with({cell}, {quoted(mark[0])}) AND ends_with({cell}, {quoted(mark[1])})"
        f" AND length({cell}) > 2 THEN {inner}"
        for kind, mark in (("EXACT", "[]"), ("PHRASE", '""'))
    )
    return f"CASE {whens} ELSE {cell} END"


def without_suffix(cell: str, suffix: str) -> str:
    """The text without the mark at its end."""
    kept = f"trim(left({cell}, length({cell}) - {len(suffix)}))"
    return f"CASE WHEN ends_with({cell}, {quoted(suffix)}) THEN {kept} ELSE {cell} END"


def any_pattern(cell: str, patterns: Sequence[str]) -> str:
    """True where the cell matches one of the patterns, without regard to case."""
    joined = "(?i)" + "|".join(f"(?:{pattern})" for pattern in patterns)
    return f"regexp_matches({cell}, {quoted(joined)})"
