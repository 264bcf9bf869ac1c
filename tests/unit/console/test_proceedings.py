"""Paths, clocks and proceedings: working days only, no end without an outcome, no removal for the protected or in bulk."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.console.clocks import PAUSE_REASONS, Pause, due_on, standing
from streams.console.desk import Desk
from streams.console.follow_up import TOWARDS_REMOVAL
from streams.console.procedures import EMPLOYER_OUTCOMES, OUTCOMES, offered, procedures
from streams.console.texts import LANGUAGES, VOICES, catalogue
from streams.policy.load import load
from streams.records.cases import Decision

POLICY = load("kz")
CALENDAR = POLICY.working_days
DAYS = st.integers(19_700, 20_400)
TERMS = st.integers(1, 30)
REMOVAL_PATHS = {name for name, one in procedures().items() if not one.protected}
OPTIONS = st.sets(st.sampled_from(sorted(POLICY.option_texts)))


@given(DAYS, TERMS)
def test_a_term_ends_on_a_working_day_and_holds_as_many_as_it_has(opened_on: int, days: int) -> None:
    due = due_on(opened_on, days, [], opened_on, CALENDAR)
    assert CALENDAR.is_working(due)
    assert CALENDAR.count(opened_on + 1, due) == days


@given(DAYS, TERMS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 15)), max_size=3))
def test_a_clock_that_stood_still_has_lost_nothing(opened_on: int, days: int, stood: list[tuple[int, int]]) -> None:
    pauses = [Pause(opened_on + first, opened_on + first + long, "appeal_pending", "o1-a") for first, long in stood]
    due = due_on(opened_on, days, pauses, opened_on, CALENDAR)
    still = {day for one in pauses for day in range(one.from_on, one.until_on or 0)}
    ran = [day for day in range(opened_on + 1, due + 1) if CALENDAR.is_working(day) and day not in still]
    assert len(ran) >= days, "the days on which the clock ran are never fewer than the term"
    assert due >= due_on(opened_on, days, [], opened_on, CALENDAR)


@given(DAYS, TERMS, st.integers(0, 40))
def test_a_clock_that_stands_now_moves_its_end_with_every_working_day(opened_on: int, days: int, later: int) -> None:
    pause = [Pause(opened_on + 1, None, "waits_for_agency", "o1-a")]
    today = opened_on + later
    left = CALENDAR.count(today + 1, due_on(opened_on, days, pause, today, CALENDAR))
    assert left == days, "as many working days are left as when it stopped"


def test_the_new_year_holidays_do_not_count() -> None:
    from datetime import date

    opened = (date(2025, 12, 31) - date(1970, 1, 1)).days
    due = date.fromordinal(due_on(opened, 1, [], opened, CALENDAR) + date(1970, 1, 1).toordinal())
    assert due > date(2026, 1, 2), "1 and 2 January are holidays in Kazakhstan"


def test_late_soon_and_paused_are_told_apart() -> None:
    monday = next(day for day in range(20_000, 20_010) if (day + 3) % 7 == 0)
    stands = [standing(monday, monday + more, paused=False, closed=False, calendar=CALENDAR) for more in (-5, 0, 1)]
    assert stands == ["in_time", "soon", "late"]
    assert standing(monday, monday + 1, paused=True, closed=False, calendar=CALENDAR) == "paused"
    assert standing(monday, monday + 1, paused=True, closed=True, calendar=CALENDAR) == "closed"


@given(OPTIONS, st.integers(0, 5), st.integers(0, 3))
def test_nothing_that_leads_towards_removal_is_offered_to_the_protected_or_for_many(
    options: set[str], persons: int, employers: int
) -> None:
    shown = {one.name for one in offered(options=options, protected=True, persons=persons, employers=employers)}
    assert not shown & REMOVAL_PATHS
    many = {one.name for one in offered(options=options, protected=False, persons=max(persons, 2), employers=employers)}
    assert not many & {"order_to_leave", "referral"}
    assert "dispute" not in shown | many, "only the traveller's own form opens a dispute"


def test_every_path_that_may_send_a_step_towards_removal_is_closed_to_the_protected() -> None:
    for one in procedures().values():
        if any(OUTCOMES[outcome] in TOWARDS_REMOVAL for outcome in one.outcomes) or "referred" in one.outcomes:
            assert not one.protected, one.name
            assert one.alone, one.name
    assert {"order_to_leave", "referral"} <= REMOVAL_PATHS
    assert {"referral_proposed", "referral_confirmed", "removed"}.isdisjoint(OUTCOMES.values()), "two officers, on the case"


def test_help_comes_before_what_leads_towards_removal() -> None:
    order = list(procedures())
    assert max(order.index(name) for name in set(order) - REMOVAL_PATHS) < min(order.index(name) for name in REMOVAL_PATHS)


def test_paths_come_in_the_order_in_which_the_policy_says_help_has_to_be_considered() -> None:
    order = list(POLICY.option_texts)
    firsts = [min(map(order.index, one.options)) for one in procedures().values() if one.options]
    assert len(firsts) > 4
    assert firsts == sorted(firsts)


def test_every_path_speaks_three_languages_and_names_what_exists() -> None:
    for one in procedures().values():
        texts = [one.title, one.text, *(task.title for task in one.tasks)]
        for language in LANGUAGES:
            assert all(VOICES[language].of(text).strip() for text in texts), (one.name, language)
        assert one.options <= set(POLICY.option_texts), one.name
        assert one.source
    assert {one for one in OUTCOMES.values() if one} <= set(get_args(Decision))
    assert {f"outcome.{one}" for one in OUTCOMES} <= set(catalogue("kk"))
    assert {f"pause.{one}" for one in PAUSE_REASONS} <= set(catalogue("kk"))


def begun(desk: Desk, name: str = "late_registration", oblast: str = "KZ-75") -> str:
    members = [("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-0000000000c1")]
    return desk.proceedings.begin(
        procedures()[name], "o1-a", 1_000, 20_000, oblast=oblast, members=members, reason="asked for help"
    )


def test_nothing_ends_without_an_outcome_and_a_reason_and_only_once(desk: Desk) -> None:
    one = desk.proceedings.one(begun(desk), "")
    assert one is not None
    for outcome, reason in (("", "because"), ("referred", "because"), ("legalised", "")):
        with pytest.raises(ValueError, match=outcome):
            desk.proceedings.closing(one, outcome, reason, officer="o1-a", at=2_000, on=20_001)
    ends = desk.proceedings.closing(one, "legalised", "the notice came", officer="o1-a", at=2_000, on=20_001)
    assert desk.proceedings.close(ends)
    assert not desk.proceedings.close(ends), "its decisions are not sent twice"
    assert desk.audit.lines()[0].action == "closed_legalised"
    assert desk.audit.verify() > 0


def test_an_oblast_operator_sees_the_proceedings_of_one_oblast(desk: Desk) -> None:
    here, there, both = begun(desk), begun(desk, oblast="KZ-23"), begun(desk, oblast="")
    assert [one.id for one in desk.proceedings.listed("KZ-75")] == [here]
    assert {one.id for one in desk.proceedings.listed("")} == {here, there, both}
    assert desk.proceedings.one(there, "KZ-75") is None
    assert desk.proceedings.one(both, "KZ-75") is None
    assert [one.id for one in desk.proceedings.about("alert_id", "00000000-0000-0000-0000-000000000001", "KZ-23")] == [there]


def test_tasks_pauses_and_evidence_are_in_the_audit(desk: Desk) -> None:
    proceeding = begun(desk)
    step = desk.proceedings.steps(proceeding)[0]
    desk.proceedings.finish(proceeding, step.id, "o1-b", 1_500, done=True)
    desk.proceedings.stop_clock(proceeding, "waits_for_agency", "o1-b", 1_600, 20_003)
    desk.proceedings.stop_clock(proceeding, "appeal_pending", "o1-b", 1_600, 20_003)
    desk.proceedings.add_evidence(proceeding, "letter", "No. 12", "", officer="o1-b", at=1_700)
    desk.proceedings.start_clock(proceeding, "o1-b", 1_800, 20_010)
    actions = [line.action for line in reversed(desk.audit.lines())]
    assert actions == ["began_late_registration", "task_done", "clock_stopped", "evidence_added", "clock_started"]
    assert desk.proceedings.steps(proceeding)[0].done_by == "o1-b"
    assert [one.until_on for one in desk.proceedings.pauses(proceeding)] == [20_010], "a clock that stands is not stopped again"


def test_every_way_a_path_about_employers_may_end_leaves_as_an_event() -> None:
    paths = [one for one in procedures().values() if one.about != "person"]
    assert {"employer_check", "trafficking"} <= {one.name for one in paths}
    for path in paths:
        assert set(path.outcomes) <= set(EMPLOYER_OUTCOMES), path.name
