"""One person's life in the synthetic country, told as the events it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streams.policy.codes import Post
from streams.policy.model import Policy
from streams.records import BorderCrossing, Inspection, ProtectionStatus, Record, StayRegistration
from streams.simulate.data import Country
from streams.simulate.draft import HOUR_MS, MINUTE_MS, Draft
from streams.simulate.draws import Draws
from streams.simulate.employers import Employer, Employers
from streams.simulate.places import Places
from streams.simulate.rates import Rates
from streams.simulate.truth import Expected, PersonTruth

CERTAINLY_LATE_DAYS = 14
"""Three working days after entry are over by then, whatever holidays there were: what the truth calls late."""

_DOCUMENT = "passport"


@dataclass(frozen=True, slots=True)
class World:
    """What every life shares.

    Attributes:
        seed: of the simulation.
        rates: how often what happens.
        country: tables.
        policy: registers of codes, zones, and the limits the truth is told by.
        places: posts, oblasts and their time.
        employers: who employs.
        start_on: first simulated day.
        start_ms: its first instant, UTC epoch ms.
        end_ms: the last tick; nothing happens after it.
        end_on: its local day in the biggest city.
        quota_ratio: people of the simulation for each real resident foreigner, to scale quotas by.
    """

    seed: int
    rates: Rates
    country: Country
    policy: Policy
    places: Places
    employers: Employers
    start_on: int
    start_ms: int
    end_ms: int
    end_on: int
    quota_ratio: float


@dataclass(slots=True)
class Life:
    """One person.

    Attributes:
        world: what is shared.
        draws: the person's own chance.
        subject: pseudonym.
        citizenship: alpha-3.
        group: the policy's group on the first day.
        truth: what is true of the person.
        oblast: where the person lives now.
        drafts: the events so far, in the order they were told.
        stay_on: local day of the last entry.
        entry_at: instant of the last entry.
        post: where it was.
    """

    world: World
    draws: Draws
    subject: str
    citizenship: str
    group: str
    truth: PersonTruth
    oblast: str
    drafts: list[Draft] = field(default_factory=list)
    stay_on: int = 0
    entry_at: int = 0
    post: Post | None = None

    def event(self, kind: type[Record], occurred_at: int, source: str, *rest: Any, typed_after_ms: int = 0) -> Draft:
        """Tells one event; what nobody has written down when the simulation ends does not reach the log.

        Args:
            kind: the record's class.
            occurred_at: UTC epoch ms.
            source: the publishing system.
            rest: the fields behind the envelope.
            typed_after_ms: how long after it happened it was written down; a few minutes by default.
        """
        delay = typed_after_ms or int(self.draws.ratio() * 10 * MINUTE_MS) + 1_000
        draft = Draft(kind, self.draws.uuid(), self.subject, occurred_at, occurred_at + delay, source, rest)
        if draft.recorded_at <= self.world.end_ms:
            self.drafts.append(draft)
        return draft

    def happened(self, on: int) -> bool:
        """Returns whether a local day is safely over when the simulation ends."""
        return on < self.world.end_on

    def enter(self, on: int, purpose: str, visa_id: bytes | None = None) -> Draft:
        """Crosses into the country on a local day."""
        world = self.world
        self.post = world.places.post_for(self.citizenship, self.draws)
        self.entry_at = world.places.crossing_time(on, self.post, self.draws)
        self.stay_on = on
        self.oblast = self.post.oblast if self.draws.chance(0.3) else self.draws.of(world.places.oblasts)
        draft = self._cross("entry", self.post, self.entry_at, purpose=purpose, visa_id=visa_id)
        if self.entry_at <= world.end_ms:
            self.truth.stays.append([on, None])
        return draft

    def leave(self, on: int, typed_at: int = 0) -> None:
        """Crosses out of the country on a local day, not before an hour after entry.

        Args:
            on: local day.
            typed_at: instant at which the post typed it in, if not at once.
        """
        world = self.world
        post = world.places.post_for(self.citizenship, self.draws)
        at_ms = max(world.places.crossing_time(on, post, self.draws), self.entry_at + HOUR_MS)
        self._cross("exit", post, at_ms, typed_after_ms=typed_at - at_ms)
        if max(at_ms, typed_at) <= world.end_ms and self.truth.stays and self.truth.stays[-1][1] is None:
            self.truth.stays[-1][1] = world.places.day_of(at_ms, self.post.code if self.post else post.code)

    def refused(self, on: int, reason: str) -> None:
        """Comes to a post and is not let in."""
        post = self.world.places.post_for(self.citizenship, self.draws)
        at_ms = self.world.places.crossing_time(on, post, self.draws)
        self._cross("refusal", post, at_ms, purpose="private", reason=reason)

    def _cross(
        self,
        direction: str,
        post: Post,
        at_ms: int,
        *,
        purpose: str = "unknown",
        visa_id: bytes | None = None,
        reason: str | None = None,
        typed_after_ms: int = 0,
    ) -> Draft:
        transport = {"air": "air", "rail": "rail", "sea": "sea"}.get(post.kind, "road")
        draft = self.event(
            BorderCrossing,
            at_ms,
            f"post:{post.code}",
            direction,
            post.code,
            self.citizenship,
            purpose,
            _DOCUMENT,
            transport,
            visa_id,
            reason,
            typed_after_ms=max(typed_after_ms, 1_000 + int(self.draws.ratio() * 60_000)),
        )
        draft.may_be_wrong = direction != "refusal"
        return draft

    def notify(
        self,
        leaves_on: int | None,
        host: str = "natural_person",
        employer: Employer | None = None,
        *,
        met_on: int | None = None,
    ) -> None:
        """The host gives notice of the arrival: in time, late, or never; says in the truth what must come of it.

        Args:
            leaves_on: the day the person leaves; none for a long stay.
            host: kind of host.
            employer: the host, where it is an employer.
            met_on: the day of an extension, which is as good as a notice; none if there is none.
        """
        world, draws = self.world, self.draws
        own_days = world.policy.at(self.stay_on).notification_groups.get(self.group)
        over_on = self.stay_on + (own_days - 1 if own_days else CERTAINLY_LATE_DAYS)
        chance = draws.ratio()
        on: int | None = self.stay_on + draws.between(0, 20 if own_days else 2)
        if chance < world.rates.notified_never:
            on = None
        elif chance < world.rates.notified_never + world.rates.notified_late:
            on = over_on + draws.between(2, 15)
        if on is not None and leaves_on is not None and on > leaves_on:
            on = None
        if on is not None:
            self.register("arrival", on, None, host, employer)
        self.truth.notified = None
        ends = [day for day in (on, met_on, leaves_on) if day is not None]
        first_end = min(ends) if ends else world.end_on + 2
        if on is not None and on <= over_on:
            self.truth.notified = True if self.happened(on) else None
        elif min(first_end, world.end_on - 1) > over_on + 1:
            self.truth.notified = False
            # An end on the very last day may fall on either side of the last tick.
            if abs(first_end - world.end_on) > 1:
                self.truth.expected.append(Expected("arrival_not_notified", self.stay_on, None, open=first_end > world.end_on))

    def register(
        self, kind: str, on: int, valid_until_on: int | None, host: str = "natural_person", employer: Employer | None = None
    ) -> Draft:
        """Registers the stay: a notice of arrival, an extension or a deregistration."""
        draft = self.event(
            StayRegistration,
            max(self.world.places.office_time(on, self.oblast, self.draws), self.entry_at + HOUR_MS),
            "register:stays",
            kind,
            self.oblast,
            employer.address_key if employer else self.draws.bits(128).to_bytes(16, "big"),
            host,
            employer.subject if employer else None,
            # An extension counts from this day: it makes nothing lawful that came before.
            on if kind == "extension" else self.stay_on,
            valid_until_on,
        )
        draft.may_be_wrong = kind == "arrival"
        return draft

    def checked(self, on: int) -> Draft:
        """Is asked for documents by an officer, on a local day."""
        return self.event(
            Inspection,
            max(self.world.places.office_time(on, self.oblast, self.draws), self.entry_at + HOUR_MS),
            "register:inspections",
            "in_country_check",
            self.draws.uuid(),
            self.oblast,
            None,
            None,
            None,
        )

    def minor(self) -> None:
        """Is known to be a child, from the first crossing on."""
        until_on = self.stay_on + self.draws.between(200, 5_000)
        at_ms = self.entry_at + MINUTE_MS
        if self.entry_at:
            self.event(ProtectionStatus, at_ms, "register:protection", "minor", self.draws.uuid(), until_on)

    def found_working(self, employer: Employer, first_on: int, last_on: int) -> list[int]:
        """Is found at work by every visit to the employer between two days.

        Returns:
            The local days of the visits the log knows of.
        """
        days = []
        for visit in self.world.employers.visits(employer, first_on, last_on):
            if visit.at_ms < self.entry_at + HOUR_MS:
                continue
            draft = self.event(
                Inspection,
                visit.at_ms,
                "register:inspections",
                "worker_found",
                visit.inspection_id,
                employer.oblast,
                employer.subject,
                employer.sector,
                employer.address_key,
            )
            if draft.recorded_at <= self.world.end_ms:
                days.append(visit.on)
        return days

    def expect_overstay(self, rule: str, deadline_on: int, left_on: int | None, cured_on: int | None = None) -> None:
        """Says in the truth that the stay goes beyond a day, where that is certain when the simulation ends.

        Args:
            rule: the rule it must be found under.
            deadline_on: the last lawful day.
            left_on: day of leaving, if ever.
            cured_on: day from which a title makes it lawful again, if ever.
        """
        end_on = self.world.end_on
        if left_on is not None and left_on <= deadline_on:
            # Lawful; but while the post has not typed the exit in, the log must suspect an overstay.
            self.truth.overstayed = False if self.truth.stays and self.truth.stays[-1][1] is not None else None
            return
        ends = [on for on in (left_on, cured_on) if on is not None and self.happened(on)]
        first_end = min(ends) if ends else None
        if min(first_end or end_on, end_on) > deadline_on + 1:
            self.truth.overstayed = True
            # An end on the very last day may fall on either side of the last tick.
            if not any(on is not None and abs(on - end_on) <= 1 for on in (left_on, cured_on)):
                self.truth.expected.append(Expected(rule, self.stay_on, deadline_on, open=first_end is None))
