"""A platform's result file: our upload again, with what became of each row beside it.

Amazon adds Status and Reason to the sheet; Microsoft adds `… Error` rows with their error; Google
adds a result or an error column (matches what its pages describe, acceptance unverified). Such a
file is told from a report by these columns beside those of the upload.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from optimizer import scratch
from optimizer.errors import RefusedInput
from optimizer.reports.decoding import head_of
from optimizer.reports.recognising import readings_of
from optimizer.reports.xlsx import ZIP_MAGIC, sheets_to_csv

COLUMNS: Final = (
    *("line", "id", "slot", "campaign_id", "campaign_name", "ad_group_id", "ad_group_name"),
    *("keyword_id", "keyword_text", "match_type", "value", "outcome", "text"),
)
"""`outcome`: done | refused | skipped | unclear; `text`: the platform's reason; `id`: ours."""
_DELIMITERS: Final = (",", "\t", ";")
_DONE: Final = ("success", "succeeded", "successful", "applied", "completed", "ok")
_SKIPPED: Final = ("skipped", "no change", "no changes", "unchanged")
_REFUSED: Final = ("error", "fail", "reject", "invalid", "not applied")
_MARK: Final = "\ufeff"


@dataclass(frozen=True)
class ResultFile:
    """One result file; `rows` has COLUMNS."""

    file_name: str
    rows: pd.DataFrame


def read_results(path: Path, platform: str) -> ResultFile | None:
    """The result file of the platform that `path` is, or None where it is something else.

    Raises `RefusedInput` for a file that holds no table.
    """
    shape = _SHAPES.get(platform)
    if shape is None or not path.is_file():
        return None
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("results")) as folder:
        text = _text_of(path, shape, Path(folder))
        cells = None if text is None else _table(text, shape, path.name)
    if cells is None or not shape.holds(cells):
        return None
    read = shape.read(cells)
    rows = read.assign(line=read.index)
    return ResultFile(path.name, rows.reset_index(drop=True)[list(COLUMNS)])


@dataclass(frozen=True)
class _Shape:
    """Columns a platform's result file has, all of `needs` and one of `says`, and how to read it."""

    needs: tuple[str, ...]
    says: tuple[str, ...]
    read: Callable[[pd.DataFrame], pd.DataFrame]
    sheet: str | None = None
    holds: Callable[[pd.DataFrame], bool] = lambda cells: len(cells) > 0


def _text_of(path: Path, shape: _Shape, folder: Path) -> str | None:
    """The file as text, in the encoding that shows the header; None where none does."""
    if head_of(path).startswith(ZIP_MAGIC):
        if shape.sheet is None:
            return None
        path = sheets_to_csv(path, [shape.sheet], folder).get(shape.sheet, folder)
        if not path.is_file():
            return None
    for encoding, head in readings_of(path, "auto").items():
        if _header(head, shape) is not None:
            try:
                return path.read_text(encoding=encoding)
            except UnicodeDecodeError:
                continue
    return None


def _header(text: str, shape: _Shape) -> tuple[str, list[str]] | None:
    """The delimiter and the normalised names of the first row, where it is the shape's header."""
    first = text.lstrip(_MARK).partition("\n")[0]
    for delimiter in _DELIMITERS:
        names = [_normal(cell) for cell in next(csv.reader([first], delimiter=delimiter), [])]
        if set(shape.needs) <= set(names) and set(shape.says) & set(names):
            return delimiter, names
    return None


def _normal(cell: str) -> str:
    return " ".join(cell.split()).casefold()


def _table(text: str, shape: _Shape, file: str) -> pd.DataFrame | None:
    """Cells as texts under normalised names, by line of the file; comments and blank rows left out."""
    found = _header(text, shape)
    if found is None:
        return None
    delimiter, names = found
    reader = csv.reader(io.StringIO(text.lstrip(_MARK), newline=""), delimiter=delimiter)
    next(reader)
    try:
        listed = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RefusedInput("csv_unreadable", file=file, why=str(error)) from error
    rows = {
        line: [*row, *[""] * len(names)][: len(names)]
        for line, row in listed
        if any(row) and not row[0].startswith("#")
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=names, dtype="str")
    frame = frame.loc[:, ~frame.columns.duplicated()]
    plain: pd.DataFrame = frame.apply(
        lambda cells: cells.str.strip().str.replace(r'^="(.*)"$', r"\1", regex=True)
    )
    return plain


def _cell(cells: pd.DataFrame, *names: str) -> pd.Series[str]:
    """The first of the columns that says something, per row; "" where none does."""
    found = pd.Series("", index=cells.index, dtype="str")
    for name in names:
        if name in cells.columns:
            found = found.where(found.ne(""), cells[name])
    return found


def _number(cells: pd.Series[str]) -> pd.Series[float]:
    return pd.to_numeric(cells.str.replace(",", ""), errors="coerce").astype("float64")


def _outcome(status: pd.Series[str], error: pd.Series[str]) -> np.ndarray:
    """What the platform's words say; words nobody told us of stay unclear."""
    said = status.str.casefold()
    refused = said.str.startswith(_REFUSED) | (said.eq("") & error.ne(""))
    cases = [refused, said.isin(_SKIPPED), said.isin(_DONE) & error.eq(""), said.isin(_DONE)]
    return np.select(
        [each.to_numpy() for each in cases], ["refused", "skipped", "done", "done"], "unclear"
    )


def _slot(cases: Mapping[str, pd.Series[bool]]) -> np.ndarray:
    """The slot of the first case that holds; a keyword's state where none does."""
    return np.select([case.to_numpy() for case in cases.values()], list(cases), "state")


def _place(cells: pd.DataFrame, **given: Any) -> pd.DataFrame:
    named = {
        "id": "",
        "campaign_id": _cell(cells, "campaign id"),
        "campaign_name": _cell(
            cells, "campaign", "campaign name", "campaign name (informational only)"
        ),
        "ad_group_id": _cell(cells, "ad group id"),
        "ad_group_name": _cell(
            cells, "ad group", "ad group name", "ad group name (informational only)"
        ),
    }
    return pd.DataFrame({**named, **given}, index=cells.index)


def _amazon(cells: pd.DataFrame) -> pd.DataFrame:
    entity, bid = cells["entity"].str.casefold(), _cell(cells, "bid")
    budget = _cell(cells, "daily budget")
    slot = _slot(
        {
            "negative": entity.str.contains("negative"),
            "budget": entity.eq("campaign"),
            "add": cells["operation"].str.casefold().eq("create"),
            "bid": bid.ne(""),
        }
    )
    product = _cell(cells, "product targeting expression").str.extract(r'^asin="(.+)"$')[0]
    match = _cell(cells, "match type").str.replace("negative", "").str.upper()
    negative_product = product.notna() & (slot == "negative")
    return _place(
        cells,
        slot=slot,
        keyword_id=_cell(cells, "keyword id", "product targeting id"),
        keyword_text=_cell(cells, "keyword text").mask(negative_product, product.str.lower()),
        match_type=match.mask(negative_product, "EXACT"),
        value=_number(bid.where(slot != "budget", budget)),
        outcome=_outcome(cells["status"], pd.Series("", index=cells.index)),
        text=cells["reason"],
    )


def _microsoft(cells: pd.DataFrame) -> pd.DataFrame:
    kept = cells[~cells["type"].isin(["Format Version", "Account", ""])]
    kind, bid = kept["type"].str.removesuffix(" Error"), _cell(kept, "bid")
    campaign, negative = kind.eq("Campaign"), kind.str.endswith("Negative Keyword")
    budget = _cell(kept, "budget")
    slot = _slot(
        {
            "negative": negative,
            "budget": campaign & budget.ne(""),
            "target": campaign,
            "bid": bid.ne(""),
        }
    )
    whole = kind.str.startswith("Campaign")
    error = _cell(kept, "error")
    number = _cell(kept, "error number")
    refused = kept["type"].str.endswith(" Error") | error.ne("") | number.ne("")
    own = kept["id"].where(campaign, _cell(kept, "parent id").where(whole, ""))
    return _place(
        kept,
        id=_cell(kept, "client id"),
        slot=slot,
        campaign_id=own,
        ad_group_id=_cell(kept, "parent id").where(~whole, ""),
        keyword_id=kept["id"].where(kind.eq("Keyword"), ""),
        keyword_text=_cell(kept, "keyword"),
        match_type=_cell(kept, "match type").str.upper(),
        value=_number(bid.where(~campaign, budget)),
        outcome=np.where(refused, "refused", "done"),
        text=(error + (" (" + number + ")").where(number.ne(""), "")).str.strip(),
    )


def _ours_or_errors(cells: pd.DataFrame) -> bool:
    """A download has no client ids of ours and no error rows."""
    ours = cells["client id"].str.fullmatch("[0-9a-f]{16}")
    return bool(ours.any() or cells["type"].str.endswith(" Error").any())


def _google(cells: pd.DataFrame) -> pd.DataFrame:
    kind = cells["row type"].str.casefold()
    bid, budget = _cell(cells, "default max. cpc"), _cell(cells, "budget")
    target = kind.eq("ad group") | (kind.eq("campaign") & budget.eq(""))
    slot = _slot(
        {
            "negative": kind.str.startswith("negative"),
            "target": target,
            "budget": kind.eq("campaign"),
            "add": cells["action"].str.casefold().eq("add"),
            "bid": bid.ne(""),
        }
    )
    match = _cell(cells, "type").str.partition(" ")[0].str.upper()
    reason = _cell(cells, *_GOOGLE_REASONS)
    status = _cell(cells, *_GOOGLE_STATES)
    return _place(
        cells,
        slot=slot,
        keyword_id=_cell(cells, "keyword id"),
        keyword_text=_cell(cells, "keyword", "negative keyword"),
        match_type=match,
        value=_number(bid.where(slot != "budget", budget)),
        outcome=_outcome(status, reason),
        text=reason.where(reason.ne(""), status),
    )


_GOOGLE_STATES: Final = ("result", "results", "upload status", "status")
_GOOGLE_REASONS: Final = ("error", "errors", "error message", "error details", "reason")
_SHAPES: Final[Mapping[str, _Shape]] = {
    "amazon_ads": _Shape(
        ("entity", "operation", "campaign id", "status", "reason"),
        ("status",),
        _amazon,
        sheet="Sponsored Products Campaigns",
    ),
    "microsoft_ads": _Shape(
        ("type", "id", "client id"),
        ("error", "error number"),
        _microsoft,
        holds=_ours_or_errors,
    ),
    "google_ads": _Shape(("row type", "action"), (*_GOOGLE_STATES, *_GOOGLE_REASONS), _google),
}
