"""What holds for every writer: nothing lost on the way, all of it can be undone, the same bytes."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import Conflict, NotFound
from optimizer.review.exports import writer_for, writers_of
from optimizer.review.exports.changes import Change, backward, forward
from optimizer.review.exports.rows import KINDS
from tests.review.exports.export_rows import CASES, CENTS, Case, any_rows, frame, of_kind
from tests.review.exports.small_platform import SmallPlatform

some = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
every_writer = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def read(case: Case, files: Mapping[str, bytes], *, rollback: bool = False) -> list[Change]:
    chosen = {name: one for name, one in files.items() if name.startswith("rollback") == rollback}
    return case.writer.read_changes(chosen)


def in_order(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=repr)


@every_writer
@some
@given(data=st.data())
def test_what_is_written_is_read_back_whole(case: Case, data: st.DataObject) -> None:
    limit = data.draw(st.sampled_from(case.limits))
    rows = data.draw(any_rows(case, limit))
    found = read(case, case.writer.write_bulk_upload(rows, limit))
    assert in_order(found) == in_order([case.seen(one) for one in forward(rows, limit)])


@every_writer
@some
@given(data=st.data())
def test_file_then_rollback_gives_the_account_back(case: Case, data: st.DataObject) -> None:
    limit = data.draw(st.sampled_from(case.limits))
    rows = data.draw(any_rows(case, limit))
    files = case.writer.write_bulk_upload(rows, limit)
    account = SmallPlatform.before(rows, limit)
    before = account.state()
    account.apply(read(case, files))
    account.apply(read(case, files, rollback=True))
    assert account.state() == before


@every_writer
@some
@given(data=st.data())
def test_same_set_in_any_order_gives_the_same_bytes(case: Case, data: st.DataObject) -> None:
    rows = data.draw(any_rows(case, case.limits[0]))
    order = data.draw(st.permutations(range(len(rows))))
    shuffled = rows.iloc[list(order)].reset_index(drop=True)
    limit = case.limits[0]
    assert case.writer.write_bulk_upload(shuffled, limit) == case.writer.write_bulk_upload(
        rows, limit
    )


@every_writer
def test_one_bad_row_refuses_all_with_its_reason(case: Case) -> None:
    bad = of_kind("raise", 2, new_bid=1.0051)
    with pytest.raises(Conflict) as caught:
        case.writer.write_bulk_upload(frame(of_kind("raise", 1), bad), CENTS)
    (told,) = caught.value.fields["rows"]
    assert (told["id"], told["code"], told["new_bid"]) == ("k2", "bid_not_on_step", 1.0051)


@every_writer
def test_kinds_a_platform_lacks_are_refused(case: Case) -> None:
    for kind in KINDS:
        refused = case.writer.refusals(frame(of_kind(kind)), CENTS)
        lacks = {one.code for one in refused} == {"kind_unsupported"}
        assert lacks == (kind not in case.kinds), kind
        assert lacks or refused == []


def test_undoing_twice_is_the_change_itself() -> None:
    rows = frame(*(of_kind(kind, at) for at, kind in enumerate(KINDS)))
    undone = {one.id: one for one in backward(rows, CENTS)}
    for change in forward(rows, CENTS):
        assert undone[change.id].was == change.value
        assert undone[change.id].value == change.was


def test_an_inherited_bid_is_given_back_to_its_ad_group() -> None:
    (undone,) = backward(frame(of_kind("lower", bid_source="inherited", new_bid=0.9)), CENTS)
    assert (undone.action, undone.value) == ("clear_bid", Decimal("1.00"))


def test_platform_without_a_writer_says_which_have_one() -> None:
    with pytest.raises(NotFound) as caught:
        writer_for("other")
    assert caught.value.code == "writer_missing"
    assert caught.value.fields["available"] == sorted({case.platform for case in CASES.values()})


def test_unknown_format_says_which_there_are() -> None:
    assert list(writers_of("google_ads")) == ["bulk_upload", "editor"]
    with pytest.raises(NotFound) as caught:
        writer_for("google_ads", "paper")
    assert caught.value.fields["available"] == ["bulk_upload", "editor"]
