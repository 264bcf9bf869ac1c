"""Who has which alert: nobody's work is lost by an undo, everything is in the audit, and what is muted ends by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.console.desk import Desk
from streams.console.filters import SEVERITIES
from streams.console.follow_up import TOWARDS_REMOVAL
from streams.console.triage import AT_A_STROKE, CLOSINGS, SNOOZES, plan
from streams.console.work import ANSWER_HOURS, LONGEST_MUTE_MS, LONGEST_SNOOZE_MS, NOT_HELD, REST_HOURS, UNDO_MS, Held, Mute

AT = 1_000_000
ALERTS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(4)]
HELD = st.builds(
    Held, owner=st.sampled_from(["", "o1-a", "o1-b"]), snoozed_until_at=st.sampled_from([0, 5]), returned_at=st.just(0)
)
CHANGES = st.dictionaries(st.sampled_from(ALERTS), HELD, min_size=1)


@given(CHANGES, CHANGES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_undo_puts_back_what_was_and_nothing_that_changed_since(
    desk: Desk, first: dict[str, Held], second: dict[str, Held]
) -> None:
    desk.work.forget(ALERTS)
    desk.work.do("o1-a", "assigned", AT, first)
    before = desk.work.moment().held
    deed_id = desk.work.do("o1-a", "assigned", AT, second)
    moved = ALERTS[0]
    if moved in second:
        desk.work.do("o1-c", "assigned", AT, {moved: Held(owner="o1-c")})
    deed = desk.work.deed(deed_id)
    assert deed is not None
    desk.work.undo(deed, AT + 1)
    after = desk.work.moment()
    for alert_id in ALERTS:
        expected = Held(owner="o1-c") if alert_id == moved and moved in second else before.get(alert_id, NOT_HELD)
        if alert_id != moved or second.get(moved) != Held(owner="o1-c"):
            assert after.of(alert_id) == expected
    assert desk.work.undo(deed, AT + 2) == 0, "an undo happens once"
    assert desk.audit.verify() > 0


def test_an_acknowledgement_undone_brings_the_alert_back_into_the_queue(desk: Desk) -> None:
    alert_id = ALERTS[0]
    deed = desk.work.deed(desk.work.do("o1-a", "acknowledged", AT, {alert_id: Held(owner="o1-b")}))
    assert deed is not None
    assert desk.work.undo(deed, AT + 7) == 1
    assert desk.work.moment().of(alert_id).returned_at == AT + 7


def test_only_the_last_deed_of_the_last_minutes_can_be_undone(desk: Desk) -> None:
    first = desk.work.do("o1-a", "assigned", AT, {ALERTS[0]: Held(owner="o1-a")})
    second = desk.work.do("o1-a", "assigned", AT + 1, {ALERTS[1]: Held(owner="o1-a")})
    desk.work.do("o1-b", "assigned", AT + 2, {ALERTS[2]: Held(owner="o1-b")})
    last = desk.work.last_deed("o1-a", AT + 3)
    assert last is not None
    assert last.id == second != first
    assert desk.work.last_deed("o1-a", AT + 1 + UNDO_MS) is None


def test_every_change_of_every_alert_is_in_the_audit_with_its_reason(desk: Desk) -> None:
    desk.work.do("o1-a", "snoozed", AT, {one: Held(snoozed_until_at=AT + 5) for one in ALERTS}, reason="waiting for the post")
    lines = [line for line in desk.audit.lines() if line.action == "work_snoozed"]
    assert {line.object for line in lines} == set(ALERTS)
    assert {line.reason for line in lines} == {"waiting for the post"}


def test_a_mute_ends_by_itself_and_earlier_by_hand(desk: Desk) -> None:
    from streams.clock import now_ms

    now = now_ms()
    desk.work.mute(Mute("m1", "o1-a", "outage", "", "", "KZ-75-A1", now, now + 60_000))
    assert [one.id for one in desk.work.moment().mutes] == ["m1"]
    assert desk.work.moment(at=now + 60_000).mutes == ()
    desk.work.unmute("m1", "o1-b", now)
    assert desk.work.moment().mutes == ()
    assert [(line.actor, line.action) for line in desk.audit.lines()[:2]] == [("o1-b", "unmuted"), ("o1-a", "muted")]


def test_feeds_hear_which_alerts_changed(desk: Desk) -> None:
    number = desk.work.number
    desk.work.do("o1-a", "assigned", AT, {ALERTS[1]: Held(owner="o1-a")})
    now, changed = desk.work.changed_since(number)
    assert changed == [ALERTS[1]]
    assert desk.work.changed_since(now) == (now, [])


@pytest.mark.parametrize("decision", sorted(TOWARDS_REMOVAL))
def test_nothing_that_leads_towards_removal_can_be_done_to_many(decision: str) -> None:
    assert decision not in CLOSINGS
    assert "close" not in AT_A_STROKE, "a closing is shown before it is done"


def test_a_plan_leaves_alone_what_cannot_be_done_and_says_why() -> None:
    from datetime import date

    day = date(2025, 1, 2)
    person = {"subject": "p1-x", "state": "raised", "stay_on": day}
    employer = {"subject": "e1-x", "state": "raised", "stay_on": day}
    seen = {"subject": "p1-y", "state": "acknowledged", "stay_on": day}
    made = plan("acknowledge", [person, employer, seen])
    assert made.will == [person]
    assert [why for _, why in made.wont] == ["triage.no_person", "triage.seen_already"]
    number = (day - date(1970, 1, 1)).days
    case = {"stage": "suspected", "protected": True, "options": ()}
    made = plan("close", [person, seen], "contacted", {("p1-x", number): case, ("p1-y", number): case | {"stage": "left"}})
    assert made.will == [person]
    assert [why for _, why in made.wont] == ["refused.stage"]


def test_every_severity_has_its_times_and_nothing_rests_for_ever() -> None:
    assert set(ANSWER_HOURS) == set(REST_HOURS) == set(SEVERITIES)
    assert all(REST_HOURS[one] >= hours for one, hours in ANSWER_HOURS.items())
    assert max(SNOOZES.values()) <= LONGEST_SNOOZE_MS <= LONGEST_MUTE_MS
    assert replace(NOT_HELD) == Held()
