"""Whatever the bytes, the same rows come out, on the same lines."""

import pandas as pd
import pytest

from tests.reports.samples import filler, read_text, report_text, row

CHINESE = [row(keyword="连衣裙 夏", campaign="夏季连衣裙"), *filler(2000)]


def keywords(folder, content):
    return read_text(folder, content).rows[["keyword_text", "clicks", "source_row"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_gives_the_same_rows(tmp_path, encoding, newline):
    text = report_text(CHINESE)
    plain = keywords(tmp_path, text)
    other = keywords(tmp_path, text.replace("\n", newline).encode(encoding))
    pd.testing.assert_frame_equal(plain, other)
    assert plain["keyword_text"].iloc[0] == "连衣裙 夏"


def test_first_chinese_word_far_down_is_still_found(tmp_path):
    rows = [*filler(2000), row(keyword="连衣裙")]
    assert keywords(tmp_path, report_text(rows).encode("gbk"))["keyword_text"].iloc[-1] == "连衣裙"


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_delimiter_is_read_off_the_header(tmp_path, delimiter):
    text = report_text(filler()).replace(",", delimiter)
    assert keywords(tmp_path, text).equals(keywords(tmp_path, report_text(filler())))


def test_header_is_found_below_any_preamble(tmp_path):
    text = "\n\nTitle,with,commas\n\n\n" + report_text(filler())
    assert keywords(tmp_path, text)["source_row"].iloc[0] == 9


def test_column_order_case_and_spaces_do_not_matter(tmp_path):
    lines = [line.split(",")[::-1] for line in report_text(filler()).splitlines()[2:]]
    lines[0] = [f" {name.upper().replace(' ', '  ')} " for name in lines[0]]
    text = "\n".join(",".join(cells) for cells in lines) + "\n"
    found = keywords(tmp_path, text)
    assert found["clicks"].tolist() == keywords(tmp_path, report_text(filler()))["clicks"].tolist()


def test_last_line_needs_no_newline(tmp_path):
    assert len(keywords(tmp_path, report_text(filler(7)).rstrip("\n"))) == 7
