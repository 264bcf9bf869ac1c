"""What listed stays stand for, and what was wrong with the list: told by the days of the stays it is about."""

from __future__ import annotations

from streams.detect.plain_stays import read_stays


def test_stays_that_share_days_are_one_and_each_overlap_is_told_by_both_entries() -> None:
    read = read_stays([(30, 40), (10, 20), (15, 25), (24, 28)])
    assert read.crossings == ((10, "entry"), (28, "exit"), (30, "entry"), (40, "exit"))
    assert read.overlaps == ((10, 15), (10, 24))


def test_stays_that_touch_are_two() -> None:
    read = read_stays([(10, 20), (20, 30)])
    assert read.crossings == ((10, "entry"), (20, "exit"), (20, "entry"), (30, "exit"))
    assert read.overlaps == ()


def test_a_stay_within_another_changes_no_day_of_it() -> None:
    read = read_stays([(10, 30), (12, 15)])
    assert read.crossings == ((10, "entry"), (30, "exit"))
    assert read.overlaps == ((10, 12),)


def test_a_stay_without_an_exit_within_the_last_one_goes_on_from_it() -> None:
    read = read_stays([(1, 5), (10, 30), (12, None)])
    assert read.crossings == ((1, "entry"), (5, "exit"), (10, "entry"))
    assert read.overlaps == ((10, 12),)
    assert read.unended == ()


def test_a_stay_without_an_exit_within_an_earlier_one_adds_nothing_and_is_named() -> None:
    read = read_stays([(10, 30), (12, None), (40, 50)])
    assert read.crossings == ((10, "entry"), (30, "exit"), (40, "entry"), (50, "exit"))
    assert (read.overlaps, read.unended) == ((), (12,))


def test_a_stay_that_ends_before_it_begins_is_named_and_both_its_days_stand() -> None:
    read = read_stays([(30, 20), (1, 5)])
    assert read.crossings == ((1, "entry"), (5, "exit"), (20, "exit"), (30, "entry"))
    assert read.reversed == ((30, 20),)
