"""What is true of employers and quotas in the simulated country: who hired whom, gathered as the stories are told.

Only what was told is counted, by whoever told it: nothing here asks a rule. What hangs on one day, on a dispute or on what an
officer does is left open (``None``), as with people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from streams.records import EmployerDeclaration, Inspection, LabourContract, ProtectionStatus, QuotaAllocation, WorkPermit
from streams.simulate.draft import Draft
from streams.simulate.life import Life, World

_EPOCH = date(1970, 1, 1).toordinal()
_PAIRS = {"1": 0, "2": 0, "3": 1, "4": 1}
_OF_WORKERS = ("work_without_permit", "work_permit_expired", "work_other_employer")
_KEPT = "trafficking"
_TURN_DAYS = 7

Where = tuple[str | None, str | None, str | None]
"""Oblast, category and sector of a quota line; none: all."""


@dataclass(slots=True)
class _Held:
    """A work permit as it is in force.

    Attributes:
        subject: whose.
        pair: which of the two pairs of categories; none of them: no pair.
        first_on: first day.
        last_on: last day.
    """

    subject: str
    pair: int | None
    first_on: int
    last_on: int


@dataclass(slots=True)
class _Kept:
    """Someone who was kept at an address and seen there after the permit ended.

    Attributes:
        expired_on: last day of the permit.
        freed: whether the person is out by now: recognised as a victim, or protected as a child.
    """

    expired_on: int
    freed: bool


@dataclass(slots=True)
class _Workplace:
    """What became of one employer."""

    citizens: tuple[int, int] = (0, 0)
    declared_on: int | None = None
    held: list[_Held] = field(default_factory=list)
    suspected: bool = False
    claims: list[bool] = field(default_factory=list)
    kept: list[_Kept] = field(default_factory=list)

    def turns(self) -> list[list[_Kept]]:
        """Returns those kept together: permits of one turn end within days of each other, turns are two months apart."""
        found: list[list[_Kept]] = []
        for one in sorted(self.kept, key=lambda each: each.expired_on):
            if found and one.expired_on <= found[-1][0].expired_on + _TURN_DAYS:
                found[-1].append(one)
            else:
                found.append([one])
        return found


class Workplaces:
    """Gathers what is true of every employer and quota line of one simulation.

    Args:
        world: what every life shares.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: dict[str, _Workplace] = {employer.subject: _Workplace() for employer in world.employers.all}
        self._issued: list[tuple[int, Where]] = []
        self._allocated: dict[tuple[int, Where], dict[int, int]] = defaultdict(dict)

    def declared(self, draft: Draft) -> None:
        """Takes an employer's declaration or a quota allocation that reaches the log."""
        if draft.kind is EmployerDeclaration:
            place = self._places[draft.subject]
            place.citizens = (draft.rest[4], draft.rest[5])  # they come by day: the last holds
            place.declared_on = draft.rest[0] if place.declared_on is None else place.declared_on
        elif draft.kind is QuotaAllocation:
            quota, year, _, oblast, category, sector, persons, effective_on = draft.rest
            if quota == "labour" and effective_on <= self._world.end_on:
                self._allocated[year, (oblast, category, sector)][effective_on] = persons

    def take(self, life: Life) -> None:
        """Takes a person whose story was told."""
        permits: dict[bytes, list[_Held]] = {}
        for draft in life.drafts:
            if draft.kind is WorkPermit:
                self._permit(draft, permits)
            elif draft.kind is LabourContract and draft.rest[3] == "KAZ":
                self._places[draft.rest[2]].suspected = True
            elif draft.kind is Inspection and draft.rest[0] == "worker_found":
                place = self._places[draft.rest[3]]
                place.suspected = True
                if life.truth.story == _KEPT:
                    self._keep(place, life, permits)
        if not life.truth.disputed:
            for claim in life.truth.expected:
                if claim.employer and claim.rule in _OF_WORKERS:
                    self._places[claim.employer].claims.append(claim.open)

    def _permit(self, draft: Draft, permits: dict[bytes, list[_Held]]) -> None:
        kind, permit_id, permit_type, category, employer, oblast, sector, first_on, last_on = draft.rest
        on = self._world.places.day_of(draft.occurred_at, oblast)
        if kind == "revoked":
            for held in permits.get(permit_id, ()):
                held.last_on = min(held.last_on, on)
            return
        held = _Held(draft.subject, _PAIRS.get(category or ""), first_on, last_on)
        if kind == "issued" and permit_id not in permits and permit_type in ("employer", "seasonal"):
            self._issued.append((on, (oblast, "seasonal" if permit_type == "seasonal" else category, sector)))
        permits.setdefault(permit_id, []).append(held)
        if employer is not None:
            self._places[employer].held.append(held)

    def _keep(self, place: _Workplace, life: Life, permits: dict[bytes, list[_Held]]) -> None:
        ends = [held.last_on for each in permits.values() for held in each if held.first_on <= held.last_on]
        if ends:
            freed = any(draft.kind is ProtectionStatus for draft in life.drafts)
            place.kept.append(_Kept(max(ends), freed))

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yields a line of the truth file for every employer, then for every line of the labour quota."""
        for subject, place in self._places.items():
            yield self._employer(subject, place)
        for (year, where), versions in sorted(self._allocated.items(), key=lambda each: (each[0][0], str(each[0][1]))):
            yield self._quota(year, where, versions)

    def _employer(self, subject: str, place: _Workplace) -> dict[str, Any]:
        end_on = self._world.end_on
        rules = self._world.policy.at(end_on)
        expected: list[dict[str, Any]] = []

        def expect(rule: str, stay_on: int | None, *, is_open: bool | None) -> None:
            expected.append({"rule": rule, "stay_on": stay_on, "open": is_open})

        greedy = subject in self._world.employers.greedy
        if greedy and place.declared_on is not None:
            expect("employer_citizen_share", place.declared_on, is_open=True)
        working = [
            len({held.subject for held in place.held if held.pair == pair and held.first_on <= end_on <= held.last_on})
            for pair in (0, 1)
        ]
        over: bool | None = None
        if place.declared_on is not None and rules.citizen_share_12 is not None and rules.citizen_share_34 is not None:
            shares = (rules.citizen_share_12, rules.citizen_share_34)
            over = any(
                number * 100 > (citizens + number) * (100 - share)
                for number, citizens, share in zip(working, place.citizens, shares, strict=True)
            )
            if over:
                expect("employer_over_quota", None, is_open=True)
        if place.claims:
            expect("employer_unlawful_workers", None, is_open=True if any(place.claims) else None)
        for people in place.turns():
            first_on = people[0].expired_on
            least = self._world.policy.at(first_on).trafficking_min_workers
            if least is not None and len(people) >= least:
                expect("trafficking_indicators", first_on, is_open=None if all(one.freed for one in people) else True)
        return {
            "kind": "employer",
            "subject": subject,
            "citizens": list(place.citizens),
            "working_on_permits": working,
            "below_share": greedy,
            "over_quota": over,
            "unlawful_workers": True if place.claims else None if place.suspected else False,
            "kept": [len(people) for people in place.turns()],
            "expected": expected,
        }

    def _quota(self, year: int, where: Where, versions: dict[int, int]) -> dict[str, Any]:
        last_on = date(year, 12, 31).toordinal() - _EPOCH
        on = min(self._world.end_on, last_on)
        issued = Counter(
            day
            for day, its in self._issued
            if date.fromordinal(day + _EPOCH).year == year
            and all(want in (None, has) for want, has in zip(where, its, strict=True))
        )
        used = sum(number for day, number in issued.items() if day <= on)
        persons = versions[max(versions)]
        used_up = used >= persons
        expected = [{"rule": "quota_exhausted", "stay_on": None, "open": self._world.end_on <= last_on}] if used_up else []
        return {
            "kind": "quota",
            "subject": "-".join(part for part in ("labour", str(year), *where) if part),
            "persons": persons,
            "issued": used,
            "used_up": used_up,
            "expected": expected,
        }
