"""Which facts hold: one per event_id, less what corrections withdraw; and what is disputed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import TypeVar

from streams.records import Correction, Dispute, PersonEvent

E = TypeVar("E", bound=PersonEvent)


def place_in_time(event: PersonEvent) -> tuple[int, bytes]:
    """The order of what happened."""
    return event.occurred_at, event.event_id


def canonical(event: PersonEvent) -> bytes:
    """What tells two records of one event_id apart: its type, when, and the type's own fields."""
    envelope = {"event_id", "subject", "occurred_at", "recorded_at", "source", "source_seq"}
    own = [getattr(event, one.name) for one in fields(event) if one.name not in envelope]
    row = [event.NAME, event.occurred_at, *(value.hex() if isinstance(value, bytes) else value for value in own)]
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()


def place_on_paper(event: PersonEvent) -> tuple[int, bytes]:
    """The order in which things were written down; corrections go by it."""
    return event.recorded_at, event.event_id


def active_facts(events: Iterable[PersonEvent]) -> list[PersonEvent]:
    """Returns the facts that hold, in order of `(occurred_at, event_id)`; the order they came in does not matter."""
    known: dict[bytes, PersonEvent] = {}
    for event in events:
        other = known.get(event.event_id)
        if other is None or (event.recorded_at, canonical(event)) < (other.recorded_at, canonical(other)):
            known[event.event_id] = event
    corrections = [event for event in known.values() if isinstance(event, Correction)]

    def holds(event: PersonEvent) -> bool:
        return not any(
            correction.supersedes == event.event_id and place_on_paper(correction) > place_on_paper(event) and holds(correction)
            for correction in corrections
        )

    return sorted((event for event in known.values() if holds(event)), key=place_in_time)


def of_kind(facts: list[PersonEvent], kind: type[E]) -> list[E]:
    """Returns the facts of one event type."""
    return [fact for fact in facts if isinstance(fact, kind)]


class Disputes:
    """The disputes of a person, as known up to a point of the order of what happened."""

    def __init__(self, facts: list[PersonEvent], before: tuple[int, bytes] | None = None) -> None:
        latest: dict[bytes, Dispute] = {}
        opening: dict[bytes, Dispute] = {}
        for dispute in of_kind(facts, Dispute):
            if before is not None and place_in_time(dispute) >= before:
                continue
            latest[dispute.dispute_id] = dispute
            known = opening.get(dispute.dispute_id)
            if known is None or (known.kind != "opened" and dispute.kind == "opened"):
                opening[dispute.dispute_id] = dispute
        self._open = [opening[name] for name, last in latest.items() if last.kind == "opened"]
        self._upheld = [opening[name] for name, last in latest.items() if last.kind == "upheld"]

    @property
    def any_open(self) -> bool:
        """Whether any dispute waits for its decision."""
        return bool(self._open)

    def suspends(self, alert_id: bytes, evidence: Iterable[bytes]) -> bool:
        """Whether a conclusion counts as absent: it or what it rests on is in dispute, or a dispute about it was upheld."""
        rests_on = set(evidence)
        return any(one.alert_id == alert_id or one.disputed_event in rests_on for one in self._open) or any(
            one.alert_id == alert_id for one in self._upheld
        )
