"""Every topic: its name, key, what it carries, how it is kept.

One log per person (ADR 0003): everything that is a fact about a person goes, keyed by the pseudonym, to one topic,
``<namespace>.people``, together with the tick records. Within a partition there is one order, so a replay decides
exactly what was decided the first time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from streams.records import (
    INPUTS,
    RELAYED,
    Alert,
    BatchMarker,
    Case,
    CountStatement,
    DeadLetter,
    EmployerDecision,
    EmployerDeclaration,
    Feedback,
    Finding,
    LabourLink,
    PostHeartbeat,
    PostOutage,
    QuotaAllocation,
    Record,
)

Role = Literal["input", "output", "internal", "changelog"]

MAX_EVENT_BYTES = 64 * 1024
"""A longer event goes, whole, to the dead letters (our largest honest event is under 1 KiB)."""

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""What the broker accepts on the topics others write and read, measured as it arrives: compressed."""

MAX_STATE_BYTES = 16 * 1024 * 1024
"""What it accepts in a changelog: the state of one key."""

MAX_LETTER_VALUE_BYTES = 16 * 1024 * 1024
"""What a dead letter carries of a message, key and value. Longer than anything the broker accepts but what was compressed
to a fraction; of that the beginning is kept, and the place where the whole lies."""

MAX_DEAD_LETTER_BYTES = MAX_LETTER_VALUE_BYTES + 1024 * 1024
"""What the broker accepts as a dead letter, with its reason. Whoever writes dead letters must allow messages of this
length."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        suffix: name behind the namespace, e.g. ``people``.
        role: input (others write), output (we write, others read), internal (we write, another agent of
            ours reads) or changelog (we write, we read).
        partitioned: has as many partitions as the person log; otherwise one.
        config: topic configuration beyond the defaults.
    """

    suffix: str
    role: Role
    partitioned: bool
    config: dict[str, str] = field(default_factory=dict)

    def name(self, namespace: str) -> str:
        """Returns the topic's full name, e.g. ``shekara.people``."""
        return f"{namespace}.{self.suffix}"


_KEEP = {"cleanup.policy": "delete", "retention.ms": "-1"}
_COMPACT = {"cleanup.policy": "compact", "min.compaction.lag.ms": "60000"}
_DEEP = {"max.message.bytes": str(MAX_STATE_BYTES)}
_WIDE = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
_ARRIVAL = {"message.timestamp.type": "LogAppendTime"}
"""A message's timestamp is when it arrived, by the broker's clock: it bounds how far in the future an event may lie, so it
must not be the publisher's to choose (ADR 0011)."""

PEOPLE = Topic("people", "input", partitioned=True, config=_KEEP | _WIDE | _ARRIVAL)
POSTS = Topic("posts", "input", partitioned=False, config=_KEEP | _WIDE | _ARRIVAL)
EMPLOYERS = Topic("employers", "input", partitioned=False, config=_KEEP | _WIDE | _ARRIVAL)
QUOTAS = Topic("quotas", "input", partitioned=False, config=_KEEP | _WIDE | _ARRIVAL)
ALERTS = Topic("alerts", "output", partitioned=True, config=_KEEP | _WIDE)
FINDINGS = Topic("findings", "output", partitioned=True, config=_KEEP | _WIDE)
CASES = Topic("cases", "output", partitioned=True, config=_KEEP | _WIDE)
DEAD_LETTERS = Topic(
    "dead-letters", "output", partitioned=False, config=_KEEP | {"max.message.bytes": str(MAX_DEAD_LETTER_BYTES)}
)
FEEDBACK = Topic("feedback", "output", partitioned=False, config=_KEEP)
LEDGER = Topic("ledger", "output", partitioned=False, config=_KEEP)
LABOUR_LINKS = Topic("labour-links", "internal", partitioned=False, config=_KEEP | _WIDE)
"""Never deleted: with it the state of employers' workers can be rebuilt (ADR 0066)."""

PEOPLE_CHANGELOG = Topic("people-changelog", "changelog", partitioned=True, config=_COMPACT | _DEEP)
POSTS_CHANGELOG = Topic("posts-changelog", "changelog", partitioned=False, config=_COMPACT | _DEEP)
EMPLOYERS_CHANGELOG = Topic("employers-changelog", "changelog", partitioned=False, config=_COMPACT | _DEEP)
QUOTAS_CHANGELOG = Topic("quotas-changelog", "changelog", partitioned=False, config=_COMPACT | _DEEP)
LABOUR_LINKS_CHANGELOG = Topic("labour-links-changelog", "changelog", partitioned=False, config=_COMPACT | _DEEP)

TOPICS: tuple[Topic, ...] = (
    PEOPLE,
    POSTS,
    EMPLOYERS,
    QUOTAS,
    ALERTS,
    FINDINGS,
    CASES,
    DEAD_LETTERS,
    FEEDBACK,
    LEDGER,
    LABOUR_LINKS,
    PEOPLE_CHANGELOG,
    POSTS_CHANGELOG,
    EMPLOYERS_CHANGELOG,
    QUOTAS_CHANGELOG,
    LABOUR_LINKS_CHANGELOG,
)

_HOME: dict[str, Topic] = {kind.NAME: PEOPLE for kind in (*INPUTS, *RELAYED)} | {
    PostHeartbeat.NAME: POSTS,
    PostOutage.NAME: POSTS,
    CountStatement.NAME: POSTS,
    EmployerDeclaration.NAME: EMPLOYERS,
    EmployerDecision.NAME: EMPLOYERS,
    QuotaAllocation.NAME: QUOTAS,
    Alert.NAME: ALERTS,
    Finding.NAME: FINDINGS,
    Case.NAME: CASES,
    DeadLetter.NAME: DEAD_LETTERS,
    BatchMarker.NAME: LEDGER,
    Feedback.NAME: FEEDBACK,
    LabourLink.NAME: LABOUR_LINKS,
}


def topic_of(kind: type[Record] | str) -> Topic:
    """Returns the topic an event type belongs to.

    Args:
        kind: a record class or its ``NAME``.

    Raises:
        KeyError: there is no such event type.
    """
    return _HOME[kind if isinstance(kind, str) else kind.NAME]
