"""What is checked on every event: its time, its source, whom it is about."""

from __future__ import annotations

from typing import Final

from streams.decode.rejected import Codes
from streams.records import Record

Fault = tuple[str, str]
"""Code and reason."""

DAY_MS: Final = 86_400_000

FUTURE_TOLERANCE_MS: Final = DAY_MS
"""How far an event may lie ahead of its arrival. No two civil times on Earth are further apart than 26 hours and none in
Kazakhstan's neighbourhood further than 12, so a day lets pass every clock set to the wrong zone (the log puts such an
event right by a correction), and stops clocks set to the wrong year, which would hold a person's clock ahead for ever."""

FIRST_DAY: Final = -25_567
"""1900-01-01: nobody alive crossed a border before; an earlier date is a field left empty by a program."""

LAST_DAY: Final = 84_006
"""2200-01-01: registers write 9999-12-31 for "unlimited"; the schemas have null for that."""

FIRST_MS: Final = FIRST_DAY * DAY_MS
LAST_MS: Final = LAST_DAY * DAY_MS

MAX_SOURCE: Final = 64
"""Characters of a source's name: it becomes a label in metrics and a dictionary entry in the warehouse."""

MAX_NAME: Final = 64
"""Characters of the name of a quota or of a clock."""

NIL: Final = bytes(16)
HEXADECIMAL: Final = "0123456789abcdef"


def is_pseudonym(text: str, letter: str) -> bool:
    """Returns whether a text is ``<letter><key version>-<32 lower-case hexadecimal digits>``.

    Upper case is refused because pseudonyms are compared as texts: it would be another person.
    """
    dash = len(text) - 33
    if dash < 2 or text[0] != letter or text[dash] != "-" or text[dash + 1 :].strip(HEXADECIMAL):
        return False
    version = text[1:dash]
    return dash <= 7 and version.isascii() and version.isdecimal() and version[0] != "0"


def is_source(text: str) -> bool:
    """Returns whether a text can name a publishing system; what is not printable could command a terminal."""
    return 0 < len(text) <= MAX_SOURCE and text.isprintable()


def shown(value: str) -> str:
    """Returns a code as a reason may quote it: what does not look like a code may be somebody's name."""
    if len(value) <= 12 and value.isascii() and value.isprintable() and " " not in value:
        return f"“{value}”"
    return f"a text of {len(value)} characters"


def envelope_fault(record: Record, received_at: int) -> Fault | None:
    """Returns what is wrong with an event's envelope, but for its subject.

    Args:
        record: the event.
        received_at: the broker's timestamp, UTC epoch ms.
    """
    latest = received_at + FUTURE_TOLERANCE_MS
    if not FIRST_MS <= record.occurred_at <= latest:
        return instant_fault("occurred_at", record.occurred_at, received_at)
    if not FIRST_MS <= record.recorded_at <= latest:
        return instant_fault("recorded_at", record.recorded_at, received_at)
    source = record.source
    if not is_source(source):
        return "bad_source", f"source: expected 1 to {MAX_SOURCE} printable characters, e.g. post:KZ-75-A1; came {len(source)}."
    if record.source_seq < 1:
        return "bad_source_seq", f"source_seq: expected 1 or more, counting without gaps; came {record.source_seq}."
    if record.event_id == NIL:
        return "nil_event_id", "event_id: expected a UUID; came all zeros. Give every fact an id of its own."
    return None


def instant_fault(name: str, at_ms: int, received_at: int) -> Fault:
    """Returns the fault of an instant that is out of bounds."""
    if at_ms < FIRST_MS:
        return (
            "before_1900",
            f"{name}: expected milliseconds since 1970-01-01, not before 1900; came {at_ms}. Seconds? An empty field?",
        )
    ahead_h = (at_ms - received_at) / 3_600_000
    hint = "Microseconds instead of milliseconds?" if at_ms > LAST_MS else "Check the clock of the source."
    return "far_future", f"{name}: expected at most 24 hours after arrival; came {at_ms}, {ahead_h:.0f} hours after. {hint}"


def date_fault(name: str, on: int) -> Fault:
    """Returns the fault of a date that is out of bounds."""
    if on < FIRST_DAY:
        return "before_1900", f"{name}: expected days since 1970-01-01, not before 1900; came {on}."
    return "after_2200", f"{name}: expected days since 1970-01-01, before 2200; came {on}. For “unlimited” publish null."


def subject_fault(record: Record, codes: Codes) -> Fault | None:
    """Returns what is wrong with an event's subject."""
    subject = record.subject
    match record.SUBJECT:
        case "person":
            if is_pseudonym(subject, "p"):
                return None
            return "bad_subject", _expected_pseudonym("subject", "person", "p", subject)
        case "employer":
            if is_pseudonym(subject, "e"):
                return None
            return "bad_subject", _expected_pseudonym("subject", "employer", "e", subject)
        case "post":
            if subject in codes.posts:
                return None
            return "unknown_post", f"subject: expected the code of a border post of the policy; came {shown(subject)}."
        case _:
            if 0 < len(subject) <= MAX_NAME:
                return None
            return "bad_subject", f"subject: expected 1 to {MAX_NAME} characters; came {len(subject)}."


def employer_fault(name: str, employer: str | None) -> Fault | None:
    """Returns what is wrong with an employer's pseudonym; none is lawful."""
    if employer is None or is_pseudonym(employer, "e"):
        return None
    return "bad_employer", _expected_pseudonym(name, "employer", "e", employer)


def _expected_pseudonym(name: str, whose: str, letter: str, came: str) -> str:
    # Never the value: whoever sends a passport's number here by mistake must not find it in a log.
    return (
        f"{name}: expected the pseudonym of a{'n' if whose[0] == 'e' else ''} {whose}, {letter}<key version>-<32 lower-case "
        f"hexadecimal digits>; came a text of {len(came)} characters. Never send document numbers."
    )
