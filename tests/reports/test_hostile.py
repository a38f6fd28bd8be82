"""Every trap through the real reader and the real import: rows add up or the file is refused."""

import errno
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.reports import identify, read_report
from optimizer.reports.explaining import explain
from optimizer.tables import Actor
from optimizer.workflows import workspace as workspaces
from tests.reports.samples import AS_OF, CONFIGS, HEADER, filler, read_text, report_text, row

OPERATOR = Actor("tester", "admin")
WHOLE = report_text([row(), *filler()])
IDS = HEADER + ",Campaign ID"


def with_ids(first):
    return report_text([f"{row()},{first}", *(f"{line},7" for line in filler())], IDS)


def with_keyword(text):
    return report_text([row(), row(keyword=text), *filler()])


KEPT = {
    "utf-8 mark twice": (b"\xef\xbb\xbf" * 2 + WHOLE.encode(), None),
    "utf-16 little": (b"\xff\xfe" + WHOLE.encode("utf-16-le"), None),
    "utf-16 big": (b"\xfe\xff" + WHOLE.encode("utf-16-be"), None),
    "gbk": (with_keyword("红鞋").encode("gbk"), None),
    "nul": (with_keyword("r\0d"), "control_character"),
    "override": (with_keyword("r\u202ed"), "control_character"),
    "right-to-left mark": (with_keyword("نعل\u200f"), None),
    "ten megabytes": (with_keyword("x" * 10_000_000), "line_too_long"),
    "short row": (report_text([row(), "2026-09-01,Shoes", *filler()]), "too_few_cells"),
    "protected id": (with_ids('="00123"'), None),
    "digits lost": (with_ids("1.23457E+14"), "id_lost_digits"),
    "german amount": (report_text([row(cost='"1.234,56"'), *filler()]), "not_a_number"),
    "zero grouped": (report_text([row(cost='"0,123"'), *filler()]), "not_a_number"),
    "no leap day": (report_text([row(day="2026-02-29"), *filler()]), "bad_date"),
}
REFUSED = {
    "nothing": (b"", "empty_file"),
    "only nul": (bytes(5000), "empty_file"),
    "utf-32": (WHOLE.encode("utf-32"), "wrong_type"),
    "no mark": (WHOLE.encode("utf-16-le"), "wrong_type"),
    "half a letter": (b"\xff\xfe" + WHOLE.encode("utf-16-le") + b" ", "truncated"),
    "lone surrogate": (
        with_keyword("\ud800").encode("utf-8", "surrogatepass"),
        "encoding_unknown",
    ),
    "lone surrogate of utf-16": (
        b"\xff\xfe" + with_keyword("\ud800").encode("utf-16-le", "surrogatepass"),
        "encoding_unknown",
    ),
    "open quote": (with_keyword('"red'), "quote_unclosed"),
    "open quote at the end": (WHOLE + '"2026', "truncated"),
    "all digits lost": (
        report_text([f"{line},1E+14" for line in filler()], IDS),
        "too_many_quarantined",
    ),
    "doubled header": (
        report_text(filler(), HEADER.replace("Conv. value", "Clicks")),
        "columns_doubled",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "encoding_unknown"),
}


def adds_up(counts):
    dropped = sum(counts.rows_dropped.values())
    return counts.rows_read == counts.rows_kept + counts.rows_quarantined + dropped


@pytest.mark.parametrize(("content", "code"), KEPT.values(), ids=KEPT.keys())
def test_trap_is_read_and_its_rows_add_up(tmp_path, content, code):
    report = read_text(tmp_path, content)
    assert adds_up(report.reconciliation)
    assert report.quarantine["code"].tolist() == ([code] if code else [])
    assert len(report.rows) == report.reconciliation.rows_kept >= len(filler())


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_trap_is_refused_with_a_reason(tmp_path, content, code):
    with pytest.raises(RefusedInput) as caught:
        read_text(tmp_path, content)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+red", "-red", "@red", "\uff1dred"])
def test_text_that_a_spreadsheet_would_run_is_kept_as_it_is(tmp_path, text):
    assert read_text(tmp_path, with_keyword(text)).rows["keyword_text"].iloc[1] == text


def no_file(folder, kind):
    """Something at a path that is no file with an end."""
    if kind == "pipe":
        os.mkfifo(folder / "report.csv")
    return {
        "folder": folder,
        "device": Path("/dev/zero"),
        "failing disk": Path("/proc/self/mem"),
        "name with nul": Path("re\0port.csv"),
    }.get(kind, folder / "report.csv")


@pytest.mark.parametrize(
    "kind", ["folder", "device", "pipe", "failing disk", "name with nul", "nowhere"]
)
@pytest.mark.parametrize("use", ["read", "identify", "explain"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind, use):
    path = no_file(tmp_path, kind)
    uses = {
        "read": lambda: read_report(path, CONFIGS, None, AS_OF),
        "identify": lambda: identify(path, CONFIGS),
        "explain": lambda: explain(path, CONFIGS),
    }
    with pytest.raises(RefusedInput, match="file_unreadable"):
        uses[use]()


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.csv", "a'b*[c]?.csv", "a\nb.csv"])
def test_name_of_a_file_is_only_a_name(tmp_path, name):
    path = tmp_path / name
    path.write_text(WHOLE, encoding="utf-8")
    report = read_report(path, CONFIGS, "google_ads_keywords", AS_OF)
    assert (report.file_name, len(report.rows)) == (name, 41)


@pytest.fixture
def shop(tmp_path):
    with workflows.open_workspace(tmp_path / "store", CONFIGS.root) as workspace:
        yield workspace


def imported(workspace, folder):
    path = folder / "report.csv"
    path.write_text(WHOLE, encoding="utf-8")
    return workflows.import_files(workspace, [path], "shop", as_of=AS_OF, actor=OPERATOR)


def full(*_arguments, **_options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "place", ["pyarrow.parquet.write_table", "optimizer.reports.decoding._scan"]
)
def test_full_disk_stores_nothing_and_the_next_import_succeeds(shop, tmp_path, monkeypatch, place):
    with monkeypatch.context() as broken:
        broken.setattr(place, full)
        with pytest.raises(RefusedInput, match="No space left"):
            imported(shop, tmp_path)
    assert workflows.accounts(shop, OPERATOR) == []
    assert not list((tmp_path / "store" / "history").iterdir())
    (result,) = imported(shop, tmp_path)
    assert adds_up(result.reconciliation)


@pytest.mark.parametrize(
    ("utc", "zone", "day"),
    [
        (datetime(2026, 3, 7, 16, 30, tzinfo=UTC), "Asia/Shanghai", date(2026, 3, 8)),
        (datetime(2026, 3, 8, 6, 30, tzinfo=UTC), "America/Los_Angeles", date(2026, 3, 7)),
        (datetime(2026, 11, 1, 8, 30, tzinfo=UTC), "America/Los_Angeles", date(2026, 11, 1)),
        (datetime(2027, 1, 1, 2, 0, tzinfo=UTC), "America/New_York", date(2026, 12, 31)),
        (datetime(2028, 2, 28, 23, 0, tzinfo=UTC), "Europe/Berlin", date(2028, 2, 29)),
    ],
)
def test_download_day_is_the_day_of_the_account(shop, monkeypatch, utc, zone, day):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return utc.astimezone(tz)

    account = shop.configs.account("shop").model_copy(update={"time_zone": zone})
    monkeypatch.setattr(workspaces, "datetime", Clock)
    monkeypatch.setattr(type(shop.configs), "account", lambda *_: account)
    assert workspaces.today_of(shop, "shop") == day
