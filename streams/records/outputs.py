"""What this system writes: alerts, findings, cases, dead letters, feedback to sources and the ledger of batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

AlertState = Literal["raised", "amended", "acknowledged", "resolved", "retracted", "expired"]
Grade = Literal["established", "presumed", "uncertain"]
Severity = Literal["info", "low", "medium", "high"]
FeedbackState = Literal["refused", "replayed", "mended"]
Family = Literal["breach", "protective", "reminder", "data_quality"]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One version of one conclusion about one person; the latest ``version`` of an ``alert_id`` is what holds now.

    Attributes:
        alert_id: 16 bytes of SHA-256 over (rule, subject, stay, deadline): facts only.
        version: 1, 2, …; grows by one with every change of state or content.
        subject: the person's (or employer's) pseudonym.
        rule: name of the rule, e.g. ``overstay_visa_exempt``.
        family: breach, protective, reminder or data_quality.
        state: raised, amended, acknowledged, resolved (it was so and has ended), retracted (it was never so), expired.
        grade: how well it is known.
        severity: from policy, never from a person's attributes.
        stay_on: first day of the stay it belongs to; the key of the case.
        deadline_on: last lawful day, or the last day to act.
        first_day_on: first day of the breach (for a reminder: the day that is coming).
        last_day_on: last day of the breach; none while it lasts.
        days: days of breach so far.
        group: citizenship group of the policy (never the citizenship itself).
        oblast: ISO 3166-2:KZ where it belongs; empty if not known.
        post: border post of the entry; empty if not known.
        employer: employer's pseudonym where work is concerned; empty otherwise.
        sector: section letter where work is concerned; empty otherwise.
        article: the law article or Concept clause.
        policy_version: which policy decided.
        options: lawful options, in the order they must be considered.
        evidence: event_ids it rests on.
        reason: why this version: e.g. ``raised``, ``exit_seen``, ``extension``, ``correction``, ``coverage``, ``dispute``.
        caused_by: event_id that caused this version.
        caused_at: broker's timestamp of that event, UTC epoch ms (latency is measured from it).
        decided_at: the log's clock when it was decided, UTC epoch ms.
    """

    alert_id: bytes
    version: int
    subject: str
    rule: str
    family: Family
    state: AlertState
    grade: Grade
    severity: Severity
    stay_on: int
    deadline_on: int
    first_day_on: int
    last_day_on: int | None
    days: int
    group: str
    oblast: str
    post: str
    employer: str
    sector: str
    article: str
    policy_version: str
    options: tuple[str, ...]
    evidence: tuple[bytes, ...]
    reason: str
    caused_by: bytes
    caused_at: int
    decided_at: int


@dataclass(frozen=True, slots=True)
class Alert(Conclusion):
    """A breach, or a sign that someone needs protection: a person looks at it."""

    NAME: ClassVar[str] = "alert"


@dataclass(frozen=True, slots=True)
class Finding(Conclusion):
    """A reminder before a breach, or a fault in the data: nobody is suspected of anything."""

    NAME: ClassVar[str] = "finding"


@dataclass(frozen=True, slots=True)
class Case:
    """One version of the follow-up of one stay of one person.

    Attributes:
        case_id: 16 bytes of SHA-256 over (subject, stay).
        version: 1, 2, …
        subject: the person's pseudonym.
        stay_on: first day of the stay.
        stage: suspected, contacted, legalised, left, cleared, referred or removed.
        open: whether someone still has to act.
        path: the lawful path it is on, e.g. ``legalisation``, ``voluntary_departure``, ``protection``.
        protected: the interlock holds: no removal may be offered.
        options: lawful options, in order.
        alerts: alert_ids it follows.
        group: citizenship group.
        oblast: ISO 3166-2:KZ; empty if not known.
        due_on: the next day something is due; none if nothing is.
        opened_at: log time of the first version.
        decided_at: log time of this version.
        caused_by: event_id that caused this version.
    """

    NAME: ClassVar[str] = "case"

    case_id: bytes
    version: int
    subject: str
    stay_on: int
    stage: Literal["suspected", "contacted", "legalised", "left", "cleared", "referred", "removed"]
    open: bool
    path: str
    protected: bool
    options: tuple[str, ...]
    alerts: tuple[bytes, ...]
    group: str
    oblast: str
    due_on: int | None
    opened_at: int
    decided_at: int
    caused_by: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be processed: whole, and with a reason its publisher can act on.

    Attributes:
        topic: where it came from.
        partition: where it came from.
        offset: where it came from.
        timestamp_at: the broker's timestamp, UTC epoch ms.
        key: its key, as it came.
        value: its bytes, all of them.
        code: machine-readable reason, e.g. ``unknown_schema``, ``truncated``, ``unknown_post``, ``far_future``, ``rule_failed``.
        reason: what was expected, what came, where, what to do next. No personal data.
        event_type: the event type if it could be told; empty otherwise.
        source: the publishing system if it could be told; empty otherwise.
        signature: the batch signature it came with, as it came; none if it had none.
    """

    NAME: ClassVar[str] = "dead_letter"

    topic: str
    partition: int
    offset: int
    timestamp_at: int
    key: bytes | None
    value: bytes
    code: str
    reason: str
    event_type: str
    source: str
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a source is told of a message of its that was refused, or of what became of it since. Nothing of its content.

    Attributes:
        source: the publishing system.
        state: refused, replayed (published again as it was) or mended (published again with fields put right).
        code: the reason's code, as in the dead letter.
        field: the field at fault if the reason names one; empty otherwise.
        event_type: the event type if it could be told; empty otherwise.
        event_id: the event's id if it could be read; none otherwise.
        source_seq: its number at the source; 0 if it could not be read.
        topic: where the message lies.
        partition: where the message lies.
        offset: where the message lies.
        arrived_at: when it arrived there, UTC epoch ms.
    """

    NAME: ClassVar[str] = "feedback"

    source: str
    state: FeedbackState
    code: str
    field: str
    event_type: str
    event_id: bytes | None
    source_seq: int
    topic: str
    partition: int
    offset: int
    arrived_at: int


@dataclass(frozen=True, slots=True)
class BatchMarker:
    """One line of the ledger: an unbroken run of offsets and what became of each.

    Attributes:
        topic: source topic.
        partition: source partition.
        first_offset: first offset of the run.
        last_offset: last offset of the run.
        processed: records processed.
        dead_letters: records sent to the dead letters.
        skipped_offsets: offsets in the run that held no record (transaction marks, compaction).
        decided_at: wall-clock time, UTC epoch ms.
    """

    NAME: ClassVar[str] = "batch"

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    processed: int
    dead_letters: int
    skipped_offsets: int
    decided_at: int
