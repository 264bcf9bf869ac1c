"""What one person ties to employers and quotas: the links that follow from the state, and which of them have to be told anew.

**Source**: docs/rules.md, Employers; ADR 0066. The links are a function of what is known now; a version comes when one changed.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from streams.alerts.known import Known
from streams.alerts.lifecycle import Occasion
from streams.detect.assess import conclusion_id, dispute_states
from streams.detect.labour import kept
from streams.detect.labour.unlawful_workers import RULES_OF_WORKERS
from streams.detect.packing import put_uint, take_uint
from streams.detect.situation import Situation
from streams.detect.titles import Title
from streams.records import Inspection, LabourContract, LabourLink, PersonEvent, WorkPermit
from streams.records.links import LinkKind

_CURED = frozenset({"permit_found", "citizenship"})
_COUNTED = frozenset({"employer", "seasonal"})
_KINDS: tuple[LinkKind, ...] = ("breach", "permit", "kept")
_GONE = 0


class Told:
    """The last version of one link that was told.

    Attributes:
        kind: its kind.
        link_id: its id.
        version: the last version.
        digest: checksum of its content; 0 when it was that there is no such link.
    """

    __slots__ = ("digest", "kind", "link_id", "version")

    def __init__(self, kind: LinkKind, link_id: bytes, version: int, digest: int) -> None:
        self.kind = kind
        self.link_id = link_id
        self.version = version
        self.digest = digest

    @property
    def tells_kept(self) -> bool:
        """Whether it says that the person was kept at an address."""
        return self.kind == "kept" and self.digest != _GONE


def put_told(out: bytearray, told: list[Told]) -> None:
    """Appends what was told; nothing at all for the many who have no link."""
    if told:
        put_uint(out, len(told))
        for one in told:
            out.append(_KINDS.index(one.kind))
            out += one.link_id
            out += one.digest.to_bytes(4, "little")
            put_uint(out, one.version)


def take_told(data: bytes, at: int) -> list[Told]:
    """Reads what `put_told` wrote, to the end of the data; a state of an earlier program ends before it."""
    found: list[Told] = []
    if at == len(data):
        return found
    count, at = take_uint(data, at)
    for _ in range(count):
        kind, link_id = _KINDS[data[at]], data[at + 1 : at + 17]
        digest = int.from_bytes(data[at + 17 : at + 21], "little")
        version, at = take_uint(data, at + 21)
        found.append(Told(kind, link_id, version, digest))
    return found


def concerns_labour(facts: tuple[PersonEvent, ...]) -> bool:
    """Returns whether any link can follow from these facts: most travellers have none, and cost nothing here."""
    for fact in facts:
        kind = type(fact)
        if kind is WorkPermit or kind is LabourContract or (kind is Inspection and fact.kind == "worker_found"):  # type: ignore[attr-defined]
            return True
    return False


def tell(told: list[Told], known: list[Known], situation: Situation, occasion: Occasion) -> tuple[LabourLink, ...]:
    """Returns the next version of every link that changed.

    Args:
        told: what was told so far, changed in place.
        known: the person's conclusions.
        situation: what is known of the person.
        occasion: on what occasion we look.
    """
    now = {(link.kind, link.link_id): link for link in _links(known, situation, occasion)}
    versions: list[LabourLink] = []
    for one in told:
        link = now.pop((one.kind, one.link_id), None)
        if link is None:
            if one.digest != _GONE:
                one.digest = _GONE
                one.version += 1
                versions.append(replace(_link(one.kind, one.link_id, occasion), version=one.version, holds=False))
            continue
        digest = _digest(link)
        if digest != one.digest:
            one.digest = digest
            one.version += 1
            versions.append(replace(link, version=one.version))
    for link in now.values():
        told.append(Told(link.kind, link.link_id, 1, _digest(link)))
        versions.append(link)
    return tuple(versions)


def _links(known: list[Known], situation: Situation, occasion: Occasion) -> list[LabourLink]:
    found: list[LabourLink] = []
    found += [
        _breach(one, occasion) for one in known if one.rule in RULES_OF_WORKERS and one.employer and one.state != "retracted"
    ]
    issued: set[bytes] = set()
    found += [_permit(title, situation, issued, occasion) for title in situation.permits]
    disputed = {
        about.disputed_event
        for kind, about in dispute_states(situation.disputes).values()
        if kind == "opened" and about.disputed_event is not None
    }
    return found + [_kept(one, occasion) for one in kept.find(situation, disputed)]


def _link(kind: LinkKind, link_id: bytes, occasion: Occasion) -> LabourLink:
    """Returns an empty link."""
    return LabourLink(
        link_id, 1, kind, occasion.subject, True, "", "", "", "", None, 0, None, None, None, "established", occasion.new_fact,
        occasion.caused_by, occasion.caused_at, occasion.decided_at,
    )  # fmt: skip


def _breach(one: Known, occasion: Occasion) -> LabourLink:
    """Returns the link of a work alert; the day on which a permit cured it is not one of its days."""
    last = one.last_day_on
    if last is not None and one.reason in _CURED:
        last -= 1
    return replace(
        _link("breach", conclusion_id(one.rule, occasion.subject, one.stay_on, one.deadline_on), occasion),
        employer=one.employer,
        oblast=one.oblast,
        sector=one.sector,
        first_on=one.first_day_on,
        last_on=last,
        grade=one.grade,
        reason=one.reason,
    )


def _permit(title: Title, situation: Situation, issued: set[bytes], occasion: Occasion) -> LabourLink:
    """Returns the link of a permit's record; of its issued records the first counts against the quota, revoked or not."""
    record = title.record
    assert isinstance(record, WorkPermit)  # noqa: S101 - for the type checker
    issued_on: int | None = None
    if record.kind == "issued" and record.permit_type in _COUNTED and record.permit_id not in issued:
        issued.add(record.permit_id)
        issued_on = situation.policy.local_day(record.occurred_at, record.oblast)
    category: str = "seasonal" if record.permit_type == "seasonal" else record.category or ""
    return replace(
        _link("permit", record.event_id, occasion),
        employer=record.employer or "",
        oblast=record.oblast,
        sector=record.sector,
        category=category,
        issued_on=issued_on,
        first_on=title.first_on,
        last_on=title.last_on,
    )


def _kept(one: kept.Kept, occasion: Occasion) -> LabourLink:
    sector = one.record.sector if isinstance(one.record, Inspection) else None
    return replace(
        _link("kept", one.record.event_id, occasion),
        employer=one.employer,
        oblast=one.record.oblast,
        sector=sector or "",
        first_on=one.first_on,
        last_on=one.last_on,
        expired_on=one.expired_on,
        address_key=one.address_key,
    )


def _digest(link: LabourLink) -> int:
    """Returns a checksum of what makes a further version, never that of a link that is gone."""
    content = (
        link.employer, link.oblast, link.sector, link.category, link.issued_on, link.first_on, link.last_on, link.expired_on,
        link.address_key, link.grade if link.last_on is None else None,
    )  # fmt: skip
    return zlib.crc32(repr(content).encode()) or 1
