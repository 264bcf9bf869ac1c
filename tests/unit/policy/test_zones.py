"""Local days by the tz database, checked against the standard library's own arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streams.policy.load import zone_of
from streams.policy.model import Policy
from streams.policy.zones import DAY_MS, Zone
from tests.unit.policy.conftest import day


def at(text: str) -> int:
    """UTC epoch ms of an ISO instant."""
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize(
    ("instant", "place", "local"),
    [
        # Almaty was at +6 to the end of 29 February 2024; then the clocks went back an hour, and that day had 25 hours.
        ("2024-02-28T17:59:59+00:00", "KZ-75-A1", "2024-02-28"),
        ("2024-02-28T18:00:00+00:00", "KZ-75-A1", "2024-02-29"),
        ("2024-02-29T17:59:59+00:00", "KZ-75-A1", "2024-02-29"),
        ("2024-02-29T18:30:00+00:00", "KZ-75-A1", "2024-02-29"),
        ("2024-02-29T18:59:59+00:00", "KZ-75-A1", "2024-02-29"),
        ("2024-02-29T19:00:00+00:00", "KZ-75-A1", "2024-03-01"),
        ("2024-03-01T18:59:59+00:00", "KZ-75", "2024-03-01"),
        ("2024-03-01T19:00:00+00:00", "KZ-75", "2024-03-02"),
        # A year before, 18:30 UTC was already tomorrow in Almaty, and still today in the west.
        ("2023-02-28T18:30:00+00:00", "KZ-75-A1", "2023-03-01"),
        ("2023-02-28T18:30:00+00:00", "KZ-27-A1", "2023-02-28"),
        ("2023-02-28T18:30:00+00:00", "KZ-23", "2023-02-28"),
        ("2023-02-28T19:00:00+00:00", "KZ-47", "2023-03-01"),
        # Kyzylorda went to +5 on 21 December 2018.
        ("2018-12-19T18:30:00+00:00", "KZ-43", "2018-12-20"),
        ("2018-12-21T18:30:00+00:00", "KZ-43", "2018-12-21"),
        # After the change the whole country keeps one time.
        ("2025-06-01T18:30:00+00:00", "KZ-75-A1", "2025-06-01"),
        ("2025-06-01T18:30:00+00:00", "KZ-27-A1", "2025-06-01"),
        ("2025-06-01T19:00:00+00:00", "KZ-27-A1", "2025-06-02"),
        # Without a place, and for one no longer in the register, the country's zone holds.
        ("2023-02-28T18:30:00+00:00", "", "2023-03-01"),
        ("2023-02-28T18:30:00+00:00", "KZ-99-X9", "2023-03-01"),
    ],
)
def test_the_local_day(kz: Policy, instant: str, place: str, local: str) -> None:
    assert kz.local_day(at(instant), place) == day(local)


@pytest.mark.parametrize(
    ("local", "place", "end"),
    [
        ("2024-02-28", "KZ-75-A1", "2024-02-28T18:00:00+00:00"),
        ("2024-02-29", "KZ-75-A1", "2024-02-29T19:00:00+00:00"),
        ("2024-03-01", "KZ-75-A1", "2024-03-01T19:00:00+00:00"),
        ("2024-02-29", "KZ-27-A1", "2024-02-29T19:00:00+00:00"),
        ("2023-01-31", "", "2023-01-31T18:00:00+00:00"),
        ("1970-01-01", "KZ-75", "1970-01-01T18:00:00+00:00"),
        ("2060-01-01", "KZ-75", "2060-01-01T19:00:00+00:00"),
    ],
)
def test_the_first_instant_after_a_local_day(kz: Policy, local: str, place: str, end: str) -> None:
    assert kz.day_end_ms(day(local), place) == at(end)


@pytest.mark.parametrize(
    "name",
    ["Asia/Almaty", "Asia/Aqtau", "Asia/Aqtobe", "Asia/Atyrau", "Asia/Oral", "Asia/Qostanay", "Asia/Qyzylorda", "Europe/Berlin"],
)
def test_every_hour_around_every_change_is_the_day_the_standard_library_says(name: str) -> None:
    zone, theirs = zone_of(name), ZoneInfo(name)
    assert zone is not None
    assert len(zone.starts_ms) > 10
    for start in zone.starts_ms[1:]:
        for hours in range(-30, 31):
            instant = start + hours * 3_600_000
            moment = datetime.fromtimestamp(instant / 1000, UTC).astimezone(theirs)
            assert zone.local_day(instant) == (moment.date() - date(1970, 1, 1)).days, moment
        before = datetime.fromtimestamp((start - 1000) / 1000, UTC).astimezone(theirs).utcoffset()
        after = datetime.fromtimestamp(start / 1000, UTC).astimezone(theirs).utcoffset()
        assert before != after, "a change begins at its very first instant"


def test_days_follow_each_other_without_hole_or_overlap(kz: Policy) -> None:
    for place in ("KZ-75", "KZ-43", "KZ-27"):
        for one in range(day("1990-01-01"), day("2026-01-01")):
            end = kz.day_end_ms(one, place)
            assert kz.local_day(end - 1, place) == one
            assert kz.local_day(end, place) == one + 1
            assert timedelta(hours=22) <= timedelta(milliseconds=kz.day_end_ms(one + 1, place) - end) <= timedelta(hours=26)


def test_a_day_that_was_skipped_ends_when_it_would_have_begun() -> None:
    # Samoa had no 30 December 2011: the clocks went from the 29th to the 31st.
    zone = zone_of("Pacific/Apia")
    assert zone is not None
    skipped = day("2011-12-30")
    assert zone.day_end_ms(skipped - 1) == zone.day_end_ms(skipped)
    assert zone.local_day(zone.day_end_ms(skipped)) == skipped + 1


def test_a_zone_without_changes_is_plain_arithmetic() -> None:
    zone = Zone("fixed", (-(2**62),), (5 * 3_600_000,))
    assert zone.local_day(19 * 3_600_000 - 1) == 0
    assert zone.local_day(19 * 3_600_000) == 1
    assert zone.day_end_ms(0) == DAY_MS - 5 * 3_600_000
    assert zone.local_day(-(2**63)) < 0


@pytest.mark.parametrize(
    "name", ["Asia/Nowhere", "../../etc/passwd", "/etc/passwd", "Asia", "", "Asia/../Asia/Almaty", "zone1970.tab"]
)
def test_what_is_no_zone_is_no_zone(name: str) -> None:
    assert zone_of(name) is None
