"""What a changed policy would have meant: history judged twice, and who would stand otherwise. Nothing is written anywhere.

**Source**: docs/rules.md; policy questions ("what if registration took 5 days, not 3?") are answered by replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from streams.detect.assess import assess
from streams.detect.calculator import place_of
from streams.detect.days import Span
from streams.detect.dossier import Dossier
from streams.detect.employers import share
from streams.detect.employers.headcounts import Headcounts
from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.policy.model import Policy
from streams.records import INPUTS, EmployerDeclaration, PersonEvent
from streams.report.log_events import Select, deliveries

Change = Literal["same", "changed", "no_longer", "newly"]

Key = tuple[str, int, int]
"""Rule, stay, and number of the finding within them."""

Days = tuple[int, int | None]
"""First and last day of a finding; none while it lasts."""

NOT_ASKED = ("employer_over_quota", "employer_unlawful_workers", "quota_exhausted", "quota_forecast", "trafficking_indicators")
"""Rules that need everybody's events at once: a changed policy is not asked about them here."""

EVENTS_AT_ONCE = 50_000
"""Events held in memory at once, about; people are read in slices by a hash of their pseudonym."""


@dataclass(slots=True)
class Outcome:
    """What came of judging history twice.

    Attributes:
        people: people judged.
        people_changed: people of whom anything is found otherwise.
        employers: employers judged, by what they declared.
        employers_changed: employers of whom anything is found otherwise.
        by_rule: by rule, how many findings are the same, changed (other days, or ended rather than open), no longer found,
            newly found.
    """

    people: int = 0
    people_changed: int = 0
    employers: int = 0
    employers_changed: int = 0
    by_rule: dict[str, Counter[Change]] = field(default_factory=dict)

    def add(self, was: dict[Key, Days], would: dict[Key, Days]) -> bool:
        """Counts what is found of somebody under either policy; returns whether anything of it is otherwise."""
        changed = False
        for key in was.keys() | would.keys():
            earlier, later = was.get(key), would.get(key)
            change: Change = "same"
            if earlier is None:
                change = "newly"
            elif later is None:
                change = "no_longer"
            elif earlier != later:
                change = "changed"
            changed = changed or change != "same"
            self.by_rule.setdefault(key[0], Counter())[change] += 1
        return changed


def compare(
    dossiers: Iterable[Dossier], before: Policy, after: Policy, days: Span, *, employers: Iterable[Headcounts] = ()
) -> Outcome:
    """Judges every dossier, and what every employer declared, under two policies.

    Args:
        dossiers: people's facts.
        before: the policy in force.
        after: the changed policy.
        days: first day looked at (findings that ended before are left out) and last (facts after it are left out); days since
            1970-01-01.
        employers: what each employer declared.

    Returns:
        The counts. Findings are held together by rule and stay, not by deadline, which the change may move; no reminders.
    """
    outcome = Outcome()
    for dossier in dossiers:
        outcome.people += 1
        outcome.people_changed += outcome.add(_of_person(dossier, before, days), _of_person(dossier, after, days))
    for one in employers:
        outcome.employers += 1
        outcome.employers_changed += outcome.add(_of_employer(one, before, days), _of_employer(one, after, days))
    return outcome


def _of_person(dossier: Dossier, policy: Policy, days: Span) -> dict[Key, Days]:
    last = days[1]
    facts = tuple([fact for fact in dossier.facts if policy.local_day(fact.occurred_at, place_of(fact)) <= last])
    assessment = assess(Dossier(dossier.subject, facts), policy, LogTime(policy.day_end_ms(last, "") - 1, 0, ()))
    return _by_place(assessment.findings, policy, days)


def _of_employer(headcounts: Headcounts, policy: Policy, days: Span) -> dict[Key, Days]:
    known = tuple([one for one in headcounts.declarations if one.as_of_on <= days[1]])
    return _by_place(share.find(Headcounts(headcounts.subject, known), policy), policy, days)


def _by_place(all_found: list[Found], policy: Policy, days: Span) -> dict[Key, Days]:
    """Returns first and last day by rule, stay and number within them."""
    kept = [one for one in all_found if _is_within(one, policy, days)]
    numbers: Counter[tuple[str, int]] = Counter()
    found: dict[Key, Days] = {}
    for one in sorted(kept, key=lambda one: one.first_day_on):
        number = numbers[one.rule, one.stay_on]
        numbers[one.rule, one.stay_on] += 1
        found[one.rule, one.stay_on, number] = (one.first_day_on, one.last_day_on)
    return found


def _is_within(one: Found, policy: Policy, days: Span) -> bool:
    terms = policy.at(one.first_day_on).by_rule[one.rule]
    day_from, day_to = days
    return terms.family != "reminder" and one.first_day_on <= day_to and (one.last_day_on is None or one.last_day_on >= day_from)


def people_in(select: Select) -> Iterator[Dossier]:
    """Yields everybody the warehouse knows, each once: of linked pseudonyms the one that answers, with the facts of all.

    Args:
        select: asks the warehouse.
    """
    kinds = [kind for kind in INPUTS if issubclass(kind, PersonEvent)]
    total = sum(int(select(f"SELECT count() FROM raw_{kind.NAME}")[0][0]) for kind in kinds)  # noqa: S608
    slices = total // EVENTS_AT_ONCE + 1
    answers: dict[str, str] = dict(select("SELECT subject, person FROM core_same_person"))
    for number in range(slices):
        alone = f"cityHash64(subject) % {slices} = {number}"
        if answers:
            alone += " AND subject NOT IN (SELECT subject FROM core_same_person)"
        yield from _dossiers(kinds, select, alone, {})
    for number in range(slices if answers else 0):
        linked = f"SELECT subject FROM core_same_person WHERE cityHash64(person) % {slices} = {number}"  # noqa: S608
        yield from _dossiers(kinds, select, f"subject IN ({linked})", answers)


def employers_in(select: Select) -> Iterator[Headcounts]:
    """Yields what each employer the warehouse knows has declared.

    Args:
        select: asks the warehouse.
    """
    found: dict[str, Headcounts] = {}
    for one in deliveries(EmployerDeclaration, select, "1"):
        record = one.record
        assert isinstance(record, EmployerDeclaration)  # noqa: S101 - that is what was asked for
        found[record.subject] = found.get(record.subject, Headcounts(record.subject)).add(record)
    yield from found.values()


def _dossiers(kinds: list[type[PersonEvent]], select: Select, where: str, answers: dict[str, str]) -> Iterator[Dossier]:
    """Yields the dossiers of the events a condition chooses.

    Args:
        kinds: types of events.
        select: asks the warehouse.
        where: a condition in SQL, made of checked values only; it chooses all events of a person or none.
        answers: by pseudonym, the one that answers for it.
    """
    found: dict[str, Dossier] = {}
    for kind in kinds:
        for one in deliveries(kind, select, where):
            record = one.record
            assert isinstance(record, PersonEvent)  # noqa: S101 - kinds holds no other
            person = answers.get(record.subject, record.subject)
            if person != record.subject:
                record = replace(record, subject=person)
            found[person] = found.get(person, Dossier(person)).add(record)
    yield from found.values()
