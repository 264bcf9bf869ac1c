"""Laws of one person's step: order, duplicates, time and coverage must not change what holds in the end."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from streams.cases.follow import case_id_of
from streams.cases.interlock import prove
from streams.cases.options import REFERRAL
from streams.detect.assess import assess
from streams.detect.dossier import Dossier
from streams.detect.rules.reminders import RULES as REMINDERS
from streams.person import Cause, LogTime, due_of, revisit, take
from streams.person.state import unpack
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, BorderCrossing, Case, Finding, Gap, PersonEvent
from tests.property.person_histories import DAY_MS, SUBJECT, coverages, decided, histories, number

QUICK = settings(max_examples=max(settings().max_examples // 4, 1), deadline=None, suppress_health_check=list(HealthCheck))
CAUSE = Cause(number(1), 7)


@cache
def kz() -> Policy:
    return load("kz")


class Life:
    """One person fed fact by fact and tick by tick, remembering what was told."""

    def __init__(self, policy: Policy, *, eager: bool = False) -> None:
        self.policy = policy
        self.state: bytes | None = None
        self.time = LogTime(0, 0, ())
        self.eager = eager
        self.told: list[Alert | Finding] = []
        self.cases: list[Case] = []

    def _keep(self, step: Any) -> None:
        self.state = step.state or self.state
        self.told += [*step.alerts, *step.findings]
        self.cases += step.cases

    def take(self, event: PersonEvent) -> None:
        step = take(self.state, event, self.time, CAUSE, self.policy)
        self._keep(step)
        assert self.state is not None
        assert due_of(self.state) == step.due

    def tick(self, time: LogTime) -> None:
        before, self.time = self.time, time
        if self.state is None:
            return
        due = due_of(self.state)
        if (
            self.eager
            or (due.at_ms is not None and time.now_ms >= due.at_ms)
            or (due.coverage_ms is not None and time.complete_through_ms >= due.coverage_ms)
            or (due.on_gaps and time.gaps != before.gaps)
        ):
            step = revisit(self.state, SUBJECT, time, CAUSE, self.policy)
            self._keep(step)
            assert due_of(self.state) == step.due

    def latest(self) -> dict[bytes, Alert | Finding]:
        return {one.alert_id: one for one in self.told}

    def holds(self) -> dict[bytes, tuple[Any, ...]]:
        """Returns what holds now: open conclusions, and breaches that have ended (an ended reminder is history)."""
        found: dict[bytes, tuple[Any, ...]] = {}
        for one in self.latest().values():
            is_open = one.state in ("raised", "amended", "acknowledged")
            if one.state == "retracted" or (one.state in ("resolved", "expired") and one.rule in REMINDERS):
                continue
            content = (one.rule, is_open, one.first_day_on, one.last_day_on, one.employer, one.evidence, one.stay_on)
            found[one.alert_id] = (*content, one.grade, one.options) if is_open else content
        return found


@given(st.data())
@QUICK
def test_the_order_and_number_of_copies_of_facts_do_not_change_what_holds(data: st.DataObject) -> None:
    events = data.draw(histories())
    now, through, gaps = data.draw(coverages(events))
    time = LogTime(now, through, gaps)
    lives = []
    for order in (events, data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))):
        life = Life(kz())
        ticks = sorted(data.draw(st.lists(st.sampled_from(events).map(lambda one: one.occurred_at), max_size=2)))
        for index, event in enumerate(order):
            if ticks and index % 3 == 2:
                at = ticks.pop(0)
                if at <= now:
                    life.tick(LogTime(at, min(at, through), ()))
            life.take(event)
        life.tick(time)
        assert life.state is not None
        life.eager = True
        life.tick(time)
        lives.append(life)
    assert unpack(lives[0].state or b"", SUBJECT).dossier == unpack(lives[1].state or b"", SUBJECT).dossier
    assert lives[0].holds() == lives[1].holds()


@given(st.data())
@QUICK
def test_versions_of_a_conclusion_and_of_a_case_count_up_by_one(data: st.DataObject) -> None:
    life = Life(kz())
    for event in data.draw(decided(data.draw(histories()), kz())):
        life.take(event)
    seen: dict[bytes, int] = {}
    for one in [*life.told, *life.cases]:
        name = one.case_id if isinstance(one, Case) else one.alert_id
        assert one.version == seen.get(name, 0) + 1
        seen[name] = one.version


@given(st.data())
@QUICK
def test_a_fact_that_is_known_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(histories())
    life = Life(kz())
    for event in events:
        life.take(event)
    for event in events:
        step = take(life.state, event, life.time, CAUSE, kz())
        assert (step.state, step.alerts, step.findings, step.cases) == (None, (), (), ())


@given(st.data())
@QUICK
def test_looking_only_when_due_tells_what_looking_at_every_tick_tells(data: st.DataObject) -> None:
    events = sorted(data.draw(decided(data.draw(histories(8)), kz())), key=lambda one: one.occurred_at)
    lazy, eager = Life(kz()), Life(kz(), eager=True)
    clock = events[0].occurred_at - 3 * DAY_MS
    through = clock - 10 * DAY_MS
    end = events[-1].occurred_at + 100 * DAY_MS
    gaps: tuple[Gap, ...] = ()
    steps = st.sampled_from([3_600_000, DAY_MS, DAY_MS, 5 * DAY_MS])
    while clock < end:
        while events and events[0].occurred_at <= clock:
            event = events.pop(0)
            lazy.take(event)
            eager.take(event)
        clock += data.draw(steps)
        through = max(through, clock - data.draw(st.sampled_from([0, DAY_MS, 30 * DAY_MS])))
        if data.draw(st.integers(0, 9)) == 0:
            gaps = data.draw(coverages(events, after_days=0))[2] if events else ()
        time = LogTime(clock, through, gaps)
        lazy.tick(time)
        eager.tick(time)
        assert lazy.told == eager.told
        assert lazy.cases == eager.cases


@given(st.data())
@QUICK
def test_revisiting_at_once_after_a_step_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(histories())
    life = Life(kz())
    now, through, gaps = data.draw(coverages(events, after_days=30))
    life.tick(LogTime(now, through, gaps))
    for event in events:
        life.take(event)
        assert life.state is not None
        step = revisit(life.state, SUBJECT, life.time, CAUSE, kz())
        assert (step.state, step.alerts, step.findings, step.cases) == (None, (), (), ())


@given(st.data())
@QUICK
def test_packing_a_dossier_and_a_state_loses_nothing(data: st.DataObject) -> None:
    events = data.draw(histories())
    dossier = Dossier(SUBJECT)
    life = Life(kz())
    for event in events:
        dossier = dossier.add(event)
        life.take(event)
    assert Dossier.unpack(dossier.pack(), SUBJECT) == dossier
    assert life.state is not None
    assert unpack(life.state, SUBJECT).dossier == dossier
    assert unpack(life.state, SUBJECT).pack() == life.state


@given(st.data())
@QUICK
def test_facts_added_in_any_order_make_the_same_bytes(data: st.DataObject) -> None:
    events = data.draw(histories())
    one, other = Dossier(SUBJECT), Dossier(SUBJECT)
    for event in events:
        one = one.add(event)
    for event in data.draw(st.permutations(events)):
        other = other.add(event)
    assert one == other
    assert one.pack() == other.pack()


@given(st.data())
@QUICK
def test_a_protected_person_never_sees_removal_over_any_order_of_events(data: st.DataObject) -> None:
    events = data.draw(decided(data.draw(histories(10)), kz()))
    life = Life(kz())
    for event in data.draw(st.permutations(events)):
        life.take(event)
        assert life.state is not None
        now = assess(unpack(life.state, SUBJECT).dossier, kz(), life.time)
        proof = prove(now)
        if proof is not None:
            continue
        cases = {one.case_id: one for one in life.cases}
        assert all(one.stage not in ("referred", "removed") and REFERRAL not in one.options for one in cases.values())
        assert all(REFERRAL not in one.options for one in life.latest().values())


@given(st.data())
@QUICK
def test_a_referral_needs_two_different_officers(data: st.DataObject) -> None:
    events = data.draw(decided(data.draw(histories(10)), kz()))
    life = Life(kz())
    for event in events:
        life.take(event)
    for case in {one.case_id: one for one in life.cases}.values():
        if case.stage in ("referred", "removed"):
            mine = [one for one in events if getattr(one, "case_id", b"") == case.case_id]
            proposed = {one.officer for one in mine if one.decision == "referral_proposed"}  # type: ignore[attr-defined]
            confirmed = {one.officer for one in mine if one.decision == "referral_confirmed"}  # type: ignore[attr-defined]
            assert any(a != b for a in proposed for b in confirmed)


@given(st.integers(19_400, 20_300), st.integers(0, 200), st.integers(0, 29))
@QUICK
def test_an_exit_seen_late_retracts_the_overstay(entry_on: int, waited: int, stayed: int) -> None:
    entered = entry_on * DAY_MS + 8 * 3_600_000
    life = Life(kz())
    life.take(_crossing(1, entered, "entry"))
    life.tick(LogTime(entered + (31 + waited) * DAY_MS, 0, ()))
    open_now = [one for one in life.latest().values() if one.rule == "overstay_visa_exempt"]
    assume(open_now)
    assert open_now[0].state == "raised"
    left = entered + stayed * DAY_MS
    life.take(_crossing(2, left, "exit"))
    last = next(one for one in life.latest().values() if one.rule == "overstay_visa_exempt")
    assert (last.state, last.reason) == ("retracted", "exit_seen")
    assert all(one.state not in ("raised", "amended") for one in life.latest().values())


def _crossing(n: int, at: int, direction: Any) -> BorderCrossing:
    return BorderCrossing(
        number(n), SUBJECT, at, at, "", 0, direction, "KZ-75-A1", "UZB", "private", "passport", "air", None, None
    )


def test_a_case_is_named_by_person_and_stay() -> None:
    assert case_id_of("p", 19_000) == case_id_of("p", 19_000)
    assert case_id_of("p", 19_000) != case_id_of("p", 19_001) != case_id_of("q", 19_001)
