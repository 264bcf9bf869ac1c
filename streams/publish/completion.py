"""Rows of files to whole records: what a row leaves out is filled in by rules that give the same record every time.

The same file published twice gives the same events with the same ids, so nothing is counted twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streams.documents import TravelDocument
from streams.publish.holder import Holders
from streams.publish.pseudonym import Pseudonyms
from streams.records import INPUTS, Record
from streams.wire.jsonform import FieldError, fields_of, from_json, shown

FILE_IDS = UUID("6a2c3a0e-7a5d-5c0b-9b57-0f3c1d7e4a21")
"""Namespace of the event ids made from rows; never to be changed: the same row must give the same id for ever."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "border_crossing": {"purpose": "unknown", "document": "other", "transport": "unknown"},
}
"""What a row may leave out because the schema has a word for "not known"."""

KINDS: dict[str, type[Record]] = {kind.NAME: kind for kind in INPUTS}


@dataclass(slots=True)
class Completion:
    """Completes rows and reads them as records.

    Attributes:
        event_type: type of rows that do not say; empty if every row must.
        source: source of rows that do not say; empty: ``post:<post>`` for border crossings.
        zone_of: returns the zone of a row's local times (by its post or oblast); none if there is none.
        countries: codes an issuing country may have.
        pseudonyms: returns what makes pseudonyms; called only when a row has a document number.
    """

    event_type: str
    source: str
    zone_of: Callable[[Mapping[str, Any]], str | None]
    countries: frozenset[str]
    pseudonyms: Callable[[], Pseudonyms]
    _numbers: Counter[str] = field(default_factory=Counter)

    def record(self, row: Mapping[str, Any]) -> Record:
        """Returns the record a row describes, as `read`, without its document."""
        return self.read(row)[0]

    def read(self, row: Mapping[str, Any]) -> tuple[Record, TravelDocument | None]:
        """Returns the record a row describes, and the document its subject stands for, if the row has one.

        Args:
            row: field values as JSON has them.

        Raises:
            FieldError: a field is missing, unknown or wrong.
            SetupError: the row has a document number and there is no key.
        """
        whole = {name: value for name, value in row.items() if value is not None}
        name = whole.pop("type", None) or self.event_type
        if name not in KINDS:
            raise FieldError("type", f"one of {', '.join(KINDS)}", shown(name) if name else "nothing (give --type)")
        whole = DEFAULTS.get(name, {}) | whole
        self._source(name, whole)
        number = self._numbered(whole)
        whole, document = self._held(name, whole)
        given = set(whole) - ({"source_seq"} if number else set())
        whole.setdefault("event_id", str(UUID(int=1)))
        for one in fields_of(KINDS[name]):
            if one.form == "instant" and isinstance(whole.get(one.name), str):
                whole[one.name] = self._instant(one.name, whole[one.name], whole)
        whole.setdefault("recorded_at", whole.get("occurred_at"))
        record = from_json(name, whole)
        assert isinstance(record, Record)  # noqa: S101  # KINDS holds inputs only
        return (record if "event_id" in given else _with_id(record, whole, given)), document

    def _held(self, name: str, whole: dict[str, Any]) -> tuple[dict[str, Any], TravelDocument | None]:
        whole, document = Holders(self.pseudonyms, self.countries).replaced(whole)
        if document is not None and name == "border_crossing":
            whole.setdefault("citizenship", document.citizenship or document.issuing_country)
        return whole, document

    def _source(self, name: str, whole: dict[str, Any]) -> None:
        if "source" in whole:
            return
        post = whole.get("post") if name == "border_crossing" else whole.get("subject") if KINDS[name].SUBJECT == "post" else None
        source = self.source or (f"post:{post}" if post else "")
        if not source:
            raise FieldError("source", "the publishing system's name", "nothing (give --source)")
        whole["source"] = source

    def _numbered(self, whole: dict[str, Any]) -> bool:
        """Numbers the row at its source if it is not; a row refused later has its number too: it shows as a hole until mended."""
        if "source_seq" in whole:
            return False
        source = str(whole["source"])
        self._numbers[source] += 1
        whole["source_seq"] = self._numbers[source]
        return True

    def _instant(self, name: str, text: str, whole: Mapping[str, Any]) -> str:
        """Returns an instant with its offset; a local time takes the zone of the row's post or oblast."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text  # from_json says what is wrong with it
        if moment.tzinfo is not None or len(text) <= 10:
            return text
        zone_name = self.zone_of(whole)
        if zone_name is None and "post" in whole:
            raise FieldError("post", "a border post of the policy, whose zone the local times have", shown(whole["post"]))
        if zone_name is None:
            raise FieldError(name, "a time with its offset, e.g. 2025-06-01T10:00:00+05:00", shown(text))
        try:
            zone = ZoneInfo(zone_name)
        except (ZoneInfoNotFoundError, ValueError):
            raise FieldError(name, "a zone of the tz database", shown(zone_name)) from None
        first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            raise FieldError(name, f"a time with its offset: clocks in {zone_name} were changed that hour", shown(text))
        return first.isoformat()


def _with_id(record: Record, whole: Mapping[str, Any], given: set[str]) -> Record:
    """Returns the record with the id its content gives: by its number where the file numbers its rows."""
    if "source_seq" in given:
        content = [record.NAME, record.source, record.source_seq]
    else:
        left_out = {"event_id", "source_seq"} | ({"recorded_at"} - given)
        content = [record.NAME, sorted((name, value) for name, value in whole.items() if name not in left_out)]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    values = {one.name: getattr(record, one.name) for one in fields_of(type(record))}
    return type(record)(**values | {"event_id": uuid5(FILE_IDS, text).bytes})


def zone_by(posts: Mapping[str, Any], oblasts: Mapping[str, Any], fallback: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Returns how a row's local times get a zone: its post's, else its oblast's, else the one given.

    Args:
        posts: by code, each with a ``zone``.
        oblasts: by code, each with a ``zone``.
        fallback: a zone's name, or empty.
    """

    def zone_of(row: Mapping[str, Any]) -> str | None:
        place = posts.get(str(row.get("post", row.get("subject")))) or oblasts.get(str(row.get("oblast")))
        return place.zone if place is not None else fallback or None

    return zone_of


def epoch_ms(moment: datetime) -> int:
    """Returns an aware moment as UTC epoch milliseconds."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
