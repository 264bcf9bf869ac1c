from __future__ import annotations

from typing import Any

import pytest

from streams.records import BorderCrossing, StayRegistration, Tick
from streams.wire.jsonform import FieldError, from_json, to_json
from tests.unit.decode.lawful import LAWFUL, lawful


def test_the_form_is_the_one_people_read() -> None:
    row = to_json(lawful(BorderCrossing, event_id=bytes(range(16))))
    assert row["type"] == "border_crossing"
    assert row["event_id"] == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert row["occurred_at"] == "2025-06-15T15:05:40.000Z"
    assert to_json(lawful(StayRegistration))["arrived_on"] == "2025-06-15"


def test_an_instant_may_have_any_offset_or_be_a_number() -> None:
    row = to_json(lawful(BorderCrossing))
    for text in ("2025-06-15T20:05:40+05:00", "2025-06-15T15:05:40Z", 1_749_999_940_000):
        record = from_json("border_crossing", row | {"occurred_at": text})
        assert isinstance(record, BorderCrossing)
        assert record.occurred_at == 1_749_999_940_000


def test_what_may_be_null_may_be_missing() -> None:
    for record in LAWFUL:
        row = {name: value for name, value in to_json(record).items() if value is not None}
        assert from_json(record.NAME, row) == record


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"event_id": "17"}, "event_id", "a UUID"),
        ({"occurred_at": "2025-06-15T20:05:40"}, "occurred_at", "an instant with an offset"),
        ({"occurred_at": "yesterday"}, "occurred_at", "an instant"),
        ({"occurred_at": True}, "occurred_at", "an instant"),
        ({"source_seq": "1"}, "source_seq", "a whole number"),
        ({"source_seq": 1.0}, "source_seq", "a whole number"),
        ({"source_seq": 2**63}, "source_seq", "a number from"),
        ({"direction": "in"}, "direction", "one of entry, exit, refusal"),
        ({"direction": None}, "direction", "a text"),
        ({"post": 7}, "post", "a text"),
        ({"post": "\ud800"}, "post", "a text"),
        ({"visa": "x"}, "visa", "no such field"),
        ({"type": "visa"}, "type", "border_crossing"),
    ],
)
def test_an_error_names_field_and_what_was_expected(changes: dict[str, Any], field: str, expected: str) -> None:
    with pytest.raises(FieldError) as caught:
        from_json("border_crossing", to_json(lawful(BorderCrossing)) | changes)
    assert caught.value.field == field
    assert caught.value.expected.startswith(expected)


def test_an_error_inside_a_gap_says_which_gap() -> None:
    row = to_json(lawful(Tick))
    row["gaps"] = [*row["gaps"], {"post": "KZ-75-A1"}]
    with pytest.raises(FieldError, match=r"gaps\[1\]\.from_at: expected an instant .* got nothing"):
        from_json("tick", row)


def test_a_wrong_subject_is_not_repeated() -> None:
    with pytest.raises(FieldError) as caught:
        from_json("border_crossing", to_json(lawful(BorderCrossing)) | {"subject": ["N12345678"]})
    assert "N12345678" not in str(caught.value)


def test_a_missing_field_is_told_from_a_null() -> None:
    row = to_json(lawful(BorderCrossing))
    del row["post"]
    with pytest.raises(FieldError, match="post: expected a text, got nothing"):
        from_json("border_crossing", row)


def test_an_unknown_type_lists_the_known_ones() -> None:
    with pytest.raises(FieldError, match="border_crossing, stay_registration"):
        from_json("passport", {})
