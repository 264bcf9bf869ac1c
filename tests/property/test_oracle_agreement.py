"""The stream and the oracle agree on every life: which conclusions hold, how well, from when to when, and what to do.

500 lives in every run of the suite; ``SHEKARA_TEST_PROFILE=nightly`` takes 20 000 and up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.ledger import ledger
from streams.person import NEVER, START, Cause, Due, LogTime, due_of, revisit, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, Case, Finding, Gap, PersonEvent, Tick
from tests.oracle.judge import Verdict, judge
from tests.oracle.time import date_of, instant
from tests.property.lives import SUBJECT, Life, lives, short_lives

NIGHTLY = os.environ.get("SHEKARA_TEST_PROFILE") == "nightly"

pytestmark = pytest.mark.timeout(0 if NIGHTLY else 300)

LIVES = 20_000 if NIGHTLY else 500
"""Set in the environment by the nightly run; the number of lives the stream and the oracle are compared on."""

agreement = settings(
    max_examples=LIVES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], print_blob=True
)


SHORT_STAY = (
    "rolling-90-180",
    *(str(Path(__file__).parents[1] / "policy" / "policies" / name) for name in ("first-entry.yaml", "per-entry.yaml")),
)
"""Policies with nothing but an allowance, one of each anchor."""


@cache
def policy(name: str = "kz") -> Policy:
    return load(name)


@dataclass
class Told:
    """What the stream said in the end."""

    conclusions: dict[bytes, Alert | Finding] = field(default_factory=dict)
    cases: dict[bytes, Case] = field(default_factory=dict)
    versions: int = 0


def stream(log: Iterable[PersonEvent | Tick], rules: Policy, subject: str = SUBJECT) -> Told:
    """Runs one person through a partition as an agent does: facts at once, ticks only when something is due.

    The state is packed and unpacked between any two steps, as after a restart.
    """
    told = Told()
    state: bytes | None = None
    time, due = START, NEVER
    for record in log:
        if isinstance(record, Tick):
            before, time = time, time.after(record)
            if state is None or not is_due(due, before, time):
                continue
            step = revisit(state, subject, time, Cause(record.event_id, record.occurred_at), rules)
        else:
            step = take(state, record, time, Cause(record.event_id, record.recorded_at), rules)
        due = step.due
        if step.state is not None:
            state = step.state
            assert due_of(state) == due
        versions: tuple[Alert | Finding, ...] = (*step.alerts, *step.findings)
        for version in versions:
            earlier = told.conclusions.get(version.alert_id)
            assert version.version == (1 if earlier is None else earlier.version + 1)
            told.conclusions[version.alert_id] = version
            told.versions += 1
        for case in step.cases:
            told.cases[case.case_id] = case
    return told


def is_due(due: Due, before: LogTime, now: LogTime) -> bool:
    """Whether a tick has to revisit the person."""
    return (
        (due.at_ms is not None and now.now_ms >= due.at_ms)
        or (due.coverage_ms is not None and now.complete_through_ms >= due.coverage_ms)
        or (due.on_gaps and now.gaps != before.gaps)
    )


@agreement
@given(lives() | short_lives())
def test_the_stream_and_the_oracle_agree(life: Life) -> None:
    agree(life, policy())


@settings(agreement, max_examples=max(LIVES // 5, 100))
@given(lives() | short_lives(), st.sampled_from(SHORT_STAY))
def test_they_agree_under_every_anchor(life: Life, name: str) -> None:
    agree(life, policy(name))


@settings(agreement, max_examples=max(LIVES // 5, 100))
@given(lives() | short_lives(), st.lists(st.integers(-400, 60), min_size=1, max_size=3))
def test_they_agree_years_later_when_presumptions_expire(life: Life, days: list[int]) -> None:
    last = max(one.occurred_at for one in life.log)
    years_on = [last + (5 * 365 + 1 + day) * 86_400_000 for day in sorted(days)]
    later = [Tick(at.to_bytes(16, "big"), "clock", at, at, "", 1, at, ()) for at in years_on]
    agree(Life((*life.log, *later)), policy())


def agree(life: Life, rules: Policy) -> None:
    """Fails with a readable story where the stream and the oracle do not say the same of a life."""
    verdict = judge(life.events, rules, *clock_of(life))
    faults = differences(stream(life.log, rules), verdict) + ledger_differences(life, rules, verdict)
    assert not faults, story(life, faults)


def ledger_differences(life: Life, rules: Policy, verdict: Verdict) -> list[str]:
    """Returns the days of which the ledger says something else than the oracle: whether they are lawful, and by which titles."""
    dossier = Dossier(SUBJECT)
    for event in life.events:
        dossier = dossier.add(event)
    came = [
        (day, line.stay_on, line.standing == "lawful", tuple(sorted(line.titles)))
        for line in ledger(assess(dossier, rules, LogTime(*clock_of(life))).situation)
        if line.standing != "unknown"
        for day in range(line.first_on, line.last_on + 1)
    ]
    want = [(one.on, one.stay_on, one.lawful, one.titles or (("allowance",) if one.lawful else ())) for one in verdict.ledger]
    if sorted(came) == sorted(want):
        return []
    faults = [(*one, "oracle") for one in want if one not in came] + [(*one, "ledger") for one in came if one not in want]
    told = [
        f"{date_of(on)} of stay {date_of(stay_on)}, {who}: {'lawful' if lawful else 'not lawful'} {titles}"
        for on, stay_on, lawful, titles, who in sorted(faults)
    ]
    return told[:9] or ["the ledger has a day twice, or not as often as the oracle"]


@settings(agreement, max_examples=max(LIVES // 5, 100))
@given(lives() | short_lives(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repetitions_change_nothing_in_the_end(life: Life, chance: object) -> None:
    assert hasattr(chance, "shuffle")
    events = life.events + life.events[::3]
    chance.shuffle(events)
    ticks = [one for one in life.log if isinstance(one, Tick)]
    agree(Life((*events, *sorted(ticks, key=lambda tick: tick.occurred_at))), policy())


def clock_of(life: Life) -> tuple[int, int, tuple[Gap, ...]]:
    """Returns the log's clock, coverage and gaps at the end, reckoned from the ticks: neither clock nor coverage goes back."""
    now, through = 0, 0
    gaps: tuple[Gap, ...] = ()
    for one in life.log:
        if isinstance(one, Tick) and one.occurred_at >= now:
            now, gaps = one.occurred_at, one.gaps
            through = max(through, one.complete_through_at)
    return now, through, gaps


OPEN = ("raised", "amended", "acknowledged")


def differences(told: Told, verdict: Verdict) -> list[str]:
    """Returns where the stream and the oracle disagree, in words."""
    faults: list[str] = []
    for name, want in verdict.conclusions.items():
        came = told.conclusions.get(name)
        label = f"{want.rule} stay {date_of(want.stay_on)} deadline {date_of(want.deadline_on)}"
        if came is None:
            faults.append(f"{label}: the oracle says {'open' if want.open else 'ended'}, the stream never said anything")
            continue
        ended = "expired" if want.ended_by == "retention" else "resolved"
        if (came.state in OPEN) != want.open or (not want.open and came.state != ended):
            faults.append(f"{label}: the oracle says {'open' if want.open else 'ended'}, the stream {came.state} ({came.reason})")
            continue
        pairs = [
            ("first_day_on", want.first_day_on, came.first_day_on),
            ("last_day_on", want.last_day_on, came.last_day_on),
            ("employer", want.employer, came.employer),
            ("group", want.group, came.group),
            ("post", want.post, came.post),
            ("oblast", want.oblast, came.oblast),
            ("sector", want.sector, came.sector),
            ("family", want.family, came.family),
            ("evidence", [one.hex() for one in want.evidence], [one.hex() for one in came.evidence]),
        ]
        if want.open:
            pairs += [("grade", want.grade, came.grade), ("options", list(want.options), list(came.options))]
        else:
            pairs += [("days", want.days, came.days), ("ended by", want.ended_by, came.reason)]
        faults += [f"{label}: {what}: oracle {left}, stream {right}" for what, left, right in pairs if left != right]
    for name, came in told.conclusions.items():
        if (
            name not in verdict.conclusions
            and came.state != "retracted"
            and not (came.family == "reminder" and came.state in ("resolved", "expired"))
        ):
            faults.append(
                f"{came.rule} stay {date_of(came.stay_on)} deadline {date_of(came.deadline_on)}: "
                f"the stream says {came.state}, the oracle knows of none"
            )
    for name, case in verdict.cases.items():
        stood = told.cases.get(name)
        if stood is None or (stood.stage, stood.protected) != (case.stage, case.protected):
            faults.append(f"case: oracle {case}, stream {stood and (stood.stage, stood.protected)}")
    if verdict.protected:
        removal = [
            one for one in (*told.conclusions.values(), *told.cases.values()) if "officer_may_consider_referral" in one.options
        ]
        faults += [f"removal offered to a protected person: {one}" for one in removal if not isinstance(one, Case) or one.open]
        faults += [
            f"a protected person's case is {one.stage}" for one in told.cases.values() if one.stage in ("referred", "removed")
        ]
    return faults


def story(life: Life, faults: list[str]) -> str:
    """Returns a life as a person would tell it, and what is disputed."""
    lines = ["", *faults, "as it arrived:"]
    for one in life.log:
        own = [
            f"{item.name}={date_of(value) if item.name.endswith('_on') and value is not None else _short(value)}"
            for item in fields(one)
            if item.name not in ("event_id", "subject", "occurred_at", "recorded_at", "source", "source_seq")
            and (value := getattr(one, item.name)) not in (None, "", ())
        ]
        lines.append(f"  {one.event_id.hex()[:8]} {instant(one.occurred_at):%Y-%m-%d %H:%M} {one.NAME} {' '.join(own)}")
    return "\n".join(lines)


def _short(value: object) -> object:
    if isinstance(value, bytes):
        return value.rstrip(b"-").decode() if value[:4].isalpha() and value.isascii() else value.hex()[:8]
    return value
