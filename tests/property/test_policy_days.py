"""Laws of days: whatever the instant, place or number of working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from streams.policy.load import load, zone_of

KZ = load("kz")
PLACES = ["", *KZ.codes.oblasts, *KZ.codes.posts]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

places = st.sampled_from(PLACES)
days = st.integers((date(1995, 1, 1) - date(1970, 1, 1)).days, (date(2045, 1, 1) - date(1970, 1, 1)).days)
instants = st.integers(0, 70 * 366 * 86_400_000)


@given(places, instants)
def test_the_local_day_is_the_one_of_the_standard_library(place: str, instant: int) -> None:
    name = KZ.zones[place].name
    moment = (EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(name))
    assert KZ.local_day(instant, place) == (moment.date() - date(1970, 1, 1)).days


@given(places, instants)
def test_a_day_ends_after_each_of_its_instants_and_the_next_begins_there(place: str, instant: int) -> None:
    day = KZ.local_day(instant, place)
    end = KZ.day_end_ms(day, place)
    assert KZ.day_end_ms(day - 1, place) <= instant < end
    assert KZ.local_day(end, place) == day + 1
    assert KZ.local_day(end - 1, place) == day


@given(st.sampled_from(["Europe/Berlin", "Asia/Almaty", "America/New_York", "Asia/Tehran", "Australia/Lord_Howe"]), instants)
def test_the_law_holds_in_any_zone(name: str, instant: int) -> None:
    zone = zone_of(name)
    assert zone is not None
    moment = (EPOCH + timedelta(milliseconds=instant % (60 * 365 * 86_400_000))).astimezone(ZoneInfo(name))
    day = zone.local_day(instant % (60 * 365 * 86_400_000))
    assert day == (moment.date() - date(1970, 1, 1)).days
    assert zone.local_day(zone.day_end_ms(day)) > day


@given(days, st.integers(-400, 400))
def test_adding_working_days_is_walking_day_by_day(day: int, n: int) -> None:
    calendar, here, left = KZ.working_days, day, abs(n)
    while left:
        here += 1 if n > 0 else -1
        left -= calendar.is_working(here)
    assert calendar.add(day, n) == here


@given(days, st.integers(1, 200))
def test_there_are_n_working_days_from_the_day_after_to_the_nth(day: int, n: int) -> None:
    calendar = KZ.working_days
    last = calendar.add(day, n)
    assert calendar.is_working(last)
    assert calendar.count(day + 1, last) == n
    assert sum(calendar.is_working(one) for one in range(day + 1, last + 1)) == n


@given(st.sampled_from([*KZ.codes.countries, "ZZZ", ""]), days)
def test_a_citizenship_is_in_one_group_and_the_group_has_a_title(citizenship: str, day: int) -> None:
    assert KZ.group_of(citizenship, day) in KZ.group_texts


@given(days)
def test_the_rules_of_a_day_hold_on_that_day(day: int) -> None:
    rules = KZ.at(day)
    assert rules.until_on is None or day <= rules.until_on
    assert rules.from_on <= day
    assert all(line.year == (date(1970, 1, 1) + timedelta(days=day)).year for line in rules.quotas)
