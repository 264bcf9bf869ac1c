"""Reading the dead letters and telling them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.clock import monotonic_s
from streams.errors import DependencyError, UsageError
from streams.records import DeadLetter
from streams.settings import Settings
from streams.wire import avro, connection
from streams.wire.topics import DEAD_LETTERS

_SILENCE_S = 30.0
"""How long Kafka may say nothing while letters are outstanding."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter where it lies.

    Attributes:
        number: its offset in the dead-letter topic: what the commands call it by.
        written_at: when it was written, UTC epoch ms.
        content: the letter.
    """

    number: int
    written_at: int
    content: DeadLetter


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant; what is empty or none does not matter.

    Attributes:
        numbers: these letters.
        code: with this reason.
        source: from this publishing system.
        event_type: of this event type.
        since_at: written at or after this instant, UTC epoch ms.
    """

    numbers: frozenset[int] = frozenset()
    code: str = ""
    source: str = ""
    event_type: str = ""
    since_at: int | None = None

    def takes(self, letter: Letter) -> bool:
        """Returns whether a letter is meant."""
        content = letter.content
        return (
            (not self.numbers or letter.number in self.numbers)
            and (not self.code or content.code == self.code)
            and (not self.source or content.source == self.source)
            and (not self.event_type or content.event_type == self.event_type)
            and (self.since_at is None or letter.written_at >= self.since_at)
        )


@dataclass(slots=True)
class Group:
    """Letters with the same reason, from the same source, of the same type: most likely one fault of one program.

    Attributes:
        code: the reason's code.
        source: the publishing system; empty if it could not be told.
        event_type: the event type; empty if it could not be told.
        letters: how many.
        first: number of the first.
        last: number of the last.
        last_at: when the last was written, UTC epoch ms.
        reason: the last one's reason.
    """

    code: str
    source: str
    event_type: str
    letters: int
    first: int
    last: int
    last_at: int
    reason: str


def grouped(letters: Iterable[Letter]) -> list[Group]:
    """Returns the letters by code, source and event type, the most frequent first."""
    groups: dict[tuple[str, str, str], Group] = {}
    for letter in letters:
        content = letter.content
        group = groups.setdefault(
            (content.code, content.source, content.event_type),
            Group(content.code, content.source, content.event_type, 0, letter.number, 0, 0, ""),
        )
        group.letters += 1
        group.last, group.last_at, group.reason = letter.number, letter.written_at, content.reason
    return sorted(groups.values(), key=lambda group: (-group.letters, group.code, group.source, group.event_type))


def read_letters(settings: Settings, choice: Choice | None = None) -> Iterator[Letter]:
    """Yields the dead letters that are there now, oldest first.

    Args:
        settings: address, security and namespace of Kafka.
        choice: which letters; all if none.

    Raises:
        DependencyError: Kafka does not answer, or has no dead-letter topic.
    """
    choice = choice or Choice()
    topic = DEAD_LETTERS.name(settings.namespace)
    address = ",".join(connection.servers(settings))
    try:
        yield from _read(settings, topic, choice)
    except (KafkaError, OSError) as error:
        raise DependencyError(
            f"The dead letters at {address} cannot be read: {type(error).__name__}{f': {error}' if str(error) else ''}.",
            "Check that Kafka runs and that 'shekara init' has made the topics; 'shekara doctor' looks at each part.",
        ) from error


def _read(settings: Settings, topic: str, choice: Choice) -> Iterator[Letter]:
    consumer = KafkaConsumer(
        **connection.kafka_python(settings),
        client_id=f"{settings.namespace}-dead-letters",
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        bootstrap_timeout_ms=15_000,
        allow_auto_create_topics=False,
    )
    try:
        if topic not in consumer.topics():
            raise DependencyError(
                f"Kafka has no topic {topic}.", "Create the topics with 'shekara init', or check SHEKARA_NAMESPACE."
            )
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek(place, min(choice.numbers)) if choice.numbers else consumer.seek_to_beginning(place)
        last = min(end - 1, max(choice.numbers)) if choice.numbers else end - 1
        heard = monotonic_s()
        while (before := consumer.position(place)) <= last:
            for message in consumer.poll(timeout_ms=500).get(place, []):
                if message.offset > last:
                    return
                letter = Letter(message.offset, message.timestamp, _letter(message.value, message.offset))
                if choice.takes(letter):
                    yield letter
            if consumer.position(place) > before:
                heard = monotonic_s()
            elif monotonic_s() - heard > _SILENCE_S:
                raise DependencyError(
                    f"Kafka hands out no more of {topic} after {before} of {end} offsets.", "Run 'shekara doctor'."
                )
    finally:
        consumer.close()


def _letter(value: bytes, offset: int) -> DeadLetter:
    try:
        content = avro.decode(value)
    except avro.MalformedError as error:
        raise DependencyError(
            f"The dead letter at offset {offset} was written by another version of Shekara: {error.reason}",
            "Use the version that runs the worker.",
        ) from error
    if not isinstance(content, DeadLetter):
        raise DependencyError(
            f"Offset {offset} of the dead letters holds a {content.NAME}.", "Something else writes to this topic."
        )
    return content


def numbers_of(texts: Iterable[str]) -> frozenset[int]:
    """Returns the numbers of letters a person names: ``17`` or ``20-25``.

    Raises:
        UsageError: one of them is no number.
    """
    found: set[int] = set()
    for text in texts:
        first, dash, last = text.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise UsageError(
                f"Expected a letter's number such as 17, or 20-25; got {text!r}.", "See 'shekara dead-letters list --all'."
            )
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
