"""Which crossings count: one fact for each id, less what corrections withdraw."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Event = dict[str, Any]


def _written(event: Event) -> tuple[int, bytes]:
    return event["recorded_at"], event["event_id"]


class Facts:
    """Crossings and corrections of everybody, in any order, repeats included."""

    def __init__(self) -> None:
        self._crossings: dict[tuple[str, bytes], Event] = {}
        self._corrections: dict[str, dict[bytes, Event]] = defaultdict(dict)

    def take(self, kind: str, event: Event) -> None:
        """Takes an event that passed the door."""
        if kind == "border_crossing":
            key = (event["subject"], event["event_id"])
            known = self._crossings.get(key)
            if known is None or event["recorded_at"] < known["recorded_at"]:
                self._crossings[key] = event
        elif kind == "correction":
            mine = self._corrections[event["subject"]]
            known = mine.get(event["event_id"])
            if known is None or event["recorded_at"] < known["recorded_at"]:
                mine[event["event_id"]] = event

    def crossings(self) -> list[Event]:
        """Returns the crossings that count."""
        return [event for event in self._crossings.values() if self._holds(event)]

    def _holds(self, event: Event) -> bool:
        return not any(
            correction["supersedes"] == event["event_id"] and _written(correction) > _written(event) and self._holds(correction)
            for correction in self._corrections.get(event["subject"], {}).values()
        )
