import io
import json
import re
from decimal import Decimal
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.review.exports.amounts import exact, on_step, percent, plain, ratio_of, whole_units
from optimizer.review.exports.changes import forward
from optimizer.settings import Configs
from tests.review.exports.export_rows import CASES, CENTS, TENTHS, Case, frame, of_kind
from tests.workflows.shop_account import CONFIGS

STEPS = [Decimal(step) for step in ("1", "0.1", "0.01", "0.001")]
ARTEFACT = re.compile(rb"\d\.\d*(0{6}|9{6})\d*")


@given(count=st.integers(1, 10**7), step=st.sampled_from(STEPS), noise=st.integers(-3, 3))
def test_a_multiple_of_the_step_is_written_without_artefact_digits(
    count: int, step: Decimal, noise: int
) -> None:
    wanted = count * step
    held = float(wanted) * (1 + noise * 2.0**-52)
    found = on_step(held, step)
    assert found == wanted
    assert plain(found) == str(wanted)


def test_yen_have_no_decimals_and_cents_two() -> None:
    assert plain(on_step(97.0, Decimal(1))) == "97"
    assert plain(on_step(100.0, Decimal(1))) == "100"
    assert plain(on_step(0.1 + 0.2, Decimal("0.01"))) == "0.30"
    assert on_step(97.4, Decimal(1)) is None
    assert on_step(float("nan"), Decimal(1)) is None


def test_an_old_bid_off_the_step_is_kept_to_a_millionth() -> None:
    assert plain(exact(1 / 3, Decimal("0.01"))) == "0.333333"
    assert plain(exact(1.5, Decimal("0.01"))) == "1.50"


@given(cents=st.integers(1, 10**7))
def test_shares_of_targets_go_both_ways(cents: int) -> None:
    ratio = Decimal(cents) / 10_000
    assert ratio_of(percent(ratio)) == ratio


@given(fen=st.integers(5, 9_999))
def test_fen_are_whole(fen: int) -> None:
    amount = on_step(fen * 0.01, Decimal("0.01"))
    assert amount is not None
    assert whole_units(amount, Decimal("0.01")) == fen
    with pytest.raises(ValueError, match="multiple"):
        whole_units(amount + Decimal("0.005"), Decimal("0.01"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@settings(max_examples=10, deadline=None)
@given(tenths=st.integers(1, 999))
def test_no_file_holds_the_digits_of_a_float(case: Case, tenths: int) -> None:
    bid = tenths * 0.1
    files = case.writer.write_bulk_upload(
        frame(of_kind("raise", 1, new_bid=bid), of_kind("add_keyword", 2, new_bid=bid)), TENTHS
    )
    for name, content in files.items():
        assert not ARTEFACT.search(_shown(name, content)), name


def _shown(name: str, content: bytes) -> bytes:
    if name.endswith(".xlsx"):
        return ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    return content.replace(b"\0", b"")


def test_prices_of_the_api_are_whole_numbers_of_fen() -> None:
    rows = frame(of_kind("raise", 1, new_bid=0.29), of_kind("add_keyword", 2, new_bid=1.1))
    calls = json.loads(CASES["taobao"].writer.write_bulk_upload(rows, CENTS)["api.json"])["calls"]
    assert calls[0]["bidwords"][0]["mobile_bid_price"] == 29
    assert calls[1]["keyword_prices"][0]["maxPrice"] == 110


def test_every_shipped_limit_says_where_it_comes_from_and_when() -> None:
    limits = Configs(CONFIGS).settings("demo").bid_limits
    assert set(limits) >= {case.platform for case in CASES.values()}
    listed = [one for by_currency in limits.values() for one in by_currency.values()]
    assert all(one.source and one.dated.year >= 2016 for one in listed)
    assert not limits["pinduoduo"]["CNY"].verified
    assert limits["taobao"]["CNY"].minimum == Decimal("0.05")
    assert limits["amazon_ads"]["JPY"].minimum_budget == 100


def test_a_budget_below_the_platforms_smallest_is_refused() -> None:
    limit = CENTS.model_copy(update={"minimum_budget": Decimal(500)})
    refused = CASES["amazon_ads"].writer.refusals(frame(of_kind("set_budget")), limit)
    (told,) = [one.told() for one in refused]
    assert (told["code"], told["new_bid"], told["minimum"]) == ("budget_too_small", 390.0, 500.0)


def test_a_target_finer_than_platforms_show_is_refused() -> None:
    rows = frame(of_kind("set_target", new_bid=3.40001))
    assert {one.code for one in CASES["google_ads"].writer.refusals(rows, CENTS)} == {
        "bid_not_on_step"
    }
    (change,) = forward(frame(of_kind("set_target", new_bid=3.4000000000000004)), CENTS)
    assert change.value == Decimal("3.4")
