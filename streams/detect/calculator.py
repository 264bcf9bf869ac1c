"""The stay calculator: days used and left, the longest lawful stay, the next lawful entry. It always answers.

Official calculators refuse to plan after an overstay; a person who has overstayed needs the answer most.

**Source**: docs/rules.md, The calculator; Stays; Allowance.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.detect.assess import Assessment, assess
from streams.detect.days import Counter, has
from streams.detect.dossier import Dossier
from streams.detect.ledger import Line, ledger
from streams.detect.logtime import LogTime
from streams.detect.rules import overstay
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.policy.model import Allowance, Policy
from streams.records import BorderCrossing, PersonEvent

AHEAD_DAYS = 3660
"""How far the calculator looks for the end of a lawful stay, and for a lawful entry."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the calculator says about a day; days are days since 1970-01-01.

    Attributes:
        on: the day asked about.
        days_used: counted days in the window that ends with the day (without a window: of the stay present on it).
        days_remaining: the limit less the days used; none where the group has no allowance.
        overstay: whether this very day is a day of overstay.
        first_overstay_day: the first day of overstay ever, up to this day; none if there is none.
        ledger: every day of every stay, run by run.
        longest_stay_entry: the entry the longest stay is reckoned from.
        longest_stay_days: lawful days from there without a break; none if no end is in sight.
        last_lawful_day: the last of them; none if there is none, or no end in sight.
        next_lawful_entry: first day on which a new stay would be lawful; none if there is none in ten years.
        assessment: all findings, as the stream would find them.
    """

    on: int
    days_used: int
    days_remaining: int | None
    overstay: bool
    first_overstay_day: int | None
    ledger: tuple[Line, ...]
    longest_stay_entry: int
    longest_stay_days: int | None
    last_lawful_day: int | None
    next_lawful_entry: int | None
    assessment: Assessment


def calculate(
    dossier: Dossier, policy: Policy, on: int, *, entry: int | None = None, citizenship: str = "", coverage: LogTime | None = None
) -> Answer:
    """Answers for a dossier.

    Args:
        dossier: the person's events; those after the day are ignored.
        policy: the policy.
        on: the day asked about.
        entry: the entry the longest stay is reckoned from; by default the running stay's, or else the day itself.
        citizenship: where the dossier has no crossing: whose allowance is asked for.
        coverage: how far the border's records are known to be complete; by default they are not known to be.

    Returns:
        The answer; after an overstay, on contradictory data and without any title too.
    """
    known = Dossier(
        dossier.subject,
        tuple([fact for fact in dossier.facts if policy.local_day(fact.occurred_at, place_of(fact)) <= on]),
        dossier.folded,
    )
    now_ms = policy.day_end_ms(on, "") - 1
    through, gaps = (0, ()) if coverage is None else (coverage.complete_through_ms, coverage.gaps)
    assessment = assess(known, policy, LogTime(now_ms, through, gaps))
    situation = assessment.situation
    crossings = [fact for fact in known.active() if isinstance(fact, BorderCrossing)]
    if crossings:
        citizenship = crossings[-1].citizenship
    elif known.folded is not None:
        citizenship = known.folded.visits[-1].citizenship
    used, limit = _used(situation, on, policy.at(on).allowance(policy.group_of(citizenship, on)))
    breach_days = [
        run
        for stay in situation.presence.stays
        for run in situation.breaches(stay)
        if run[0] <= on and not stay.of_citizen and overstay.rule_of(situation, stay, run[0]) in overstay.RULES
    ]
    lines = tuple(ledger(situation))
    running = [stay for stay in situation.presence.stays if stay.is_open]
    trips = _Trips(situation, citizenship, on)
    if entry is None and running:
        longest_from = running[-1].stay_on
        days = _lawful_days(situation, running[-1], on + AHEAD_DAYS)
    else:
        longest_from = on if entry is None else entry
        days = trips.lawful_days(longest_from, longest_from + AHEAD_DAYS)
    present = any(stay.stay_on <= on <= stay.last_on for stay in situation.presence.stays)
    present = present or any(day == on for day, _ in situation.presence.lone_exits)
    return Answer(
        on=on,
        days_used=used,
        days_remaining=None if limit is None else max(limit - used, 0),
        overstay=has(breach_days, on),
        first_overstay_day=min([first for first, _ in breach_days], default=None),
        ledger=lines,
        longest_stay_entry=longest_from,
        longest_stay_days=days,
        last_lawful_day=longest_from + days - 1 if days else None,
        next_lawful_entry=trips.next_entry(on + 1 if present else on, on + AHEAD_DAYS),
        assessment=assessment,
    )


def place_of(fact: PersonEvent) -> str:
    """Returns the post or oblast of a fact; empty if it has neither."""
    return str(getattr(fact, "post", None) or getattr(fact, "oblast", None) or "")


def _used(situation: Situation, on: int, allowance: Allowance | None) -> tuple[int, int | None]:
    """Returns the counted days that matter on a day, and their limit."""
    if allowance is not None and allowance.days_in_window is not None and allowance.anchor != "per_entry":
        window = allowance.window_days or 0
        counted = Counter(situation.counted())
        if allowance.anchor == "rolling":
            return counted.through(on) - counted.through(on - window), allowance.days_in_window
        start = counted.nth(1)
        while start is not None and start + window <= on:
            start = counted.nth(counted.through(start + window - 1) + 1)
        if start is None or start > on:
            return 0, allowance.days_in_window
        return counted.through(on) - counted.through(start - 1), allowance.days_in_window
    used = 0
    for stay in situation.presence.stays:
        if stay.stay_on <= on <= stay.last_on:
            used = Counter(situation.untitled(stay)).through(on)
    limits = [] if allowance is None else [n for n in (allowance.days_per_entry, allowance.days_in_window) if n is not None]
    return used, min(limits, default=None)


def _lawful_days(situation: Situation, stay: Stay, until: int) -> int | None:
    """Returns how many days a stay is lawful from its first on; none if it is to a day far ahead."""
    runs = situation.breaches(stay)
    if not runs or runs[0][0] > until:
        return None
    return runs[0][0] - stay.stay_on


class _Trips:
    """Imagines a new stay beside the ones there were; a running one ends on the day asked about."""

    def __init__(self, situation: Situation, citizenship: str, on: int) -> None:
        self._situation = situation
        self._on = on
        self._entry = BorderCrossing(
            b"\xff" * 16, "", 0, 0, "", 0, "entry", "", citizenship, "private", "passport", "unknown", None, None
        )  # fmt: skip

    def lawful_days(self, entry_on: int, until: int) -> int | None:
        """Returns how many days a stay from a day on would be lawful; none if no end is in sight."""
        situation = self._situation
        stays = situation.presence.stays
        running = [stay for stay in stays if stay.is_open]
        for stay in running:
            stay.last_on = self._on
        policy = situation.policy
        trip = Stay(self._entry, entry_on, situation.country, policy.group_of(self._entry.citizenship, entry_on))
        trip.today = max(self._on, entry_on)
        stays.append(trip)
        situation.forget()
        days = _lawful_days(situation, trip, until)
        stays.pop()
        for stay in running:
            stay.reopen()
        situation.forget()
        return days

    def next_entry(self, first: int, until: int) -> int | None:
        """Returns the first day on which a new stay would be lawful."""
        for day in range(first, until):
            if self.lawful_days(day, day) != 0:
                return day
        return None
