from datetime import date

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.planning.events import (
    EventShapes,
    event_effects,
    learn_event,
    phase_of,
    planned_event,
)
from optimizer.planning.forecast import day_index
from optimizer.planning.rhythm import Rhythm
from optimizer.settings import find_configs, load_model

SHAPES = load_model(find_configs().root / "events.yaml", EventShapes)
FIRST = date(2026, 6, 1)
FLAT = Rhythm(np.ones(7), np.ones(7), np.ones(7), 0.05, 0.0, 0.0, 1e9, 60)


def sale(**asked):
    return planned_event("618", SHAPES, FIRST, 30, **asked)


def test_a_sale_may_end_on_another_day_than_usual():
    told = sale(end=date(2026, 6, 22)).event
    assert (told.start, told.end) == (date(2026, 6, 16), date(2026, 6, 22))


def test_every_shipped_event_says_where_its_numbers_come_from():
    assert {"618", "双11", "Black Friday"} <= set(SHAPES.events)
    assert all(shape.source for shape in SHAPES.events.values())
    assert all(len(shape.volume) == 3 for shape in SHAPES.events.values())


@pytest.mark.parametrize("asked", ["黑五", "黑色星期五", "Black Friday"])
def test_a_sale_is_found_by_its_other_names(asked):
    told = planned_event(asked, SHAPES, date(2026, 11, 20), 30).event
    assert (told.name, told.start) == ("Black Friday", date(2026, 11, 27))


def test_days_are_warm_up_burst_and_return():
    phase = phase_of(day_index(FIRST, 30), sale().event)
    assert [phase[day - 1] for day in (3, 4, 15, 16, 20, 21, 28, 29)] == [-1, 0, 0, 1, 1, 2, 2, -1]


def test_effects_have_the_stated_median_and_spare_ordinary_days():
    effects = event_effects(sale(), FIRST, 30, 4000, np.random.default_rng(1))
    assert np.median(effects.volume[:, 16]) == pytest.approx(2.0, rel=0.03)
    assert np.log(effects.volume[:, 16]).std() == pytest.approx(0.35, rel=0.05)
    assert (effects.volume[:, 0] == 1).all()
    assert np.array_equal(effects.cvr[:, 16], effects.cvr[:, 18])


def test_a_sale_outside_the_horizon_is_refused_with_the_days_it_would_take():
    with pytest.raises(RefusedInput) as caught:
        planned_event("双11", SHAPES, FIRST, 30)
    assert caught.value.code == "event_outside_horizon"
    planned_event("双11", SHAPES, FIRST, caught.value.fields["nearest"])


@pytest.mark.parametrize("value", [-1.0, 0.0, float("nan"), 100.0])
def test_a_multiplier_that_cannot_be_is_refused_with_the_nearest(value):
    with pytest.raises(RefusedInput) as caught:
        sale(stated={"volume": {"burst": value}})
    assert caught.value.code == "multiplier_out_of_range"
    sale(stated={"volume": {"burst": caught.value.fields["nearest"]}})


def test_unknown_names_are_refused():
    for code, call in (
        ("event_unknown", lambda: planned_event("Diwali", SHAPES, FIRST, 30)),
        ("multiplier_unknown", lambda: sale(stated={"volume": {"peak": 2.0}})),
        ("event_ends_first", lambda: sale(start=date(2026, 6, 10), end=date(2026, 6, 1))),
    ):
        with pytest.raises(RefusedInput) as caught:
            call()
        assert caught.value.code == code


def last_year(burst):
    days = pd.date_range("2025-04-01", "2025-07-10")
    day = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    inside = (days >= "2025-06-16") & (days <= "2025-06-20")
    clicks = np.where(inside, 1000.0 * burst, 1000.0)
    columns = {"clicks": clicks, "cost": clicks, "conversions": clicks * 0.05, "value": clicks}
    return pd.DataFrame({"day": day, **columns})


def test_last_year_pulls_the_prior_and_narrows_it():
    learned = learn_event(sale(), last_year(3.0), FLAT)
    before, after = sale().multiples["volume"]["burst"], learned.multiples["volume"]["burst"]
    assert before.median < 2.5 < after.median < 3.0
    assert after.sd < before.sd
    assert ("volume", "burst") in learned.learned


def test_what_somebody_states_of_the_sale_last_year_does_not_change():
    stated = {"volume": {"burst": 2.0}}
    learned = learn_event(sale(), last_year(3.0), FLAT, stated)
    assert learned.multiples["volume"]["burst"] == sale().multiples["volume"]["burst"]
    assert ("volume", "burst") not in learned.learned
    assert ("cpc", "burst") in learned.learned


def test_without_last_year_the_shipped_prior_stays():
    few = last_year(3.0)
    assert learn_event(sale(), few[few["day"] > 20_500], FLAT) == sale()
