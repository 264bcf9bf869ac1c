"""Adds up the ledger: how many records came in and what became of each, from the log itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from streams.errors import IntegrityError
from streams.records import BatchMarker


@dataclass(slots=True)
class Line:
    """What is known of one partition of an input topic.

    Attributes:
        next_offset: the first offset the ledger says nothing about.
        processed: records decided.
        dead_letters: records sent to the dead letters.
        skipped: offsets that held no record.
    """

    next_offset: int = 0
    processed: int = 0
    dead_letters: int = 0
    skipped: int = 0


class Ledger:
    """The sum of all batch markers read so far.

    Args:
        internal: full names of topics one agent writes for another: what lies there nobody produced, so it is in no sum.
    """

    def __init__(self, internal: Collection[str] = ()) -> None:
        self.lines: dict[tuple[str, int], Line] = {}
        self._internal = frozenset(internal)

    def take(self, marker: BatchMarker) -> None:
        """Adds one marker.

        Raises:
            IntegrityError: the run of offsets has a hole or an overlap, or its parts do not add up to its length.
        """
        place = (marker.topic, marker.partition)
        line = self.lines.setdefault(place, Line())
        length = marker.last_offset - marker.first_offset + 1
        told = marker.processed + marker.dead_letters + marker.skipped_offsets
        if marker.first_offset != line.next_offset or told != length:
            raise IntegrityError(
                f"The ledger contradicts itself at {marker.topic}, partition {marker.partition}: expected a batch that starts at "
                f"offset {line.next_offset} and accounts for each of its offsets, got offsets {marker.first_offset} to "
                f"{marker.last_offset} with {told} accounted for.",
                "Keep the data directory and report this: records may have been missed or counted twice.",
            )
        line.next_offset = marker.last_offset + 1
        line.processed += marker.processed
        line.dead_letters += marker.dead_letters
        line.skipped += marker.skipped_offsets

    def behind(self, ends: Mapping[tuple[str, int], int]) -> int:
        """Returns how many offsets are not accounted for yet.

        Args:
            ends: end offset by topic and partition.
        """
        return sum(max(0, end - self.lines.get(place, Line()).next_offset) for place, end in ends.items())

    @property
    def processed(self) -> int:
        """Returns the records decided."""
        return sum(line.processed for line in self._inputs())

    @property
    def dead_letters(self) -> int:
        """Returns the records sent to the dead letters."""
        return sum(line.dead_letters for line in self._inputs())

    @property
    def skipped(self) -> int:
        """Returns the offsets that held no record (transaction marks)."""
        return sum(line.skipped for line in self._inputs())

    def _inputs(self) -> list[Line]:
        return [line for (topic, _), line in self.lines.items() if topic not in self._internal]
