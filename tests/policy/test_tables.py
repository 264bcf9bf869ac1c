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
            "state": "open" if one.open else "expired" if one.ended_by == "retention" else "ended",
            "stay": date_of(one.stay_on),
            "deadline": date_of(one.deadline_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "days": one.days,
            "grade": one.grade,
            "employer": one.employer,
            "oblast": one.oblast,
            "ended_by": one.ended_by,
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
            "state": {"resolved": "ended", "expired": "expired"}.get(one.state, "open"),
            "stay": date_of(one.stay_on),
            "deadline": date_of(one.deadline_on),
            "first_day": date_of(one.first_day_on),
            "last_day": None if one.last_day_on is None else date_of(one.last_day_on),
            "days": one.days,
            "grade": one.grade,
            "employer": one.employer,
            "oblast": one.oblast,
            "ended_by": one.reason if one.state in ("resolved", "expired") else "",
            "options": list(one.options),
        }
        for one in conclusions
        if one.state != "retracted" and not (one.family == "reminder" and one.state in ("resolved", "expired"))
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
    """Fails, in sentences and without a word of Python, where something came out otherwise than the table says."""
    faults = differences(case, said, found, stages, protected=protected)
    if faults:
        pytest.fail("\n".join([f"{case.name} (on {case.on}):", *(f"  {fault}" for fault in faults)]), pytrace=False)


def differences(
    case: Case, said: dict[str, Any], found: list[dict[str, Any]], stages: dict[bytes, str], *, protected: bool
) -> list[str]:
    """Returns what came out otherwise than the table says; only what the table names is compared."""
    expected = case.expected.model_dump(exclude_unset=True, exclude={"findings", "reminders", "cases", "protected"})
    faults = [_told(name, want, said[name]) for name, want in expected.items() if said[name] != want]
    for name, wanted in (("findings", case.expected.findings), ("reminders", case.expected.reminders)):
        if wanted is not None:
            came = [one for one in found if (one["family"] == "reminder") == (name == "reminders")]
            faults += _of_findings(name, wanted, came)
    for stay, stage in (case.expected.cases or {}).items():
        stood = stages.get(case_id(SUBJECT, day_number(stay)))
        if stood != stage:
            faults.append(_told(f"the case of the stay from {stay}", stage, stood))
    if case.expected.protected not in (None, protected):
        faults.append(_told("protected", case.expected.protected, protected))
    return faults


def _of_findings(what: str, expected: list[ExpectedFinding], found: list[dict[str, Any]]) -> list[str]:
    """Compares findings one by one, in order of rule and deadline."""
    wanted = sorted(
        (one.model_dump(exclude_unset=True) for one in expected), key=lambda one: (one["rule"], str(one.get("deadline", "")))
    )
    came = sorted(found, key=lambda one: (one["rule"], str(one["deadline"])))
    rules = [one["rule"] for one in came]
    if rules != [one["rule"] for one in wanted]:
        return [_told(what, ", ".join(one["rule"] for one in wanted), ", ".join(rules))]
    return [
        _told(f"{one['rule']}, deadline {one['deadline']}: {name}", value, one[name])
        for want, one in zip(wanted, came, strict=True)
        for name, value in want.items()
        if one[name] != value
    ]


def _told(what: str, wanted: Any, came: Any) -> str:
    return f"{what}: the table says {_word(wanted)}, it came out as {_word(came)}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{name} {_word(child)}" for name, child in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)


def test_the_tables_hold_enough_cases() -> None:
    assert len(CASES) >= 150
    assert len([case for _, case in CASES if case.stays is not None]) >= 60


def test_every_case_says_why_and_from_where() -> None:
    assert not [name for name, case in CASES if len(case.reasoning) < 20 or len(case.source) < 5]
