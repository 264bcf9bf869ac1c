from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from streams.publish.completion import Completion, zone_by
from streams.publish.pseudonym import Pseudonyms
from streams.records import BorderCrossing, Record
from streams.wire.jsonform import FieldError


class Place:
    """A place with a zone."""

    def __init__(self, zone: str) -> None:
        self.zone = zone


ROW = {
    "occurred_at": "2025-05-01T10:15:00",
    "direction": "entry",
    "post": "KZ-61-R1",
    "citizenship": "UZB",
    "document_number": "AB1234567",
    "issuing_country": "UZB",
}


def _completion(**changes: Any) -> Completion:
    values: dict[str, Any] = {
        "event_type": "border_crossing",
        "source": "",
        "zone_of": zone_by({"KZ-61-R1": Place("Asia/Almaty")}, {"KZ-47": Place("Asia/Aqtau")}, ""),
        "countries": frozenset({"UZB", "DEU"}),
        "pseudonyms": lambda: Pseudonyms(1, bytes(32)),
    }
    return Completion(**values | changes)


def _crossing(row: dict[str, Any], completion: Completion | None = None) -> BorderCrossing:
    record: Record = (completion or _completion()).record(row)
    assert isinstance(record, BorderCrossing)
    return record


def test_a_local_time_is_taken_in_the_zone_of_the_post_on_that_day() -> None:
    # Almaty and Turkistan were at UTC+6 until 29 February 2024 and are at UTC+5 since.
    assert _crossing(ROW).occurred_at == 1_746_076_500_000
    assert _crossing(ROW | {"occurred_at": "2023-05-01T10:15:00"}).occurred_at == 1_682_914_500_000


def test_an_offset_in_the_row_wins_over_the_zone() -> None:
    assert _crossing(ROW | {"occurred_at": "2025-05-01T10:15:00Z"}).occurred_at == 1_746_094_500_000


def test_the_hour_that_came_twice_is_refused() -> None:
    with pytest.raises(FieldError, match="clocks in Asia/Almaty were changed"):
        _crossing(ROW | {"occurred_at": "2024-02-29T23:30:00"})


def test_the_same_row_gives_the_same_event_wherever_it_stands() -> None:
    first = _crossing(ROW)
    completion = _completion()
    _crossing(ROW | {"direction": "exit"}, completion)
    assert _crossing(ROW, completion).event_id == first.event_id


def test_another_row_gives_another_id() -> None:
    assert _crossing(ROW).event_id != _crossing(ROW | {"occurred_at": "2025-05-01T10:15:01"}).event_id


def test_where_the_source_numbers_its_rows_the_number_is_the_identity() -> None:
    numbered = ROW | {"source_seq": 17}
    assert _crossing(numbered).event_id == _crossing(numbered | {"purpose": "work"}).event_id
    assert _crossing(numbered).event_id != _crossing(numbered | {"source_seq": 18}).event_id


def test_ids_never_change_between_releases() -> None:
    assert str(UUID(bytes=_crossing(ROW).event_id)) == "ce44ed00-772e-500a-ba51-d497233d2a48"


def test_an_id_in_the_row_is_kept() -> None:
    given = "6f1d3f0e-5b7c-5a52-9a43-0c4de0f6a111"
    assert _crossing(ROW | {"event_id": given}).event_id == UUID(given).bytes


def test_rows_are_numbered_by_source_from_one() -> None:
    completion = _completion()
    rows = [ROW, ROW | {"source": "post:other"}, ROW | {"direction": "exit"}]
    assert [completion.record(row).source_seq for row in rows] == [1, 1, 2]


def test_what_is_left_out_is_filled_in() -> None:
    crossing = _crossing({name: value for name, value in ROW.items() if name != "citizenship"})
    assert (crossing.source, crossing.purpose, crossing.document, crossing.transport) == (
        "post:KZ-61-R1",
        "unknown",
        "other",
        "unknown",
    )
    assert crossing.recorded_at == crossing.occurred_at
    assert crossing.citizenship == "UZB"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": "p1-" + "0" * 32}, "document_number"),
        ({"issuing_country": None}, "issuing_country"),
        ({"issuing_country": "XYZ"}, "issuing_country"),
        ({"document_number": None}, "issuing_country"),
        ({"document_number": None, "issuing_country": None}, "subject"),
        ({"type": "nothing"}, "type"),
        ({"post": "KZ-00-X1"}, "post"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_what_cannot_be_completed_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        _crossing(ROW | changes)
    assert caught.value.field == field
    assert "AB1234567" not in str(caught.value)
