"""What is known about one person at one moment, laid out so that each rule reads like its sentence in docs/rules.md.

A rule gets a `Situation`, adds what it finds, and says on which coming days time alone could change its answer.
Nothing here or in the rules sees a citizenship: stays carry a group.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.detect import titles as title_kinds
from streams.detect.allowance import Usage
from streams.detect.days import FAR, LAST_MS, Counter, Span, has, intersect, subtract, union
from streams.detect.dossier import Dossier
from streams.detect.finding import Found
from streams.detect.grade import Coverage
from streams.detect.logtime import LogTime
from streams.detect.stays import CITIZENS, Presence, Stay, folded_stays, presence_of
from streams.detect.titles import Title
from streams.policy.model import Policy, Rules
from streams.policy.zones import Zone
from streams.records import (
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Dispute,
    EntryBan,
    Inspection,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)


class Segment:
    """Days of a stay on which one set of values and one group hold.

    Attributes:
        first_on: first day.
        last_on: last day.
        rules: the policy's values.
        group: the stay group.
    """

    __slots__ = ("first_on", "group", "last_on", "rules")

    def __init__(self, first_on: int, last_on: int, rules: Rules, group: str) -> None:
        self.first_on = first_on
        self.last_on = last_on
        self.rules = rules
        self.group = group


class Situation:
    """A dossier read under a policy at a time.

    Attributes:
        policy: the policy.
        now_ms: the person's now, UTC epoch ms.
        today: its day in the country's zone.
        presence: stays, lone exits and re-entries.
        titles: every interval of every title but the allowance.
        contracts: labour contracts concluded for Kazakhstan.
        permits: work permits.
        bans: entry bans, in order.
        disputes: disputes, in order.
        decisions: officers' decisions, in order.
        inspections: inspections, in order.
        coverage: how far silence means something.
        found: what the rules found.
        due_ms: the next instant at which time alone may change an answer; none if there is none.
    """

    __slots__ = (
        "_breaches", "_counted", "_country", "_records", "_segments", "_titled", "bans", "contracts", "coverage",
        "decisions", "disputes", "due_ms", "found", "inspections", "now_ms", "permits", "policy", "presence",
        "titles", "today",
    )  # fmt: skip

    def __init__(self, dossier: Dossier, policy: Policy, time: LogTime) -> None:
        self.policy = policy
        self._records: dict[type[PersonEvent], list[PersonEvent]] = {}
        latest = time.now_ms
        for fact in dossier.active():
            latest = max(latest, fact.occurred_at)
            kind = type(fact)
            if kind in self._records:
                self._records[kind].append(fact)
            else:
                self._records[kind] = [fact]
        self.now_ms = latest
        self._country = policy.zone_of("")
        self.today = self._country.local_day(latest)
        self.due_ms: int | None = None
        self.found: list[Found] = []
        self.coverage = Coverage(time)
        records = self._records
        registrations: list[StayRegistration] = records.get(StayRegistration, [])  # type: ignore[assignment]
        crossings: list[BorderCrossing] = records.get(BorderCrossing, [])  # type: ignore[assignment]
        self.inspections: list[Inspection] = records.get(Inspection, [])  # type: ignore[assignment]
        self.bans: list[EntryBan] = records.get(EntryBan, [])  # type: ignore[assignment]
        self.disputes: list[Dispute] = records.get(Dispute, [])  # type: ignore[assignment]
        self.decisions: list[CaseDecision] = records.get(CaseDecision, [])  # type: ignore[assignment]
        self.presence: Presence = presence_of(crossings, self.inspections, registrations, policy, latest)
        if dossier.folded is not None:
            self.presence.folded = folded_stays(dossier.folded, policy)
        self.contracts: list[Title] = []
        self.permits: list[Title] = []
        self.titles = [] if len(records) == 1 and crossings else self._all_titles(registrations)
        self._titled: dict[int, list[Span]] = {}
        self._segments: dict[int, list[Segment]] = {}
        self._breaches: dict[int, list[Span]] = {}
        self._counted: list[Span] | None = None

    def _all_titles(self, registrations: list[StayRegistration]) -> list[Title]:
        found: list[Title] = []
        policy = self.policy
        for kind, records in self._records.items():
            if kind is ResidencePermit:
                found += title_kinds.residences(records, policy)  # type: ignore[arg-type]
            elif kind is Visa:
                found += title_kinds.visas(records, policy)  # type: ignore[arg-type]
            elif kind is WorkPermit:
                self.permits = title_kinds.work_permits(records, policy)  # type: ignore[arg-type]
                found += self.permits
            elif kind is LabourContract:
                self.contracts = title_kinds.contracts(records, policy)  # type: ignore[arg-type]
                found += self.contracts
            elif kind is StayRegistration:
                found += title_kinds.extensions(registrations)
            elif kind is ProtectionStatus:
                found += title_kinds.protections(records, policy)  # type: ignore[arg-type]
            elif kind is Citizenship:
                found += title_kinds.citizenships(records)  # type: ignore[arg-type]
        return found

    def records_of(self, kind: type[PersonEvent]) -> list[PersonEvent]:
        """Returns the active facts of one type, in order."""
        return self._records.get(kind, [])

    def records_tied_by(self, refs: set[bytes]) -> list[PersonEvent]:
        """Returns all active records of some visas, permits, contracts, procedures and extensions."""
        found: list[PersonEvent] = []
        for kind, records in self._records.items():
            for record in records:
                ref = b""
                if kind is Visa:
                    ref = record.visa_id  # type: ignore[attr-defined]
                elif kind is ResidencePermit or kind is WorkPermit:
                    ref = record.permit_id  # type: ignore[attr-defined]
                elif kind is LabourContract:
                    ref = record.contract_id  # type: ignore[attr-defined]
                elif kind is ProtectionStatus:
                    ref = record.protection_id  # type: ignore[attr-defined]
                elif kind is StayRegistration:
                    ref = record.event_id
                if ref in refs:
                    found.append(record)
        return found

    def group_at(self, crossing: BorderCrossing, day: int) -> str:
        """Returns the stay group of the citizenship shown at a crossing, on a day."""
        return self.policy.group_of(crossing.citizenship, day)

    # Time

    def look_again_on(self, day: int, zone: Zone) -> None:
        """Says that time alone may change an answer at the start of a coming day."""
        if day < FAR:
            at = zone.day_end_ms(day - 1)
            if self.now_ms < at < LAST_MS and (self.due_ms is None or at < self.due_ms):
                self.due_ms = at

    @property
    def country(self) -> Zone:
        """The zone of what is not about a stay."""
        return self._country

    # Titles of a stay's days

    def segments(self, stay: Stay) -> list[Segment]:
        """Returns the days of a stay cut where the policy's values or the group change."""
        known = self._segments.get(id(stay))
        if known is None:
            known = []
            day = stay.stay_on
            while day <= stay.last_on:
                segment = self._segment(stay, day)
                known.append(segment)
                day = segment.last_on + 1
            self._segments[id(stay)] = known
        return known

    def _segment(self, stay: Stay, day: int) -> Segment:
        """Returns the days of a stay from one day on that share its values and group."""
        policy = self.policy
        citizenship = stay.entry.citizenship
        rules = policy.at(day)
        last = stay.last_on if rules.until_on is None or rules.until_on > stay.last_on else rules.until_on
        for start in policy.group_starts.get(citizenship, ()):
            if day < start <= last:
                last = start - 1
                break
        return Segment(day, last, rules, policy.group_of(citizenship, day))

    def covered(self, stay: Stay, title: Title) -> list[Span]:
        """Returns the days of a stay one title covers (a visa: before its days and entries are counted)."""
        if not title.covers:
            return []
        first, last = max(title.first_on, stay.stay_on), min(title.last_on, stay.last_on)
        if first > last:
            return []
        if title.kind == title_kinds.CONTRACT:
            granting = [
                (segment.first_on, segment.last_on)
                for segment in self.segments(stay)
                if segment.group in segment.rules.contract_grants_stay
            ]
            return intersect([(first, last)], union(granting))
        return [(first, last)]

    def visa_days(self, stay: Stay) -> list[tuple[bytes, list[Span]]]:
        """Returns, by visa, the days of a stay it covers.

        These are the first ``days_allowed`` days of presence in its validity (of all stays), in stays it admits.
        """
        found: list[tuple[bytes, list[Span]]] = []
        by_visa: dict[bytes, list[Title]] = {}
        for title in self.titles:
            if title.kind == title_kinds.VISA:
                by_visa.setdefault(title.ref, []).append(title)
        for ref, intervals in by_visa.items():
            validity = union([(title.first_on, title.last_on) for title in intervals])
            if not validity or stay.last_on < validity[0][0] or stay.stay_on > validity[-1][1]:
                continue
            latest = intervals[-1].record
            assert isinstance(latest, Visa)  # noqa: S101 - for the type checker: intervals of kind VISA come from visas
            if latest.entries_allowed and stay.stay_on >= validity[0][0]:
                inside = [one for one in self.presence.visits if has(validity, one.stay_on)]
                if stay not in inside[: latest.entries_allowed]:
                    continue
            present = [(one.stay_on, one.last_on) for one in self.presence.visits]
            present += [(day, day) for day, _ in self.presence.lone_exits]
            used = intersect(union(present), validity)
            end = Counter(used).nth(latest.days_allowed)
            if latest.days_allowed <= 0:
                continue
            days = intersect([(stay.stay_on, stay.last_on)], validity)
            if end is not None:
                days = intersect(days, [(0, end)])
            if days:
                found.append((ref, days))
        return found

    def titled(self, stay: Stay) -> list[Span]:
        """Returns the days of a stay that have a title other than the allowance."""
        if stay.of_citizen:
            return [(stay.stay_on, stay.last_on)]
        if not self.titles:
            return []
        known = self._titled.get(id(stay))
        if known is None:
            spans: list[Span] = []
            visas = False
            for title in self.titles:
                if title.kind == title_kinds.VISA:
                    visas = True
                else:
                    spans += self.covered(stay, title)
            if visas:
                for _, days in self.visa_days(stay):
                    spans += days
            known = self._titled[id(stay)] = union(spans)
        return known

    def untitled(self, stay: Stay) -> list[Span]:
        """Returns the days of a stay without a title other than the allowance."""
        return subtract([(stay.stay_on, stay.last_on)], self.titled(stay))

    def forget(self) -> None:
        """Forgets what was worked out from the stays, because the stays are imagined otherwise."""
        self._titled = {}
        self._segments = {}
        self._breaches = {}
        self._counted = None

    def counted(self) -> list[Span]:
        """Returns all days of presence without a title other than the allowance (a day shared by stays: in one of them)."""
        if self._counted is None:
            spans: list[Span] = []
            for stay in self.presence.visits:
                spans += self.untitled(stay)
            for day, crossing in self.presence.lone_exits:
                if self.group_at(crossing, day) != CITIZENS and not self._titled_without_stay(day):
                    spans.append((day, day))
            self._counted = union(spans)
        return self._counted

    def _titled_without_stay(self, day: int) -> bool:
        outside = (title_kinds.VISA, title_kinds.CONTRACT)
        return any(title.covers and title.kind not in outside and title.first_on <= day <= title.last_on for title in self.titles)

    def breaches(self, stay: Stay) -> list[Span]:
        """Returns the runs of days of a stay without any title; of an open stay, as if the person stayed on."""
        known = self._breaches.get(id(stay))
        if known is not None:
            return known
        untitled = self.untitled(stay)
        found: list[Span] = []
        usage: Usage | None = None
        day = stay.stay_on
        while untitled and day <= stay.last_on:
            segment = self._segment(stay, day)
            allowance = segment.rules.allowance(segment.group)
            pieces = intersect(untitled, [(day, segment.last_on)])
            if allowance is None:
                found += pieces
            elif pieces:
                if usage is None:
                    usage = Usage(untitled, self.counted(), stay.today)
                for piece in pieces:
                    found += usage.beyond(allowance, piece)
            day = segment.last_on + 1
            if found and found[-1][1] >= stay.today and day > stay.today:
                break  # what follows the next change need not be known before it comes: time looks again then
        found = union(found)
        self._breaches[id(stay)] = found
        return found

    def has_title(self, kind: int, day: int, *, strong: bool = False) -> bool:
        """Returns whether a title of a kind covers a day (strong: a permanent residence, a recognised protection)."""
        return any(
            title.kind == kind and title.covers and title.first_on <= day <= title.last_on and (title.strong or not strong)
            for title in self.titles
        )

    def citizen_from(self, day: int) -> int | None:
        """Returns the first day on or after a day on which the registers call the person a citizen; none if there is none."""
        firsts = [
            max(title.first_on, day) for title in self.titles if title.kind == title_kinds.CITIZENSHIP and title.last_on >= day
        ]
        return min(firsts) if firsts else None

    # What rules find

    def applies(self, rule: str, day: int) -> bool:
        """Returns whether the policy has the rule on a day."""
        return rule in self.policy.at(day).by_rule

    def oblast_of(self, stay: Stay) -> str:
        """Returns where a stay belongs: the latest notice, else the latest inspection, else the entry post's oblast."""
        if stay.notices:
            return stay.notices[-1][1].oblast
        if stay.seen:
            return stay.seen[-1][1].oblast
        post = self.policy.codes.posts.get(stay.entry.post)
        return "" if post is None else post.oblast

    def add(self, found: Found, stay: Stay, evidence: Iterable[PersonEvent] = (), *, graded: bool = True) -> Found:
        """Completes what a rule found about a stay with who, where, how sure and on what it rests, and keeps it.

        Args:
            found: rule, stay, deadline, first and last day, how it ended; oblast where it is not the stay's.
            stay: the stay.
            evidence: what it rests on besides the entry, the exit and the inspections.
            graded: whether the grade depends on presence (else it is established).
        """
        today = stay.today
        last = today if found.last_day_on is None else found.last_day_on
        if found.ended_by in ("title_found", "registered", "permit_found", "contract_found", "citizenship"):
            last -= 1
        found.days = max(min(last, today) - found.first_day_on + 1, 0)
        found.group = stay.group
        found.post = stay.entry.post
        found.departed = stay.exit is not None
        if not found.oblast:
            found.oblast = self.oblast_of(stay)
        rests: dict[bytes, PersonEvent] = {stay.entry.event_id: stay.entry}
        if graded:
            if stay.exit is not None:
                rests[stay.exit.event_id] = stay.exit
            for day, inspection in stay.seen:
                if day >= found.first_day_on:
                    rests[inspection.event_id] = inspection
        for record in evidence:
            rests[record.event_id] = record
        found.evidence = in_order(rests.values())
        if graded:
            found.grade = self.coverage.grade(stay, found)
        self.found.append(found)
        return found


def in_order(records: Iterable[PersonEvent]) -> tuple[bytes, ...]:
    """Returns the ids of records in order of ``(occurred_at, event_id)``."""
    return tuple(record.event_id for record in sorted(records, key=lambda one: (one.occurred_at, one.event_id)))
