"""Questions to the history that fit neither in memory nor on the disk of temporary files."""

from collections.abc import Iterator
from typing import Any

import ibis
import pytest

from optimizer.errors import RefusedInput
from optimizer.store.history import newest


@pytest.fixture
def cramped() -> Iterator[None]:
    """The thread's session with little memory and next to no disk."""
    session = newest.connect()
    (limit,) = session.raw_sql("SELECT current_setting('memory_limit')").fetchone()
    session.raw_sql("SET memory_limit = '20MB'; SET max_temp_directory_size = '1MB'")
    yield
    session.raw_sql(f"SET memory_limit = '{limit}'; RESET max_temp_directory_size")


def sorted_hashes(count: int) -> Any:
    numbers = ibis.range(count).unnest().name("number").as_table()
    return numbers.select(hash=numbers["number"].hash()).order_by("hash")


@pytest.mark.usefixtures("cramped")
def test_an_answer_that_fits_nowhere_is_refused_and_the_next_is_given() -> None:
    with pytest.raises(RefusedInput) as refused:
        newest.to_pandas(sorted_hashes(5_000_000))
    assert refused.value.code == "folder_unwritable"
    assert len(newest.to_pandas(sorted_hashes(5))) == 5
