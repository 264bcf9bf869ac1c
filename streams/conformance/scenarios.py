"""What a border system is asked to publish: rows of facts, the same for every system, in the order of a post's days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from streams.wire.jsonform import instant_text

Name = Literal["entry", "exit", "correction", "late", "duplicate", "bad_event", "offline_day"]

NO_POST = "ZZ-00-X0"
"""A post nobody has."""

OFFLINE_EVENTS = 200
_IDS = UUID("7b0f5d5e-90b7-5b11-8a52-4f6de1d6a0c3")
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that happens at a post.

    Attributes:
        name: what it is called in the report.
        says: what must hold, in a sentence.
        facts: rows in our JSON form, with ``document_number`` and ``issuing_country`` for ``subject``.
        runs: how often the system is given them.
        bad: how many of the facts it must not get through with.
    """

    name: Name
    says: str
    facts: tuple[Mapping[str, Any], ...]
    runs: int = 1
    bad: int = 0


class _Writer:
    """Numbers facts as the source would."""

    def __init__(self, source: str, post: str, country: str) -> None:
        self._source, self._post, self._country = source, post, country
        self._seq = 0

    def fact(self, kind: str, person: int, at_ms: int, recorded_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """Returns a fact about one of the kit's people, who do not exist."""
        self._seq += 1
        return {
            "type": kind,
            "event_id": str(uuid5(_IDS, f"{self._source}|{self._seq}")),
            "source": self._source,
            "source_seq": self._seq,
            "occurred_at": instant_text(at_ms),
            "recorded_at": instant_text(recorded_ms if recorded_ms is not None else at_ms + 1000),
            "document_number": f"TE{person:07d}",
            "issuing_country": self._country,
        } | fields

    def crossing(self, person: int, direction: str, at_ms: int, recorded_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """Returns a crossing at the post."""
        plain = {
            "direction": direction,
            "post": self._post,
            "citizenship": self._country,
            "purpose": "tourism",
            "document": "passport",
            "transport": "road",
        }
        return self.fact("border_crossing", person, at_ms, recorded_ms, **plain | fields)


def scenarios(source: str, post: str, country: str, now_ms: int) -> tuple[Scenario, ...]:
    """Returns the scenarios in the order in which they are acted out.

    Args:
        source: the system's name.
        post: its border post.
        country: that issued the documents of the people of the kit.
        now_ms: UTC epoch ms; everything happened in the ten days before.
    """
    write = _Writer(source, post, country)
    start = now_ms - 10 * 24 * _HOUR_MS
    entry = write.crossing(1, "entry", start)
    leaving = write.crossing(1, "exit", start + 30 * _HOUR_MS)
    wrong = write.crossing(2, "entry", start + 31 * _HOUR_MS)
    withdrawn = write.fact(
        "correction", 2, start + 32 * _HOUR_MS, supersedes=wrong["event_id"], replacement=None, reason="data_entry"
    )
    late = write.crossing(3, "entry", start + 33 * _HOUR_MS, start + 129 * _HOUR_MS)
    twice = write.crossing(4, "entry", start + 130 * _HOUR_MS)
    bad = (
        write.crossing(5, "entry", start + 131 * _HOUR_MS),
        write.crossing(6, "entry", start + 132 * _HOUR_MS, post=NO_POST),
        write.crossing(5, "exit", start + 133 * _HOUR_MS),
    )
    day = tuple(
        write.crossing(10 + number % 25, "exit" if number % 50 >= 25 else "entry", start + 140 * _HOUR_MS + number * 60_000)
        for number in range(OFFLINE_EVENTS)
    )
    return (
        Scenario("entry", "A crossing arrives whole, on its topic, under its person's pseudonym.", (entry,)),
        Scenario("exit", "The same person leaves: the same pseudonym, the same partition, after the entry.", (leaving,)),
        Scenario("correction", "A wrong event is withdrawn by one that names its id; nothing is edited.", (wrong, withdrawn)),
        Scenario("late", "What was written down days later says when it happened and when it was written down.", (late,)),
        Scenario("duplicate", "The same fact given twice has one id and one content.", (twice,), runs=2),
        Scenario("bad_event", "A wrong event does not get through, and does not stop those around it.", bad, bad=1),
        Scenario("offline_day", "A day without Kafka: everything arrives once the link is back, in order by person.", day),
    )
