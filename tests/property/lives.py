"""Lives of one person as a log would hear of them: realistic first, then everything that goes wrong with data.

A life is a list of events and ticks in the order of arrival: late, twice, shuffled, corrected, disputed; ticks carry coverage
and gaps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from streams.records import (
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Correction,
    Dispute,
    EntryBan,
    Gap,
    Inspection,
    Kandas,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidencePermit,
    StayRegistration,
    Tick,
    Visa,
    WorkPermit,
)
from tests.oracle.judge import alert_id, case_id
from tests.property.person_histories import coverages, histories

SUBJECT = "p:7"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000

STARTS = (19_700, 19_320, 18_240, 19_750, 19_600, 14_000)
"""Days on which a life may begin: around the change of zones of 2024, the EAEU's new anchor, the rules of 2020, and long ago."""

CITIZENSHIPS = ("UZB", "UZB", "RUS", "RUS", "CHN", "IND", "IRQ", "IRQ", "TUR", "KAZ", "XXX", "XXA")
POSTS = ("KZ-75-A1", "KZ-75-A1", "KZ-47-R1", "KZ-61-R1", "KZ-27-R1")
OBLASTS = ("KZ-75", "KZ-75", "KZ-47", "KZ-71")
EMPLOYERS = ("e:1", "e:2")
ROUND = (0, 1, 2, 5, 13, 14, 15, 20, 29, 30, 31, 44, 60, 89, 90, 91, 120, 200)


@dataclass(frozen=True)
class Life:
    """A log of one person, in order of arrival."""

    log: tuple[PersonEvent | Tick, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Keeps Hypothesis from printing every field: a failure tells its story in its own words."""
        printer.text("the life told above")

    @property
    def events(self) -> list[PersonEvent]:
        """The events without the ticks."""
        return [one for one in self.log if isinstance(one, PersonEvent)]


class Writer:
    """Writes events of one life with growing ids; ids are shuffled against time on purpose."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.events: list[PersonEvent] = []
        self.salt = draw(st.integers(0, 250))

    def pick(self, *choices: Any) -> Any:
        """Returns one of some choices."""
        return self.draw(st.sampled_from(choices))

    def often(self, of_ten: int) -> bool:
        """Returns true in about so many of ten cases; shrinks to the simpler false."""
        return self.draw(st.integers(0, 9)) >= 10 - of_ten

    def at(self, day: int) -> int:
        """Returns an instant on or near a day; now and then the very instant of the event before."""
        if self.often(1) and self.events and abs(self.events[-1].occurred_at // DAY_MS - day) <= 1:
            return self.events[-1].occurred_at
        hour: int = self.pick(7, 12, 1, 18, 19, 23)
        return day * DAY_MS + hour * HOUR_MS + len(self.events)

    def write(self, kind: type[PersonEvent], at_ms: int, *own: Any) -> PersonEvent:
        """Adds an event and returns it."""
        number = len(self.events) + 1
        name = bytes([(number * 97 + self.salt) % 251]) + number.to_bytes(15, "big")
        recorded = at_ms + self.pick(0, 0, 0, 60_000, 3 * DAY_MS)
        event = kind(name, SUBJECT, at_ms, recorded, "", number, *own)
        self.events.append(event)
        return event


def number_of(kind: str, number: int) -> bytes:
    """Returns the 16 bytes of a permit, visa, contract ..."""
    return kind.encode()[:15].ljust(15, b"-") + bytes([number])


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draws a life."""
    write = Writer(draw)
    day = write.pick(*STARTS)
    citizenship = write.pick(*CITIZENSHIPS)
    for _ in range(draw(st.integers(1, 3))):
        day = _stay(write, day, citizenship)
        if write.often(1):
            citizenship = write.pick(*CITIZENSHIPS)
    if not write.events:
        _crossing(write, "entry", day, citizenship)
    for _ in range(draw(st.integers(0, 3))):
        _anything(write, day, citizenship)
    return Life(tuple(_arrival(write, day)))


def _crossing(write: Writer, direction: str, day: int, citizenship: str) -> PersonEvent:
    purpose = write.pick("private", "work", "tourism")
    return write.write(
        BorderCrossing, write.at(day), direction, write.pick(*POSTS), citizenship, purpose, "passport", "road", None, None
    )


def _stay(write: Writer, day: int, citizenship: str) -> int:
    day += write.pick(0, 0, 1, 3, 10, 40, 100)
    length = write.pick(*ROUND)
    if write.often(8):
        _crossing(write, "entry", day, citizenship)
    if write.often(6):
        kind = write.pick("arrival", "arrival", "extension", "deregistration")
        _notice(write, day + write.pick(0, 1, 3, 4, 5, 8, 20, 29, 30), kind, length)
    if write.often(4):
        _title(write, day, length)
    if write.often(4):
        _working(write, day, length)
    if write.often(2):
        _protection(write, day + write.pick(0, 1, 3, 10))
    if write.often(3):
        write.write(
            Inspection, write.at(day + write.pick(0, 1, length, length + 1, 31)), "in_country_check", number_of("visit", 1),
            write.pick(*OBLASTS), None, None, None,
        )  # fmt: skip
    left = write.often(6)
    if left:
        _crossing(write, "exit", day + length, citizenship)
    if write.often(1 if left else 5):
        _decisions(write, day, length)
    return int(day + length)


def _notice(write: Writer, day: int, kind: str, length: int) -> None:
    until = day + write.pick(5, 30, 90) if kind == "extension" and write.often(8) else None
    write.write(
        StayRegistration, write.at(day), kind, write.pick(*OBLASTS), None, "hotel", None, day - write.pick(0, 0, 1, 5), until
    )


def _title(write: Writer, day: int, length: int) -> None:
    number = write.pick(1, 2)
    first = day + write.pick(-10, 0, 0, 5, -200)
    until = first + write.pick(10, 30, 90, 365, max(length - 2, 1))
    what = write.pick("visa", "visa", "residence", "work", "citizenship")
    if what == "visa":
        days, entries = write.pick(5, 30, 90), write.pick(0, 1, 2)
        write.write(Visa, write.at(first - 5), "issued", number_of("visa", number), "B10", first, until, days, entries)
        if write.often(3):
            kind = write.pick("extended", "annulled")
            late = until + write.pick(-20, -1, 0, 1, 4)
            write.write(
                Visa, write.at(late), kind, number_of("visa", number), "B10", first, until + write.pick(0, 30), days * 2, entries
            )
    elif what == "residence":
        residence = write.pick("temporary", "permanent")
        last = None if residence == "permanent" and write.often(5) else until
        permit = number_of("residence", number)
        write.write(ResidencePermit, write.at(first), "issued", permit, residence, "work", "KZ-47", first, last)
        if write.often(3):
            write.write(ResidencePermit, write.at(first + 7), "revoked", permit, residence, "work", "KZ-47", first, last)
    elif what == "work":
        _permit(write, first, until, number)
    else:
        since = day + write.pick(0, 5, 31, 40)
        write.write(Citizenship, write.at(since), "acquired", write.pick("KAZ", "KAZ", "RUS"), since)
        if write.often(3):
            write.write(Citizenship, write.at(since + 40), "lost", "KAZ", since + 40)


def _permit(write: Writer, first: int, until: int, number: int) -> None:
    what = write.pick("employer", "employer", "household", "self_employment", "intra_company", "seasonal")
    employer = None if what in ("household", "self_employment") else write.pick(*EMPLOYERS)
    permit = number_of("work", number)
    oblast = write.pick(*OBLASTS)
    write.write(WorkPermit, write.at(first), "issued", permit, what, None, employer, oblast, "F", first, until)
    if write.often(3):
        kind = write.pick("extended", "revoked")
        later = until + write.pick(-5, -1, 0)
        write.write(WorkPermit, write.at(later), kind, permit, what, None, employer, oblast, "F", until + 1, until + 200)


def _working(write: Writer, day: int, length: int) -> None:
    if write.often(5):
        first = day + write.pick(-5, 0, 0, 10)
        _permit(write, first, first + write.pick(5, 30, 90, 365, 400), write.pick(1, 2))
    if write.often(5):
        first = day + write.pick(-5, 0, 0, 10, 30)
        until = write.pick(None, first + 20, first + 200)
        contract = number_of("contract", write.pick(1, 2))
        employer, oblast = write.pick(*EMPLOYERS), write.pick(*OBLASTS)
        kind, country = write.pick(("concluded", "KAZ"), ("concluded", "KAZ"), ("outbound", "RUS"))
        write.write(LabourContract, write.at(first), kind, contract, employer, country, oblast, "F", first, until)
        if write.often(3):
            write.write(LabourContract, write.at(first + 9), "ended", contract, employer, "KAZ", oblast, "F", first, until)
    for _ in range(write.pick(0, 1, 1, 2)):
        seen = day + write.pick(0, 2, 7, 31, max(length - 1, 0), length + 2)
        employer = write.pick(*EMPLOYERS, None)
        write.write(Inspection, write.at(seen), "worker_found", number_of("visit", 2), write.pick(*OBLASTS), employer, "F", None)


def _protection(write: Writer, day: int) -> None:
    number = number_of("asylum", write.pick(1, 2))
    what = write.pick("asylum", "asylum", "trafficking_victim", "minor")
    until = write.pick(None, day + 60, day + 400)
    if what != "asylum":
        write.write(ProtectionStatus, write.at(day), what, number_of(what, 1), until)
        number = number_of(what, 1)
    else:
        write.write(ProtectionStatus, write.at(day), "asylum_applied", number, None)
        for kind, wait in (
            (write.pick("asylum_refused", "asylum_recognised", "asylum_refused", None), 20),
            (write.pick("appeal_filed", None), write.pick(10, 30, 31)),
            (write.pick("appeal_dismissed", "appeal_upheld", None), 15),
        ):
            if kind is None:
                break
            day += wait
            write.write(
                ProtectionStatus, write.at(day), kind, number, until if kind in ("asylum_recognised", "appeal_upheld") else None
            )
    if write.often(2):
        write.write(ProtectionStatus, write.at(day + 25), "status_ended", number, None)


def _decisions(write: Writer, stay_on: int, length: int) -> None:
    case = case_id(SUBJECT, stay_on)
    day = stay_on + write.pick(3, 31, max(length - 1, 0), length + 1)
    for kind in write.pick(
        ("contacted",),
        ("referral_proposed", "referral_confirmed"),
        ("referral_proposed", "referral_confirmed", "removed"),
        ("order_to_leave", "left_voluntarily"),
        ("legalised", "reopened"),
        ("cleared",),
        ("acknowledged", "contacted"),
    ):
        write.write(CaseDecision, write.at(day), case, kind, write.pick("o:1", "o:2"), "as recorded", None)
        day += write.pick(0, 1, 5)


def _anything(write: Writer, day: int, citizenship: str) -> None:
    """Adds a fault or an oddity about what is there already."""
    what = write.pick("correction", "correction", "dispute", "dispute", "ban", "crossing", "kandas", "same_id", "alert_dispute")
    target = write.pick(*write.events) if write.events else None
    when = day + write.pick(0, 1, 10, 40)
    if what == "correction" and target is not None:
        write.write(Correction, write.at(when), target.event_id, None, "data_entry")
        if isinstance(target, BorderCrossing) and write.often(5):
            moved = replace(
                target, event_id=b"\xfe" + target.event_id[1:], occurred_at=target.occurred_at + write.pick(-3, 1, 5) * DAY_MS
            )
            write.events.append(moved)
    elif what in ("dispute", "alert_dispute") and target is not None:
        alert = None
        if what == "alert_dispute":
            entries = [one for one in write.events if isinstance(one, BorderCrossing) and one.direction == "entry"] or [target]
            stay_on = (write.pick(*entries).occurred_at + 5 * HOUR_MS) // DAY_MS  # the local day, in most zones and hours
            rule, days = write.pick(("overstay_visa_exempt", 29), ("title_unknown", -1), ("entry_without_exit", 0))
            alert = alert_id(rule, SUBJECT, stay_on, stay_on + days)
        number = number_of("dispute", write.pick(1, 2))
        about = target.event_id if alert is None else None
        write.write(Dispute, write.at(when), "opened", number, about, alert)
        if write.often(5):
            write.write(Dispute, write.at(when + 3), write.pick("upheld", "rejected"), number, about, alert)
    elif what == "ban":
        first = day - write.pick(400, 100, 10)
        until = write.pick(None, first + 399, first + 1825)
        write.write(EntryBan, write.at(first), "imposed", number_of("ban", 1), "court", first, until)
        if write.often(3):
            write.write(EntryBan, write.at(day - write.pick(0, 5, 50)), "lifted", number_of("ban", 1), "court", first, until)
    elif what == "crossing":
        _crossing(write, write.pick("entry", "exit", "refusal"), day - write.pick(0, 1, 5, 30), citizenship)
    elif what == "kandas":
        write.write(Kandas, write.at(day), "applied", number_of("family", 1), 3, "UZB", "KZ-61", True)
    elif what == "same_id" and isinstance(target, BorderCrossing):
        write.events.append(
            replace(
                target, recorded_at=target.recorded_at + write.pick(-60_000, 60_000), post=write.pick(*POSTS), citizenship="UZB"
            )
        )


def _arrival(write: Writer, end: int) -> list[PersonEvent | Tick]:
    """Returns the log: events by arrival, ticks between them and after."""
    draw = write.draw
    first = min(event.occurred_at for event in write.events)
    arrivals: list[tuple[int, int, PersonEvent]] = []
    for number, event in enumerate(write.events):
        delay = write.pick(0, 0, 0, 0, 2, 35, 120)
        arrivals.append((event.occurred_at + delay * DAY_MS, number, event))
        if write.often(1):
            arrivals.append((event.occurred_at + 50 * DAY_MS, number, event))
    arrivals.sort(key=lambda one: one[:2])
    log: list[PersonEvent | Tick] = [event for _, _, event in arrivals]
    if write.often(2):
        log = list(draw(st.permutations(log)))
    ticks = sorted(draw(st.lists(st.integers(0, 400), max_size=8)))
    gap_from = (end + write.pick(-40, -10, 0, 5)) * DAY_MS
    gap = Gap("KZ-61-R1", gap_from, write.pick(None, gap_from + DAY_MS, gap_from + 30 * DAY_MS))
    clock = first
    for day in ticks:
        clock = first + day * DAY_MS + write.pick(0, 5, 19) * HOUR_MS
        lag = write.pick(0, 0, HOUR_MS, 3 * DAY_MS, 90 * DAY_MS)
        gaps = (gap,) if gap.from_at < clock and write.often(3) else ()
        name = day.to_bytes(16, "big")
        tick = Tick(name, "clock", clock, clock, "", 1, clock - lag, gaps)
        place = sum(1 for at, _, _ in arrivals if at <= clock) if write.often(8) else draw(st.integers(0, len(log)))
        place = len(log) if place >= len(arrivals) else place + sum(1 for one in log[:place] if isinstance(one, Tick))
        log.insert(min(place, len(log)), tick)
    return log


@st.composite
def short_lives(draw: st.DrawFn) -> Life:
    """Draws a life from histories in which everything happens at once, in no order at all, then time."""
    events = draw(histories(subject=SUBJECT))
    now, through, gaps = draw(coverages(events))
    ticks = [
        Tick(number.to_bytes(16, "big"), "clock", at, at, "", 1, min(at, through), gaps)
        for number, at in enumerate(sorted({now, *draw(st.lists(st.integers(now - 300 * DAY_MS, now), max_size=4))}))
    ]
    log: list[PersonEvent | Tick] = list(events)
    for tick in ticks[:-1]:
        log.insert(draw(st.integers(0, len(log))), tick)
    return Life((*log, ticks[-1]))
