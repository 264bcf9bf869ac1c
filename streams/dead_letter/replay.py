"""Publishing dead letters again, after what they were refused for has been put right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from streams.dead_letter.letters import Letter
from streams.wire.topics import TOPICS


class Sends(Protocol):
    """The part of ``streams.publish.Publisher`` a replay uses."""

    def publish_encoded(
        self, topic: str, key: bytes, value: bytes, partition: int | None = None, *, signature: bytes | None = None
    ) -> None:
        """Sends bytes as they are, under the signature they came with."""

    def flush(self, timeout_s: float = 120.0) -> None:
        """Waits until everything is acknowledged."""


@dataclass(slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        by_topic: messages published again, by topic.
        left: letters not published, by reason.
        numbers: the letters published again.
    """

    by_topic: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    numbers: list[int] = field(default_factory=list)


def replay(
    letters: Iterable[Letter], namespace: str, publisher: Sends | None, *, still_refused: Callable[[Letter], str]
) -> Replayed:
    """Publishes the original bytes of letters to their original topics, under their original keys.

    A record that did get through before is recognised by its ``event_id``, so replaying twice changes nothing. A letter
    that would only come back as another letter is left where it is.

    Args:
        letters: which.
        namespace: prefix of the topics; a letter that names any other topic than an input of ours is left.
        publisher: none for a dry run.
        still_refused: returns why a letter would be refused again, or an empty text.

    Raises:
        UndeliveredError: Kafka did not acknowledge.
    """
    inputs = {topic.name(namespace) for topic in TOPICS if topic.role == "input"}
    done = Replayed()
    for letter in letters:
        content = letter.content
        reason = still_refused(letter) if content.topic in inputs else f"{content.topic} is no input topic of {namespace}"
        if reason:
            done.left[reason] += 1
            continue
        if publisher is not None:
            # Without a key there is no telling which partition its subject has: it goes where it was.
            partition = content.partition if content.key is None else None
            publisher.publish_encoded(content.topic, content.key or b"", content.value, partition, signature=content.signature)
        done.by_topic[content.topic] += 1
        done.numbers.append(letter.number)
    if publisher is not None:
        publisher.flush()
    return done
