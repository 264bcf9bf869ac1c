"""Reads what a person hands to ``shekara assess``: events of one dossier, or a citizenship and plain dates.

What is malformed is refused with file and line. What merely contradicts itself is kept, and noted as a fault of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from streams.decode.checks import Check, checks
from streams.detect.dossier import Dossier
from streams.detect.logtime import START, LogTime
from streams.detect.plain_stays import crossings_of, read_stays
from streams.errors import UsageError
from streams.policy.model import Policy
from streams.publish.completion import Completion
from streams.publish.pseudonym import Pseudonyms
from streams.records import BorderCrossing, PersonEvent, Tick
from streams.wire.jsonform import FieldError

SUBJECT = "traveller"
UNSPECIFIED = "XXX"
"""ICAO 9303's code for a nationality nobody knows; what an unknown code is read as."""

_EPOCH = date(1970, 1, 1)
_UNTOLD = frozenset({"arrival_not_notified"})
"""Whoever gives dates of stays alone has said nothing about notices of arrival."""
_YEARS = range(1970, 2200)
_MRZ = {"D": "DEU"}  # what a machine-readable passport of Germany says
_SAID_OTHERWISE = frozenset({(BorderCrossing.NAME, "unknown_country"), (BorderCrossing.NAME, "unknown_post")})
_FORMS = (
    'Expected events, one JSON object a line or in an array, or {"citizenship": "UZB", "stays": [["2024-01-01", "2024-03-30"]]}.'
)


@dataclass(frozen=True, slots=True)
class DataFault:
    """Something about the data that cannot be right; the answer is given all the same.

    Attributes:
        rule: machine-readable name.
        message: what is wrong, in words.
        on: the day it is about; none if it is about no day.
        words: what the sentence names, in its order, for whoever says it in another language.
    """

    rule: str
    message: str
    on: int | None = None
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Given:
    """What was read.

    Attributes:
        dossier: the person's facts.
        citizenship: a code the policy knows.
        faults: what cannot be right.
        ticks: time and coverage, if the file says anything about them.
        without: rules such data can say nothing about.
    """

    dossier: Dossier
    citizenship: str
    faults: list[DataFault] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    without: frozenset[str] = frozenset()

    def coverage(self, until_ms: int) -> LogTime | None:
        """Returns what the ticks up to an instant say about coverage; none if there are none."""
        time = START
        for tick in sorted(self.ticks, key=lambda one: one.occurred_at):
            if tick.occurred_at <= until_ms:
                time = time.after(tick)
        return None if time is START else time


def day_of(text: object, what: str) -> int:
    """Returns a date as days since 1970-01-01.

    Raises:
        ValueError: it is no date, or not of the years 1970 to 2199; the sentence says so.
    """
    try:
        found = date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ValueError(f"{what}: expected a date like 2024-01-31 of the years 1970 to 2199, got {_shown(text)}.")
    return (found - _EPOCH).days


def read_dossier(content: bytes, name: str, policy: Policy) -> Given:
    """Reads a file.

    Args:
        content: the file's bytes.
        name: what to call it in error sentences.
        policy: for zones and code lists.

    Raises:
        UsageError: it is malformed; the sentence begins with file and line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{name}:{line}: expected UTF-8 text, got byte 0x{content[error.start]:02x}.") from None
    document = _Document(text, name)
    values = list(document.values())
    if not values:
        raise UsageError(f"{name}:1: the file is empty.", _FORMS)
    if len(values) == 1:
        value, _, at = values[0]
        if isinstance(value, list):
            return _events(list(document.elements(at)), name, policy)
        if isinstance(value, dict) and "type" not in value and ("stays" in value or "citizenship" in value):
            return _plain(document, at, policy)
    return _events([(value, line) for value, line, _ in values], name, policy)


def plain_stays(citizenship: str, stays: list[tuple[int, int | None]], policy: Policy) -> Given:
    """Returns the dossier of plain dates (days since 1970-01-01; no exit: not left)."""
    faults: list[DataFault] = []
    code = _known_citizenship(citizenship, policy, faults)
    reading = read_stays(stays)
    for first, last in reading.reversed:
        message = f"The exit of {_shown_day(last)} is before its entry of {_shown_day(first)}."
        faults.append(DataFault("exit_before_entry", message, first, (_shown_day(last), _shown_day(first))))
    for first, other in reading.overlaps:
        message = f"The stay from {_shown_day(other)} shares days with the stay from {_shown_day(first)}: they are read as one."
        faults.append(DataFault("overlapping_stays", message, other, (_shown_day(other), _shown_day(first))))
    for first in reading.unended:
        message = f"The stay from {_shown_day(first)} has no exit, and begins within another: its further days are not known."
        faults.append(DataFault("entry_without_exit", message, first, (_shown_day(first),)))
    return Given(crossings_of(code, stays, policy, SUBJECT), code, faults, without=_UNTOLD)


class _Document:
    """A JSON text that knows in which line each of its values begins."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)

    def values(self) -> Iterator[tuple[Any, int, int]]:
        """Yields the values that stand one behind another: value, line, position."""
        at = self._skip(0)
        while at < len(self._text):
            value, end = self._decode(at)
            yield value, self._line(at), at
            at = self._skip(end)

    def elements(self, at: int) -> Iterator[tuple[Any, int]]:
        """Yields the elements of the array at a position, each with its line."""
        at = self._skip(at + 1)
        while self._text[at] != "]":
            value, end = self._decode(at)
            yield value, self._line(at)
            at = self._skip(end)
            if self._text[at] == ",":
                at = self._skip(at + 1)

    def members(self, at: int) -> Iterator[tuple[str, Any, int]]:
        """Yields the members of the object at a position: name, value, position of the value."""
        at = self._skip(at + 1)
        while self._text[at] != "}":
            key, end = self._decode(at)
            at = self._skip(self._skip(end) + 1)
            value, end = self._decode(at)
            yield key, value, at
            at = self._skip(end)
            if self._text[at] == ",":
                at = self._skip(at + 1)

    def refuse(self, at: int, what: str) -> UsageError:
        """Returns the refusal of what stands at a position."""
        return UsageError(f"{self._name}:{self._line(at)}: {what}", _FORMS)

    def refuse_line(self, line: int, what: str) -> UsageError:
        """Returns the refusal of a line."""
        return UsageError(f"{self._name}:{line}: {what}", _FORMS)

    def _decode(self, at: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self.refuse(error.pos, f"expected JSON: {error.msg} (column {error.colno}).") from None
        except (ValueError, RecursionError) as error:
            raise self.refuse(at, f"expected JSON: {error}.") from None

    def _skip(self, at: int) -> int:
        while at < len(self._text) and self._text[at] in " \t\r\n":
            at += 1
        return at

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _plain(document: _Document, at: int, policy: Policy) -> Given:
    citizenship = ""
    stays: list[tuple[int, int | None]] = []
    keys: set[str] = set()
    for key, value, where in document.members(at):
        keys.add(key)
        if key == "citizenship":
            if not isinstance(value, str):
                raise document.refuse(where, f"citizenship: expected a code like UZB, got {_shown(value)}.")
            citizenship = value
        elif key == "stays":
            if not isinstance(value, list):
                raise document.refuse(where, f"stays: expected a list of [entry, exit], got {_shown(value)}.")
            for number, (stay, line) in enumerate(document.elements(where), 1):
                try:
                    stays.append(_stay(stay, f"stay {number}"))
                except ValueError as error:
                    raise document.refuse_line(line, str(error)) from None
        else:
            raise document.refuse(where, f"expected the keys citizenship and stays, got {key[:40]!r}.")
    if "stays" not in keys:
        raise document.refuse(at, "stays: expected a list of [entry, exit], [] for none, got nothing.")
    return plain_stays(citizenship, stays, policy)


def _stay(value: object, what: str) -> tuple[int, int | None]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f'{what}: expected ["2024-01-01", "2024-03-30"], null for an exit to come, got {_shown(value)}.')
    first, last = value
    return day_of(first, f"{what}, entry"), None if last is None else day_of(last, f"{what}, exit")


def _events(rows: list[tuple[Any, int]], name: str, policy: Policy) -> Given:
    subject = next((row["subject"] for row, _ in rows if isinstance(row, dict) and _is_person(row)), SUBJECT)
    faults: list[DataFault] = []
    dossier = Dossier(str(subject))
    ticks: list[Tick] = []
    completion = Completion("", "file", lambda row: _zone(row, policy), frozenset(policy.codes.countries), _no_numbers)
    refuses = checks(policy.codes)
    citizenship = UNSPECIFIED
    latest = 0
    for row, line in rows:
        if not isinstance(row, dict):
            raise UsageError(f"{name}:{line}: expected an event (a JSON object), got {_shown(row)}.", _FORMS)
        if "type" not in row:
            raise UsageError(f"{name}:{line}: type: expected the event type, e.g. border_crossing, got nothing.", _FORMS)
        try:
            record = completion.record({"subject": subject} | row)
        except FieldError as error:
            raise UsageError(f"{name}:{line}: {row['type']}: {error}.", "docs/events.md lists the fields.") from None
        if isinstance(record, Tick):
            ticks.append(record)
            continue
        if not isinstance(record, PersonEvent):
            raise UsageError(f"{name}:{line}: expected events about one person, got {record.NAME}.", _FORMS)
        if record.subject != dossier.subject:
            raise UsageError(f"{name}:{line}: expected events about one person, got a second subject.", "One dossier a file.")
        _note_what_the_stream_refuses(record, refuses[type(record)], policy, faults)
        if isinstance(record, BorderCrossing):
            record = _known_crossing(record, policy, faults)
            if record.occurred_at >= latest:
                latest, citizenship = record.occurred_at, record.citizenship
        dossier = dossier.add(record)
    return Given(dossier, citizenship, faults, ticks)


def _note_what_the_stream_refuses(record: PersonEvent, check: Check, policy: Policy, faults: list[DataFault]) -> None:
    """Notes what makes an event a dead letter in the stream; here it is kept, and what can be answered is answered."""
    fault = check(record, record.recorded_at)
    if fault is None or (record.NAME, fault[0]) in _SAID_OTHERWISE or fault[0] == "bad_employer":
        return  # named in words of its own; and a file may call employers as it likes
    code, sentence = fault
    on = policy.local_day(record.occurred_at, str(getattr(record, "post", None) or getattr(record, "oblast", None) or ""))
    faults.append(DataFault(code, f"{record.NAME} of {_shown_day(on)}: {sentence} The stream would not take this event.", on))


def _is_person(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("subject"), str) and row.get("type") != Tick.NAME


def _known_crossing(record: BorderCrossing, policy: Policy, faults: list[DataFault]) -> BorderCrossing:
    code = _known_citizenship(record.citizenship, policy, faults)
    if record.post and record.post not in policy.codes.posts:
        message = f"{_shown(record.post)} is no border post of the policy; its days are read in the country's zone."
        faults.append(DataFault("unknown_post", message))
    return record if code == record.citizenship else replace(record, citizenship=code)


def _known_citizenship(given: str, policy: Policy, faults: list[DataFault]) -> str:
    code = given.strip().upper()
    code = _MRZ.get(code, code)
    if code in policy.codes.countries:
        return code
    fault = DataFault(
        "unknown_country",
        f"{_shown(given)} is no country of ISO 3166-1 (three letters) nor a code of ICAO 9303; read as not known.",
        words=(_shown(given),),
    )
    if fault not in faults:
        faults.append(fault)
    return UNSPECIFIED


def _zone(row: Mapping[str, Any], policy: Policy) -> str:
    return policy.zone_of(str(row.get("post") or row.get("oblast") or "")).name


def _no_numbers() -> Pseudonyms:
    raise FieldError("document_number", "no document number here: nothing is looked up by it", "one")


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, datetime | date):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _shown_day(day: int) -> str:
    return date.fromordinal(_EPOCH.toordinal() + day).isoformat()
