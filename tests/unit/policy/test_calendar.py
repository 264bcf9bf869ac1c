"""Working days of Kazakhstan: holidays, moved days, an administrator's corrections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streams.errors import PolicyError
from streams.policy.calendar import WorkingDays
from streams.policy.load import load
from streams.policy.model import Policy
from tests.unit.policy.conftest import day

Edit = Callable[[str, str, str], Path]

PLAIN = WorkingDays((), 0, -1)  # a calendar that knows no day: Monday to Friday


@pytest.mark.parametrize(
    ("on", "working"),
    [
        ("2024-01-01", False),  # New Year
        ("2024-01-02", False),
        ("2024-01-03", True),
        ("2024-01-07", False),  # Orthodox Christmas, a Sunday
        ("2024-03-08", False),  # Women's Day
        ("2024-03-20", True),
        ("2024-03-21", False),  # Nauryz
        ("2024-03-22", False),
        ("2024-03-23", False),  # Nauryz on a Saturday …
        ("2024-03-25", False),  # … moved to Monday
        ("2024-03-26", True),
        ("2024-05-04", True),  # a Saturday worked …
        ("2024-05-08", False),  # … for this Wednesday
        ("2024-05-09", False),  # Victory Day
        ("2025-01-03", False),  # moved from …
        ("2025-01-05", True),  # … this Sunday
        ("2024-12-16", False),  # Independence Day
        ("2024-12-17", True),  # a second day off only until 2021
        ("2021-12-17", False),
        ("2024-06-15", False),  # a plain Saturday
        ("2024-06-14", True),  # a plain Friday
    ],
)
def test_which_days_are_working_days(kz: Policy, on: str, working: bool) -> None:
    assert kz.working_days.is_working(day(on)) is working


@pytest.mark.parametrize(
    ("entry", "n", "last"),
    [
        ("2024-06-10", 3, "2024-06-13"),  # Monday: Tuesday, Wednesday, Thursday
        ("2024-06-13", 3, "2024-06-18"),  # over a weekend
        ("2024-06-15", 3, "2024-06-19"),  # entered on a Saturday
        ("2024-06-15", 1, "2024-06-17"),
        ("2024-06-15", -1, "2024-06-14"),
        ("2024-03-20", 3, "2024-03-28"),  # over Nauryz and its moved Monday
        ("2024-03-19", 1, "2024-03-20"),
        ("2023-12-29", 3, "2024-01-05"),  # over New Year
        ("2024-05-03", 3, "2024-05-10"),  # Sat 4 and Mon 6 May are worked; 7, 8 and 9 May are days off
        ("2024-06-10", 0, "2024-06-10"),
        ("2024-06-15", 0, "2024-06-15"),
        ("2024-06-10", -1, "2024-06-07"),
        ("2024-03-26", -2, "2024-03-19"),
    ],
)
def test_the_nth_working_day_after_a_day(kz: Policy, entry: str, n: int, last: str) -> None:
    assert kz.working_days.add(day(entry), n) == day(last)


def test_beyond_the_calendar_weekdays_are_working_days(kz: Policy) -> None:
    calendar = kz.working_days
    assert calendar.first_day == day("2000-01-01")
    assert calendar.last_day == day("2040-12-31")
    assert calendar.is_working(day("2040-12-31")) is True
    assert calendar.is_working(day("2041-01-01")) is True  # New Year of a year nobody has a calendar for: a Tuesday
    assert calendar.is_working(day("1999-12-31")) is True
    assert calendar.is_working(day("2041-01-05")) is False
    assert calendar.add(day("2040-12-31"), 3) == day("2041-01-03")
    assert calendar.add(day("2041-06-03"), 5) == day("2041-06-10")
    assert calendar.add(day("1999-12-30"), 1) == day("1999-12-31")
    assert calendar.add(day("2000-01-05"), -2) < day("2000-01-05")


def test_a_calendar_may_end_on_a_day_off() -> None:
    friday, sunday = day("2024-06-14"), day("2024-06-16")
    calendar = WorkingDays((friday - 1, friday), friday - 1, sunday)
    assert [calendar.is_working(friday + one) for one in range(-1, 4)] == [True, True, False, False, True]
    assert calendar.add(friday - 1, 1) == friday
    assert calendar.add(friday, 1) == friday + 3
    assert calendar.add(sunday, 2) == friday + 4
    assert calendar.add(friday - 1, -1) == friday - 2
    assert calendar.count(friday - 1, sunday) == 2


def test_a_calendar_that_knows_nothing_counts_monday_to_friday() -> None:
    assert [PLAIN.is_working(day(f"2024-06-{n}")) for n in range(10, 17)] == [True] * 5 + [False] * 2
    assert PLAIN.add(day("2024-06-14"), 1) == day("2024-06-17")
    assert PLAIN.add(day("2024-06-17"), -1) == day("2024-06-14")
    assert PLAIN.count(day("2024-06-10"), day("2024-06-16")) == 5
    assert PLAIN.count(day("2024-06-10"), day("2024-06-14")) == 5


def test_working_days_between_two_days_are_counted_with_both_ends(kz: Policy) -> None:
    calendar = kz.working_days
    assert calendar.count(day("2024-06-10"), day("2024-06-14")) == 5
    assert calendar.count(day("2024-06-10"), day("2024-06-10")) == 1
    assert calendar.count(day("2024-06-15"), day("2024-06-16")) == 0
    assert calendar.count(day("2024-06-14"), day("2024-06-10")) == 0
    assert calendar.count(day("2024-03-20"), day("2024-03-26")) == 2


def test_an_administrator_puts_a_day_right(tmp_path: Path, kz: Policy) -> None:
    file = tmp_path / "days.yaml"
    file.write_text(
        "working_days:\n"
        "  overrides:\n"
        "    - {day: 2024-06-14, working: false, source: 'Government resolution'}\n"
        "    - {day: 2024-06-15, working: true, source: 'Government resolution'}\n",
        encoding="utf-8",
    )
    mine = load("kz", calendar=file)
    assert not mine.working_days.is_working(day("2024-06-14"))
    assert mine.working_days.is_working(day("2024-06-15"))
    assert mine.working_days.is_working(day("2024-06-13"))
    assert not mine.working_days.is_working(day("2024-03-21"))
    assert mine.working_days.add(day("2024-06-13"), 1) == day("2024-06-15")
    assert mine.version != kz.version
    assert mine.name == kz.name


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- {day: 2024-06-14, working: maybe, source: x}", "days.yaml:3: expected true or false"),
        ("- {day: tomorrow, working: true, source: x}", "days.yaml:3: expected a date like 2020-01-11"),
        ("- {day: 1999-06-14, working: true, source: x}", "expected days from 2000-01-01 to 2040-12-31, got 1999-06-14"),
        ("- {day: 2024-06-14, working: true}", "days.yaml:3: expected the key 'source'"),
    ],
)
def test_a_wrong_correction_is_refused_with_its_line(tmp_path: Path, line: str, expected: str) -> None:
    file = tmp_path / "days.yaml"
    file.write_text(f"working_days:\n  overrides:\n    {line}\n", encoding="utf-8")
    with pytest.raises(PolicyError) as refusal:
        load("kz", calendar=file)
    assert expected in refusal.value.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("working_days: 5\n", "days.yaml:1: expected a mapping of holidays_of, overrides, got the number 5."),
        ("working_days: [5]\n", "days.yaml:1: expected a mapping of holidays_of, overrides, got a list."),
        ("working_days:\n  overrides: 5\n", "days.yaml:2: expected a list of days, got the number 5."),
        ("working_days:\n  overides: []\n", "days.yaml:2: expected"),
        ("days:\n  overrides: []\n", "days.yaml:1: expected one of the sections policy, parameters, "),
    ],
)
def test_a_calendar_file_of_another_shape_is_refused_with_what_was_expected(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "days.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as refusal:
        load("kz", calendar=file)
    assert refusal.value.what.startswith(expected)


def test_a_correction_replaces_the_policys_own_of_the_same_day_and_keeps_the_others(tmp_path: Path, edit: Edit) -> None:
    own = (
        "  overrides:\n    - {day: 2024-06-14, working: false, source: ours}\n"
        "    - {day: 2024-06-17, working: false, source: ours}\n"
    )
    policy = edit("calendar.yaml", "  overrides: []\n", own)
    file = tmp_path / "days.yaml"
    file.write_text("working_days:\n  overrides:\n    - {day: 2024-06-14, working: true, source: theirs}\n", encoding="utf-8")
    calendar = load(policy, calendar=file).working_days
    assert calendar.is_working(day("2024-06-14"))
    assert not calendar.is_working(day("2024-06-17"))


def test_a_calendar_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"Cannot read .*none\.yaml"):
        load("kz", calendar=tmp_path / "none.yaml")
