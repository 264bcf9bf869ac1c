"""What a changed policy would have meant: history judged twice, and who would stand otherwise. Nothing is written anywhere.

**Source**: docs/rules.md; policy questions ("what if registration took 5 days, not 3?") are answered by replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from streams.detect.assess import assess
from streams.detect.calculator import place_of
from streams.detect.dossier import Dossier
from streams.detect.finding import Found
from streams.detect.logtime import LogTime
from streams.policy.model import Policy
from streams.records import INPUTS, PersonEvent
from streams.report.log_events import Select, deliveries

Change = Literal["same", "changed", "no_longer", "newly"]

EVENTS_AT_ONCE = 50_000
"""Events held in memory at once, about; people are read in slices by a hash of their pseudonym."""


@dataclass(slots=True)
class Outcome:
    """What came of judging history twice.

    Attributes:
        people: people judged.
        people_changed: people of whom anything is found otherwise.
        by_rule: by rule, how many findings are the same, changed (other days, or ended rather than open), no longer found,
            newly found.
    """

    people: int = 0
    people_changed: int = 0
    by_rule: dict[str, Counter[Change]] = field(default_factory=dict)

    def add(self, rule: str, change: Change) -> None:
        """Counts one finding."""
        self.by_rule.setdefault(rule, Counter())[change] += 1


def compare(dossiers: Iterable[Dossier], before: Policy, after: Policy, day_from: int, day_to: int) -> Outcome:
    """Judges every dossier under two policies.

    Args:
        dossiers: people's facts.
        before: the policy in force.
        after: the changed policy.
        day_from: first day looked at; findings that ended before are left out. Days since 1970-01-01.
        day_to: last day looked at; facts after it are left out.

    Returns:
        The counts. Findings are held together by rule and stay, not by deadline, which the change may move; no reminders.
    """
    outcome = Outcome()
    for dossier in dossiers:
        outcome.people += 1
        was = _found(dossier, before, day_from, day_to)
        would = _found(dossier, after, day_from, day_to)
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
            outcome.add(key[0], change)
        outcome.people_changed += changed
    return outcome


Key = tuple[str, int, int]


def _found(dossier: Dossier, policy: Policy, day_from: int, day_to: int) -> dict[Key, tuple[int, int | None]]:
    """Returns first and last day by rule, stay and number within them."""
    facts = tuple([fact for fact in dossier.facts if policy.local_day(fact.occurred_at, place_of(fact)) <= day_to])
    assessment = assess(Dossier(dossier.subject, facts), policy, LogTime(policy.day_end_ms(day_to, "") - 1, 0, ()))
    kept = [one for one in assessment.findings if _is_within(one, policy, day_from, day_to)]
    numbers: Counter[tuple[str, int]] = Counter()
    found: dict[Key, tuple[int, int | None]] = {}
    for one in sorted(kept, key=lambda one: one.first_day_on):
        number = numbers[one.rule, one.stay_on]
        numbers[one.rule, one.stay_on] += 1
        found[one.rule, one.stay_on, number] = (one.first_day_on, one.last_day_on)
    return found


def _is_within(one: Found, policy: Policy, day_from: int, day_to: int) -> bool:
    terms = policy.at(one.first_day_on).by_rule[one.rule]
    return terms.family != "reminder" and one.first_day_on <= day_to and (one.last_day_on is None or one.last_day_on >= day_from)


def people_in(select: Select) -> Iterator[Dossier]:
    """Yields everybody the warehouse knows, slice by slice.

    Args:
        select: asks the warehouse.
    """
    kinds = [kind for kind in INPUTS if issubclass(kind, PersonEvent)]
    total = sum(int(select(f"SELECT count() FROM raw_{kind.NAME}")[0][0]) for kind in kinds)  # noqa: S608
    slices = total // EVENTS_AT_ONCE + 1
    for number in range(slices):
        events: dict[str, dict[bytes, list[PersonEvent]]] = {}
        for kind in kinds:
            for one in deliveries(kind, select, f"cityHash64(subject) % {slices} = {number}"):
                record = one.record
                assert isinstance(record, PersonEvent)  # noqa: S101 - kinds holds no other
                events.setdefault(record.subject, {}).setdefault(record.event_id, []).append(record)
        for subject, facts in events.items():
            dossier = Dossier(subject)
            for versions in facts.values():
                for fact in versions:
                    dossier = dossier.add(fact)
            yield dossier
