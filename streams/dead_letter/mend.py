"""Putting fields of a dead letter right: the same event, with what its publisher got wrong corrected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streams.dead_letter.letters import Letter
from streams.errors import UsageError
from streams.records import INPUTS, Record
from streams.wire import avro
from streams.wire.jsonform import FieldError, fields_of, from_json, to_json

FIXED = frozenset({"type", "event_id", "source", "source_seq"})
"""What says which event of whom it is: with another of these it would be another event."""


def changes_of(texts: list[str]) -> dict[str, str]:
    """Returns the changes a person names: ``field=value``.

    Raises:
        UsageError: one is not of this form, or names a field that may not be changed.
    """
    changes: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"Expected --set field=value; got {text!r}.")
        if name.strip() in FIXED:
            raise UsageError(f"{name.strip()} says which event it is and cannot be changed.", "Publish a new event instead.")
        changes[name.strip()] = value.strip()
    if not changes:
        raise UsageError("Expected what to put right; got nothing.", "Give --set field=value, e.g. --set post=KZ-61-R1.")
    return changes


def mended(letter: Letter, changes: Mapping[str, str]) -> Record | str:
    """Returns the event with fields put right, or why there is none.

    Args:
        letter: the dead letter.
        changes: new value by field, as texts; an empty one is null.
    """
    try:
        record = avro.decode(letter.content.value)
    except avro.MalformedError as error:
        return f"{error.code}: it cannot be read, so no field of it can be changed"
    if type(record) not in INPUTS:
        return "it is no event that may come in"
    forms = {field.name: field.form for field in fields_of(type(record))}
    row: dict[str, Any] = to_json(record)
    for name, text in changes.items():
        row[name] = _value(forms.get(name, "text"), text)
    try:
        found = from_json(record.NAME, row)
    except FieldError as error:
        return str(error)
    assert isinstance(found, Record)  # noqa: S101  # asked above
    return found


def _value(form: str, text: str) -> Any:
    if not text:
        return None
    if form in {"integer", "flag", "texts", "ids", "gaps"} or (form in {"instant", "date"} and text.lstrip("-").isdecimal()):
        try:
            return json.loads(text)
        except ValueError:
            return text  # from_json says what was expected
    return text
