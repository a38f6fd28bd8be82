"""From the bytes of a file to clean UTF-8 lines: type, encoding, and which lines make one record."""

from __future__ import annotations

import codecs
import hashlib
import re
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from optimizer.errors import RefusedInput
from optimizer.kept_rows import LineNumbers
from optimizer.reports import marks
from optimizer.reports.layout import Layout
from optimizer.reports.queries import Tell, nobody

CHUNK: Final = 1 << 24
HEAD: Final = 1 << 16
MOST_NO_ROWS: Final = 20_000_000
"""Blank lines and lines within a cell, each of which is remembered."""
GUESSED: Final = "gb18030"
_CHINESE_SHARE: Final = 0.9
_MAGIC: Final = {
    b"%pdf": "pdf",
    b"\xd0\xcf\x11\xe0": "xls_or_locked_xlsx",
    b"\x1f\x8b": "gzip",
    b"<html": "html",
    b"<!doc": "html",
    b"<tabl": "html",
    b"<?xml": "xml",
    b"{\\rtf": "rtf",
}
_WIDE_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What C1 controls, bidirectional overrides and line separators begin with in UTF-8.
_SUSPECT_LEADS: Final = (b"\xc2", b"\xe2\x80", b"\xe2\x81")


def sha256_of(path: Path) -> str:
    """Hash of the file's bytes. Raises `RefusedInput` when it cannot be read."""
    with _opened(path) as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """The open file. Raises `RefusedInput` when it cannot be read, or has no end as a device has."""
    try:
        # Asked before opening: a pipe that nobody writes to would wait for ever.
        if not (path.is_file() or path.is_dir()):
            path.stat()
            raise RefusedInput("file_unreadable", file=path.name, why="Not a regular file")
        with path.open("rb") as source:
            yield source
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RefusedInput("file_unreadable", file=path.name, why=why) from error


def head_of(path: Path) -> bytes:
    """The first bytes of a file that is neither empty nor of a type that is no table.

    Raises `RefusedInput` for any other, and for one that cannot be read.
    """
    with _opened(path) as source:
        head = source.read(HEAD)
    if not head.strip(b"\x00\r\n\t ,;\xef\xbb\xbf\xff\xfe"):
        raise RefusedInput("empty_file", file=path.name)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for magic, found in _MAGIC.items():
        if start.startswith(magic):
            raise RefusedInput("wrong_type", file=path.name, found=found)
    return head


def encodings_to_try(path: Path, head: bytes, hint: str = "auto") -> tuple[str, ...]:
    """Codecs by plausibility: BOM, else strict UTF-8, else the hint, else GB18030 as a guess."""
    if head.startswith(_WIDE_BOMS):
        raise RefusedInput("wrong_type", file=path.name, found="utf-32")
    for bom, name in _BOMS.items():
        if head.startswith(bom):
            return (name,)
    if head.count(0) > len(head) // 100:
        raise RefusedInput("wrong_type", file=path.name, found="binary")
    return ("utf-8", GUESSED if hint == "auto" else hint)


def decode_head(head: bytes, encoding: str) -> str | None:
    """The head as text, or None when it is not in this encoding; a cut last character is forgiven."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=False)
    except UnicodeDecodeError:
        return None
    return _one_newline(text.encode()).decode()


def reads_like_chinese(text: str) -> bool:
    """False where bytes of another encoding were read as GB18030, which accepts nearly all.

    Chinese is mostly the common characters of GB2312; accents of a Western encoding, read with the
    letter behind them, fall among the rare ones.
    """
    beyond_ascii = re.sub(r"[\x00-\x7f]+", "", text)[:HEAD]
    common = len(beyond_ascii.encode("gb2312", "ignore")) // 2
    return common >= _CHINESE_SHARE * len(beyond_ascii)


class Block(NamedTuple):
    """Lines that were written at once: the place of the first, the byte at which it begins.

    `regular`: each is a row of as many cells as the header has, and no quote goes over its end.
    """

    line: int
    offset: int
    regular: bool


@dataclass
class Lines:
    """What a scan of the data lines found; line numbers count from 1 in the file as given.

    `continued` lines begin inside a quoted cell, `blank` lines hold no character. `controls`: some
    character is not printable. `quote_open`: the last quote is never closed. `blocks`: the pieces
    that were written one by one.
    """

    first: int
    count: int = 0
    continued: array[int] = field(default_factory=partial(array, "q"))
    blank: array[int] = field(default_factory=partial(array, "q"))
    controls: bool = False
    quote_open: bool = False
    ends_with_newline: bool = True
    blocks: list[Block] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Rows that a reader must account for."""
        return self.count - len(self.continued) - len(self.blank)

    @property
    def of_records(self) -> LineNumbers:
        """Line on which each logical line (blank ones included) starts."""
        return LineNumbers(self.first, np.asarray(self.continued, dtype=np.int64))

    def of_rows(self, rejected: np.ndarray) -> LineNumbers:
        """Line of each row, without the logical lines (from 1) that the reader `rejected`."""
        lost = self.of_records[rejected - 1]
        none = np.concatenate([np.asarray(self.continued), np.asarray(self.blank), lost])
        return LineNumbers(self.first, np.unique(none.astype(np.int64)))

    def read(self, opened: BufferedReader, at: int) -> bytes:
        """The lines of one of the blocks, from the file into which they were written."""
        start = self.blocks[at].offset
        opened.seek(start)
        return opened.read(self.blocks[at + 1].offset - start if at + 1 < len(self.blocks) else -1)


def write_lines(
    path: Path,
    encoding: str,
    layout: Layout,
    target: Path,
    *,
    guessed: bool = False,
    tell: Tell = nobody,
) -> Lines:
    """Write what follows the header as UTF-8 with \\n line ends, and say which lines make records.

    Raises `RefusedInput` when a byte is not in the encoding, when the last character is cut, when
    the encoding was `guessed` and the text is no Chinese, and when nearly all lines are blank.
    """
    lines = Lines(first=layout.header_line + 1)
    size = max(path.stat().st_size, 1)
    with target.open("wb") as out:
        chunks = _utf8_chunks(path, encoding, guessed)
        for chunk in whole_lines(_after_header(chunks, layout.header_line)):
            lines.ends_with_newline = chunk.endswith(b"\n")
            whole = chunk if lines.ends_with_newline else chunk + b"\n"
            start = lines.count, out.tell()
            out.write(whole)
            lines.blocks.append(Block(*start, _scan(whole, lines, layout)))
            tell(min(out.tell() / size, 1.0))
            if len(lines.blank) + len(lines.continued) > MOST_NO_ROWS:
                raise RefusedInput("wrong_type", file=path.name, found="blank lines")
    return lines


def _utf8_chunks(path: Path, encoding: str, guessed: bool) -> Iterator[bytes]:
    decoder, cut = codecs.getincrementaldecoder(encoding)(), b""
    with path.open("rb") as source:
        while raw := source.read(CHUNK):
            text = (
                "" if _is_plain(raw, decoder, encoding) else _decode(decoder, raw, path, encoding)
            )
            if guessed and encoding == GUESSED and not reads_like_chinese(text):
                raise RefusedInput("encoding_unknown", file=path.name, tried=["utf-8", GUESSED])
            data = cut + (raw if encoding.startswith("utf-8") else text.encode())
            cut = b"\r" if data.endswith(b"\r") else b""
            yield _one_newline(data[: len(data) - len(cut)] if cut else data)
        yield _one_newline(cut + _decode(decoder, b"", path, encoding).encode())


def _is_plain(raw: bytes, decoder: codecs.IncrementalDecoder, encoding: str) -> bool:
    """True for ASCII between whole characters, of which decoding tells nothing."""
    return encoding == "utf-8" and raw.isascii() and not decoder.getstate()[0]


def _decode(decoder: codecs.IncrementalDecoder, raw: bytes, path: Path, encoding: str) -> str:
    try:
        return decoder.decode(raw, final=not raw)
    except UnicodeDecodeError as error:
        if not raw:
            raise RefusedInput("truncated", file=path.name, line=None, why="letter_cut") from error
        raise RefusedInput("encoding_unknown", file=path.name, tried=[encoding]) from error


def _one_newline(data: bytes) -> bytes:
    if b"\r" not in data:
        return data
    data = data.replace(b"\r\n", b"\n")
    # A lone carriage return ends lines in old files, and is a control character elsewhere.
    return data.replace(b"\r", b"\x0b" if b"\n" in data else b"\n")


def copy_records(source: Path, lines: Lines, first_lines: np.ndarray, target: Path) -> None:
    """Copy the records that start on `first_lines` (of the file as given), byte by byte."""
    wanted = _lines_of(lines, first_lines)
    with source.open("rb") as opened, target.open("wb") as out:
        ends = [*(block.line for block in lines.blocks[1:]), lines.count]
        for at, (block, end) in enumerate(zip(lines.blocks, ends, strict=True)):
            own = np.flatnonzero(wanted[block.line : end])
            if len(own):
                out.writelines(_picked(lines.read(opened, at), own))


def _lines_of(lines: Lines, first_lines: np.ndarray) -> np.ndarray:
    """True for each line that belongs to a record which starts on one of `first_lines`."""
    wanted = np.zeros(lines.count, dtype=bool)
    wanted[first_lines - lines.first] = True
    if not lines.continued:
        return wanted
    begins = np.arange(lines.count)
    begins[np.asarray(lines.continued) - lines.first] = 0
    return wanted[np.maximum.accumulate(begins)]


def _picked(chunk: bytes, own: np.ndarray) -> Iterator[bytes]:
    """Lines of one block, by their place in it."""
    ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == 10) + 1
    starts = np.append(0, ends[:-1])
    return (chunk[a:b] for a, b in zip(starts[own], ends[own], strict=True))


def _after_header(chunks: Iterator[bytes], header_line: int) -> Iterator[bytes]:
    to_skip = header_line
    for chunk in chunks:
        start = 0
        while to_skip and (cut := chunk.find(b"\n", start)) >= 0:
            start, to_skip = cut + 1, to_skip - 1
        if not to_skip and start < len(chunk):
            yield chunk[start:]


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut only behind line ends."""
    rest = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
        rest = chunk[cut:] if cut else rest + chunk
    if rest:
        yield rest


def _scan(chunk: bytes, lines: Lines, layout: Layout) -> bool:
    """Add the lines of a chunk to those before; says whether they are regular, see `Block`."""
    found = marks.of(chunk, layout.delimiter)
    regular = not lines.quote_open and marks.are_regular(found, layout.delimiter, layout.width)
    lines.controls = (
        lines.controls or marks.have_controls(found, layout.delimiter) or _has_wide_controls(chunk)
    )
    if regular or (not lines.quote_open and _is_closed(chunk, found)):
        lines.count += found.count(b"\n")
    else:
        _scan_quoted(chunk, lines)
    return regular


def _is_closed(chunk: bytes, found: bytes) -> bool:
    """True where every quote closes on its line, and no line is blank."""
    # Without the quotes that close on their line only line ends are left.
    ends = marks.quotes_and_ends(found).replace(b'""', b"")
    return b'"' not in ends and not (b"\n\n" in chunk or chunk.startswith(b"\n"))


def _scan_quoted(chunk: bytes, lines: Lines) -> None:
    """Which lines begin in a cell, and which are blank."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    ends = np.flatnonzero(data == 10)
    quotes_before = np.searchsorted(np.flatnonzero(data == 34), np.append(-1, ends))
    is_open = (quotes_before + lines.quote_open) % 2 == 1
    numbers = lines.first + lines.count + np.arange(len(ends))
    blank = (np.diff(ends, prepend=-1) == 1) & ~is_open[:-1]
    lines.continued.frombytes(numbers[is_open[:-1]].tobytes())
    lines.blank.frombytes(numbers[blank].tobytes())
    lines.quote_open = bool(is_open[-1])
    lines.count += len(ends)
    lines.controls = lines.controls or bool(lines.continued)


def _has_wide_controls(chunk: bytes) -> bool:
    return not chunk.isascii() and any(lead in chunk for lead in _SUSPECT_LEADS)
