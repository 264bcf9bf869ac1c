"""Short lives with everything in them that makes detection hard: shared days, missing exits, zones, corrections, disputes."""

from __future__ import annotations

from hypothesis import strategies as st

from streams.cases.follow import case_id_of
from streams.policy.model import Policy
from streams.records import (
    BorderCrossing,
    CaseDecision,
    Citizenship,
    Correction,
    Dispute,
    EntryBan,
    Gap,
    IdentityLink,
    Inspection,
    Kandas,
    LabourContract,
    PersonEvent,
    ProtectionStatus,
    ResidenceChange,
    ResidencePermit,
    StayRegistration,
    Visa,
    WorkPermit,
)

SUBJECT = "p"
DAY_MS = 86_400_000
STARTS = (19_380, 19_600, 19_750, 20_080, 18_200, 13_600)
"""First days of a history: around the Union's new anchor, the change of zones, a quiet year, 2020, and 2007."""
SPAN_DAYS = 240

POSTS = ("KZ-75-A1", "KZ-27-R1", "KZ-63-R1")
OBLASTS = ("KZ-75", "KZ-27", "KZ-63")
CITIZENSHIPS = ("UZB", "RUS", "CHN", "AFG", "PAK", "KAZ", "UNK", "IND")
EMPLOYERS = ("e1", "e2")


def number(n: int) -> bytes:
    """Returns a 16-byte id."""
    return n.to_bytes(16, "big")


@st.composite
def histories(draw: st.DrawFn, most: int = 12, subject: str = SUBJECT) -> list[PersonEvent]:
    """Draws the events of one person in no particular order."""
    start = draw(st.sampled_from(STARTS))
    citizenships = draw(st.sampled_from([(one,) for one in CITIZENSHIPS] + [("UZB", "KAZ"), ("AFG", "RUS")]))
    events: list[PersonEvent] = []
    count = draw(st.integers(1, most))
    kinds = st.sampled_from(
        ["crossing"] * 6
        + ["notice"] * 2
        + ["visa", "residence", "permit", "permit", "contract", "inspection", "inspection", "protection", "protection"]
        + ["citizenship", "ban", "correction", "dispute", "decision", "other"]
    )
    days = st.integers(0, SPAN_DAYS)
    lengths = st.sampled_from([0, 1, 2, 5, 10, 29, 30, 31, 45, 89, 90, 91, 120, 200])
    hours = st.sampled_from([0, 3, 9, 18, 19, 20, 23])
    small = st.integers(1, 2)
    for index in range(count):
        event_id = number(1000 + index)
        day = start + draw(days)
        at = day * DAY_MS + draw(hours) * 3_600_000
        recorded = at + draw(st.sampled_from([0, 60_000, DAY_MS, 300 * DAY_MS, -5]))
        head = (event_id, subject, at, recorded, "", 0)
        kind = draw(kinds)
        first = day + draw(st.sampled_from([-60, -5, 0, 0, 0, 1, 20]))
        last = first + draw(lengths)
        event: PersonEvent
        if kind == "crossing":
            event = BorderCrossing(
                *head,
                draw(st.sampled_from(["entry", "entry", "exit", "exit", "refusal"])),
                draw(st.sampled_from(POSTS)),
                draw(st.sampled_from(citizenships)),
                draw(st.sampled_from(["private", "tourism", "work"])),
                "passport",
                "air",
                draw(st.none() | small.map(number)),
                None,
            )
        elif kind == "notice":
            event = StayRegistration(
                *head,
                draw(st.sampled_from(["arrival", "extension", "deregistration"])),
                draw(st.sampled_from(OBLASTS)),
                draw(st.none() | small.map(number)),
                "hotel",
                draw(st.none() | st.sampled_from(EMPLOYERS)),
                first,
                draw(st.sampled_from([None, last])),
            )
        elif kind == "visa":
            event = Visa(
                *head,
                draw(st.sampled_from(["issued", "issued", "extended", "annulled"])),
                number(100 + draw(small)),
                "B10",
                first,
                last,
                draw(st.sampled_from([5, 30, 365])),
                draw(st.sampled_from([0, 1, 2])),
            )
        elif kind == "residence":
            event = ResidencePermit(
                *head,
                draw(st.sampled_from(["issued", "issued", "extended", "revoked"])),
                number(200 + draw(small)),
                draw(st.sampled_from(["temporary", "permanent"])),
                "work",
                "KZ-75",
                first,
                draw(st.sampled_from([None, last, last])),
            )
        elif kind == "permit":
            event = WorkPermit(
                *head,
                draw(st.sampled_from(["issued", "issued", "extended", "revoked"])),
                number(300 + draw(small)),
                draw(st.sampled_from(["employer", "household", "self_employment", "intra_company", "seasonal"])),
                None,
                draw(st.none() | st.sampled_from(EMPLOYERS)),
                draw(st.sampled_from(OBLASTS)),
                "F",
                first,
                first + draw(st.sampled_from([0, 10, 30, 90, 400])),
            )
        elif kind == "contract":
            event = LabourContract(
                *head,
                draw(st.sampled_from(["concluded", "concluded", "ended", "outbound"])),
                number(400 + draw(small)),
                draw(st.sampled_from(EMPLOYERS)),
                draw(st.sampled_from(["KAZ", "KAZ", "KAZ", "RUS"])),
                draw(st.sampled_from(OBLASTS)),
                "F",
                first,
                draw(st.sampled_from([None, last])),
            )
        elif kind == "inspection":
            event = Inspection(
                *head,
                draw(st.sampled_from(["in_country_check", "worker_found"])),
                number(500),
                draw(st.sampled_from(OBLASTS)),
                draw(st.none() | st.sampled_from(EMPLOYERS)),
                draw(st.none() | st.just("G")),
                None,
            )
        elif kind == "protection":
            event = ProtectionStatus(
                *head,
                draw(
                    st.sampled_from(
                        [
                            "asylum_applied",
                            "asylum_recognised",
                            "asylum_refused",
                            "appeal_filed",
                            "appeal_upheld",
                            "appeal_dismissed",
                            "trafficking_victim",
                            "minor",
                            "status_ended",
                        ]
                    )
                ),
                number(600 + draw(small)),
                draw(st.sampled_from([None, last])),
            )
        elif kind == "citizenship":
            event = Citizenship(*head, draw(st.sampled_from(["acquired", "lost"])), draw(st.sampled_from(["KAZ", "RUS"])), first)
        elif kind == "ban":
            event = EntryBan(
                *head,
                draw(st.sampled_from(["imposed", "imposed", "lifted"])),
                number(700 + draw(small)),
                "court",
                first,
                draw(st.sampled_from([None, last])),
            )
        elif kind == "correction":
            event = Correction(*head, number(1000 + draw(st.integers(0, count))), None, "data_entry")
        elif kind == "dispute":
            event = Dispute(
                *head,
                draw(st.sampled_from(["opened", "opened", "upheld", "rejected"])),
                number(800 + draw(small)),
                draw(st.none() | st.integers(0, count).map(lambda n: number(1000 + n))),
                None,
            )
        elif kind == "decision":
            event = CaseDecision(
                *head,
                case_id_of(subject, start + draw(days)),
                "contacted",
                "o1",
                "reason",
                None,
            )
        else:
            event = draw(
                st.sampled_from(
                    [
                        ResidenceChange(*head, "KAZ", "KAZ", "KZ-75", "KZ-27", day),
                        Kandas(*head, "applied", number(900), 3, "UZB", "KZ-75", True),
                        IdentityLink(*head, "unlinked", number(901), "q", "new_document"),
                    ]
                )
            )
        events.append(event)
    return events


@st.composite
def decided(draw: st.DrawFn, events: list[PersonEvent], policy: Policy) -> list[PersonEvent]:
    """Adds officers' decisions about the stays of a history, at instants after some of its events."""
    added: list[PersonEvent] = []
    entries = [one for one in events if isinstance(one, BorderCrossing) and one.direction == "entry"]
    for index in range(draw(st.integers(0, 4)) if entries else 0):
        entry = draw(st.sampled_from(entries))
        stay_on = policy.local_day(entry.occurred_at, entry.post)
        at = entry.occurred_at + draw(st.integers(0, 200)) * DAY_MS
        added.append(
            CaseDecision(
                number(5000 + index),
                entry.subject,
                at,
                at,
                "",
                0,
                case_id_of(entry.subject, stay_on),
                draw(
                    st.sampled_from(
                        [
                            "acknowledged",
                            "contacted",
                            "legalised",
                            "left_voluntarily",
                            "cleared",
                            "order_to_leave",
                            "referral_proposed",
                            "referral_proposed",
                            "referral_confirmed",
                            "referral_confirmed",
                            "removed",
                            "reopened",
                        ]
                    )
                ),
                draw(st.sampled_from(["o1", "o2"])),
                "reason",
                None,
            )
        )
    return [*events, *added]


@st.composite
def coverages(draw: st.DrawFn, events: list[PersonEvent], *, after_days: int = 120) -> tuple[int, int, tuple[Gap, ...]]:
    """Draws the clock, the coverage and the gaps of the log after a history."""
    latest = max(one.occurred_at for one in events)
    now = latest + draw(st.integers(0, after_days)) * DAY_MS + draw(st.sampled_from([0, 1, 3_600_000]))
    through = now - draw(st.integers(0, 200)) * DAY_MS
    gaps = []
    for _ in range(draw(st.integers(0, 2))):
        start = now - draw(st.integers(0, 250)) * DAY_MS
        days = draw(st.none() | st.integers(1, 40))
        gaps.append(Gap("KZ-75-A1", start, None if days is None else start + days * DAY_MS))
    return now, through, tuple(gaps)
