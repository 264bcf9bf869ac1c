"""Every case of tests/policy/*.yaml, judged by the oracle and by the system: both must say what the table says."""

from __future__ import annotations

from typing import Any

import pytest

from streams.detect.calculator import calculate
from streams.detect.dossier import Dossier
from streams.detect.plain_stays import crossings_of
from streams.person import Cause, LogTime, take
from streams.records import Alert, Finding
from streams.records import Case as CaseVersion
from tests.oracle.calculator import Answer as OracleAnswer
from tests.oracle.calculator import Calculator, end_of_day, known_by
from tests.oracle.judge import case_id, judge
from tests.oracle.time import Calendar, date_of, day_number
from tests.policy.table import SUBJECT, Case, ExpectedFinding, cases, coverage_of, events_of, gaps_of, policy_of

CASES = list(cases())


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_oracle_says_what_the_table_says(case: Case) -> None:
    policy = policy_of(case)
    calendar = Calendar(policy)
    on = day_number(case.on)
    events = events_of(case)
    entry = None if case.entry is None else day_number(case.entry)
    # The oracle walks ten years day by day for these numbers: only where a case names one.
    asked = case.expected.model_fields_set - {"findings", "reminders", "cases", "protected"}
    said = numbers(Calculator(events, policy, on, case.citizenship or "").answer(entry)) if asked else {}
    verdict = judge(known_by(events, calendar, on), policy, end_of_day(calendar, on), coverage_of(case), gaps_of(case))
    found = [
        {
            "rule": one.rule,
            "family": one.family,
            "state": "open" if one.open else "ended",
            "stay": date_of(one.stay_on),
            "deadline": date_of(one.deadline_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "days": one.days,
            "grade": one.grade,
            "employer": one.employer,
            "options": list(one.options),
        }
        for one in verdict.conclusions.values()
    ]
    stages = {name: one.stage for name, one in verdict.cases.items()}
    compare(case, said, found, stages, protected=verdict.protected)


def numbers(answer: OracleAnswer) -> dict[str, Any]:
    """Returns the oracle's numbers under the table's names."""
    return {
        "days_used": answer.days_used,
        "days_remaining": answer.days_remaining,
        "overstay": answer.overstay,
        "first_overstay_day": None if answer.first_overstay_day is None else date_of(answer.first_overstay_day),
        "longest_stay": {
            "entry": date_of(answer.longest_stay_entry),
            "days": answer.longest_stay_days,
            "last_lawful_day": None if answer.last_lawful_day is None else date_of(answer.last_lawful_day),
        },
        "next_lawful_entry": None if answer.next_lawful_entry is None else date_of(answer.next_lawful_entry),
    }


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_system_says_what_the_table_says(case: Case) -> None:
    policy = policy_of(case)
    on = day_number(case.on)
    events = events_of(case)
    dossier = Dossier(SUBJECT)
    for event in events:
        dossier = dossier.add(event)
    if case.stays is not None and case.citizenship is not None:
        plain = [(day_number(first), None if last is None else day_number(last)) for first, last in case.stays]
        dossier = crossings_of(case.citizenship, plain, policy)
    entry = None if case.entry is None else day_number(case.entry)
    answer = calculate(dossier, policy, on, entry=entry, citizenship=case.citizenship or "")
    said = {
        "days_used": answer.days_used,
        "days_remaining": answer.days_remaining,
        "overstay": answer.overstay,
        "first_overstay_day": None if answer.first_overstay_day is None else date_of(answer.first_overstay_day),
        "longest_stay": {
            "entry": date_of(answer.longest_stay_entry),
            "days": answer.longest_stay_days,
            "last_lawful_day": None if answer.last_lawful_day is None else date_of(answer.last_lawful_day),
        },
        "next_lawful_entry": None if answer.next_lawful_entry is None else date_of(answer.next_lawful_entry),
    }
    conclusions, cases_told = streamed(case)
    found = [
        {
            "rule": one.rule,
            "family": one.family,
            "state": "ended" if one.state == "resolved" else "open",
            "stay": date_of(one.stay_on),
            "deadline": date_of(one.deadline_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "days": one.days,
            "grade": one.grade,
            "employer": one.employer,
            "options": list(one.options),
        }
        for one in conclusions
        if one.state != "retracted" and not (one.family == "reminder" and one.state == "resolved")
    ]
    compare(case, said, found, {one.case_id: one.stage for one in cases_told}, protected=answer.assessment.protected)


def streamed(case: Case) -> tuple[list[Alert | Finding], list[CaseVersion]]:
    """Returns the last versions the stream tells if it hears everything, as recorded, at the end of the day asked about."""
    policy = policy_of(case)
    calendar = Calendar(policy)
    on = day_number(case.on)
    time = LogTime(end_of_day(calendar, on), coverage_of(case), gaps_of(case))
    conclusions: dict[bytes, Alert | Finding] = {}
    cases_told: dict[bytes, CaseVersion] = {}
    state: bytes | None = None
    for event in sorted(known_by(events_of(case), calendar, on), key=lambda one: one.recorded_at):
        step = take(state, event, time, Cause(event.event_id, event.recorded_at), policy)
        state = step.state if step.state is not None else state
        told: tuple[Alert | Finding, ...] = (*step.alerts, *step.findings)
        conclusions |= {one.alert_id: one for one in told}
        cases_told |= {one.case_id: one for one in step.cases}
    return list(conclusions.values()), list(cases_told.values())


def compare(case: Case, said: dict[str, Any], found: list[dict[str, Any]], stages: dict[bytes, str], *, protected: bool) -> None:
    """Compares what was said with what the table expects; only what the table names is compared."""
    expected = case.expected.model_dump(exclude_unset=True, exclude={"findings", "reminders", "cases", "protected"})
    assert {key: said[key] for key in expected} == expected
    if case.expected.findings is not None:
        compare_findings(case.expected.findings, [one for one in found if one["family"] != "reminder"])
    if case.expected.reminders is not None:
        compare_findings(case.expected.reminders, [one for one in found if one["family"] == "reminder"])
    for stay, stage in (case.expected.cases or {}).items():
        assert stages.get(case_id(SUBJECT, day_number(stay))) == stage
    if case.expected.protected is not None:
        assert protected == case.expected.protected


def compare_findings(expected: list[ExpectedFinding], found: list[dict[str, Any]]) -> None:
    """Compares findings one by one, in order of rule and first day."""
    wanted = sorted(
        (one.model_dump(exclude_unset=True) for one in expected), key=lambda one: (one["rule"], str(one.get("deadline", "")))
    )
    came = sorted(found, key=lambda one: (one["rule"], str(one["deadline"])))
    assert [one["rule"] for one in came] == [one["rule"] for one in wanted]
    for want, came_one in zip(wanted, came, strict=True):
        assert {key: came_one[key] for key in want} == want


def test_the_tables_hold_enough_cases() -> None:
    assert len(CASES) >= 150
    assert len([case for _, case in CASES if case.stays is not None]) >= 60


def test_every_case_says_why_and_from_where() -> None:
    assert not [name for name, case in CASES if len(case.reasoning) < 20 or len(case.source) < 5]
