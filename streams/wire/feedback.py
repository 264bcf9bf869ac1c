"""What a source is told of its dead letters: code and place, nothing of the message's content (docs/events.md, "Feedback")."""

from __future__ import annotations

from streams.records import DeadLetter, Feedback
from streams.records.outputs import FeedbackState
from streams.wire import avro


def feedback_on(letter: DeadLetter, state: FeedbackState = "refused") -> Feedback:
    """Returns what a letter's source is told.

    Args:
        letter: names its source.
        state: what became of the message.
    """
    field, colon, _ = letter.reason.partition(":")
    event_id, seq = _identity(letter.value)
    return Feedback(
        source=letter.source,
        state=state,
        code=letter.code,
        field=field if colon and field.replace("_", "").isalnum() and field.islower() else "",
        event_type=letter.event_type,
        event_id=event_id,
        source_seq=seq,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        arrived_at=letter.timestamp_at,
    )


def _identity(value: bytes) -> tuple[bytes | None, int]:
    try:
        record = avro.decode(value)
    except avro.MalformedError:
        return None, 0
    return getattr(record, "event_id", None), getattr(record, "source_seq", 0)
