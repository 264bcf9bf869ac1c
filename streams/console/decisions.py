"""Decisions leave as events: kept here first, then published; they count when they come back through the stream (ADR 0093).

A decision is written to the store together with its line of the audit, and sent until Kafka has it. Sent twice, it is one
fact: its id was given when it was taken.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

import structlog

from streams.clock import monotonic_s, now_ms
from streams.console.audit import Audit
from streams.console.store import Store, Writer
from streams.errors import ShekaraError
from streams.publish.publisher import Publisher
from streams.records import CaseDecision, Correction, Dispute, EmployerDecision, IdentityLink
from streams.records.cases import Decision, EmployerOutcome
from streams.settings import Settings
from streams.wire import avro

log = structlog.get_logger(__name__)

RETRY_S = 5.0
SEND_S = 8.0
"""How long a page waits for Kafka; after that the decision is kept and sent later."""

Event = CaseDecision | EmployerDecision | Dispute | Correction | IdentityLink
Made = tuple[Any, str, bytes, bytes, Callable[[Any, int, int], Event]]
"""What is kept: the wish, its name, the case it touches, what the audit names, and what makes the event."""
Within = Callable[[Writer], bool] | None

_LAST = "SELECT coalesce(max(source_seq), 0) FROM decision WHERE case_id = ?"


@dataclass(frozen=True, slots=True)
class Taken:
    """A decision as an officer takes it.

    Attributes:
        decision: what.
        subject: the person's pseudonym.
        case_id: 16 bytes.
        alert_id: the alert it is about; none: the whole case.
        reason: in the officer's words.
        not_before: UTC epoch ms: it must lie behind the decisions it follows.
    """

    decision: Decision
    subject: str
    case_id: bytes
    alert_id: bytes | None
    reason: str
    not_before: int = 0


@dataclass(frozen=True, slots=True)
class EmployerTaken:
    """How an officer's work on an alert about an employer ended.

    Attributes:
        decision: how.
        subject: the employer's pseudonym.
        alert_id: 16 bytes.
        alert_version: the version the officer saw.
        reason: in the officer's words.
        not_before: UTC epoch ms: it must lie behind the decisions it follows.
    """

    decision: EmployerOutcome
    subject: str
    alert_id: bytes
    alert_version: int
    reason: str
    not_before: int = 0


@dataclass(frozen=True, slots=True)
class Disputed:
    """That a record or an alert is wrong, as an officer writes it down for somebody; or how it was decided.

    Attributes:
        kind: opened, upheld (the person was right) or rejected.
        subject: the person's pseudonym.
        case_id: 16 bytes: the case of the stay it touches.
        dispute_id: 16 bytes: the same for the opening and its decision.
        alert_id: the alert in doubt, 16 bytes; none where an event is.
        event_id: the event in doubt, 16 bytes; none where the alert as a whole is.
        reason: in the officer's words, for the audit; the event has no place for it.
        not_before: UTC epoch ms: it must lie behind what it follows.
    """

    kind: Literal["opened", "upheld", "rejected"]
    subject: str
    case_id: bytes
    dispute_id: bytes
    alert_id: bytes | None
    event_id: bytes | None
    reason: str
    not_before: int = 0


@dataclass(frozen=True, slots=True)
class Linked:
    """That two pseudonyms are one person, as an officer says.

    Attributes:
        subject: the one pseudonym.
        other_subject: the other.
        link_id: 16 bytes.
        reason: in the officer's words, for the audit; the event has no place for it.
        not_before: UTC epoch ms.
    """

    subject: str
    other_subject: str
    link_id: bytes
    reason: str
    not_before: int = 0


class Decisions:
    """Keeps and sends decisions.

    Args:
        settings: where Kafka is.
        store: where they are kept until they are sent.
        audit: who decided.
        clock: the log's clock, UTC epoch ms: the wall's, or in an invented country its last tick.
    """

    def __init__(self, settings: Settings, store: Store, audit: Audit, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._store = store
        self._audit = audit
        self._clock = clock
        self._publisher: Publisher | None = None
        self._rest_until_s = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        with store.writing() as writer:
            row = writer.rows("SELECT content FROM setting WHERE name = 'source'")
            self.source = row[0][0] if row else f"console:{uuid4().hex[:12]}"
            if not row:
                writer.run("INSERT INTO setting VALUES ('source', ?)", self.source)
        self._thread = threading.Thread(target=self._send_late_ones, name="decisions", daemon=True)
        self._thread.start()

    def take(self, officer: str, taken: Iterable[Taken | EmployerTaken], within: Within = None) -> bool:
        """Takes decisions of one officer.

        Args:
            officer: whose.
            taken: the decisions; one about an employer is kept under its alert, for it has no case.
            within: done first in the same transaction; if it says no, nothing is decided.

        Returns:
            Whether Kafka has them already; if not, they are kept and will be sent.
        """

        def decided(one: Taken | EmployerTaken, moment: int, seq: int) -> Event:
            recorded = max(now_ms(), moment)
            if isinstance(one, EmployerTaken):
                return EmployerDecision(
                    uuid4().bytes, one.subject, moment, recorded, self.source, seq,
                    one.alert_id, one.alert_version, one.decision, officer, one.reason,
                )  # fmt: skip
            return CaseDecision(
                uuid4().bytes, one.subject, moment, recorded, self.source, seq,
                one.case_id, one.decision, officer, one.reason, one.alert_id,
            )  # fmt: skip

        made: list[Made] = []
        for one in taken:
            if isinstance(one, EmployerTaken):
                made.append((one, f"employer_{one.decision}", one.alert_id, one.alert_id, decided))
            else:
                made.append((one, one.decision, one.case_id, one.alert_id or one.case_id, decided))
        return self._take(officer, made, within)

    def dispute(self, officer: str, disputed: Disputed, within: Within = None) -> bool:
        """Sends that somebody says a record is wrong, or how that was decided; as `take`.

        Was the person right about an event, it is corrected too: a decision alone would let it count again.
        """

        def said(one: Disputed, moment: int, seq: int) -> Dispute:
            recorded = max(now_ms(), moment)
            return Dispute(
                uuid4().bytes, one.subject, moment, recorded, self.source, seq,
                one.kind, one.dispute_id, one.event_id, one.alert_id if one.event_id is None else None,
            )  # fmt: skip

        def corrected(one: Disputed, moment: int, seq: int) -> Correction:
            wrong = one.event_id or b""
            return Correction(
                uuid4().bytes, one.subject, moment, max(now_ms(), moment), self.source, seq, wrong, None, "other"
            )  # fmt: skip

        about = disputed.alert_id or disputed.case_id
        events: list[Made] = [(disputed, f"dispute_{disputed.kind}", disputed.case_id, about, said)]
        if disputed.kind == "upheld" and disputed.event_id is not None:
            events.append((disputed, "dispute_correction", disputed.case_id, about, corrected))
        return self._take(officer, events, within)

    def link(self, officer: str, linked: Linked, within: Within = None) -> bool:
        """Sends that two pseudonyms are one person; as `take`."""

        def said(one: Linked, moment: int, seq: int) -> IdentityLink:
            recorded = max(now_ms(), moment)
            return IdentityLink(
                uuid4().bytes, one.subject, moment, recorded, self.source, seq,
                "linked", one.link_id, one.other_subject, "officer_decision",
            )  # fmt: skip

        return self._take(officer, [(linked, "identity_linked", linked.link_id, linked.link_id, said)], within)

    def _take(
        self,
        officer: str,
        taken: Iterable[Made],
        within: Within,
    ) -> bool:
        at = now_ms()
        occurred_at = self._clock()
        with self._store.writing() as writer:
            if within is not None and not within(writer):
                return True
            last = writer.rows("SELECT coalesce(max(occurred_at), 0), coalesce(max(source_seq), 0) FROM decision")[0]
            before, seq = int(last[0]), int(last[1])
            for one, name, case_id, about, made in taken:
                # An invented country's clock may stand: what follows must still lie behind what it follows.
                moment = max(occurred_at, one.not_before + 1)
                if before >= moment and before - moment < 60_000:
                    moment = before + 1
                before, seq = moment, seq + 1
                event = made(one, moment, seq)
                writer.run(
                    "INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
                    event.event_id.hex(), seq, moment, case_id.hex(), name, officer, avro.encode(event).hex(), at,
                )  # fmt: skip
                self._audit.write_in(writer, at, officer, f"decided_{name}", str(UUID(bytes=about)), one.reason)
        if monotonic_s() >= self._rest_until_s:
            with contextlib.suppress(ShekaraError):
                return self._send()
        return False

    def of_case(self, case_id: UUID) -> list[tuple[str, str, int]]:
        """Returns our decisions on a case, those not yet back from the stream included: decision, officer, occurred_at."""
        rows = self._store.rows(
            "SELECT decision, officer, occurred_at FROM decision "
            "WHERE case_id = ? AND decision NOT LIKE 'dispute%' ORDER BY source_seq",
            case_id.hex,
        )
        return [(str(decision), str(officer), int(at)) for decision, officer, at in rows]

    def last_of(self, case_id: UUID) -> int:
        """Returns the number at the source of what was decided last in a case, disputes included; 0: nothing."""
        return int(self._store.rows(_LAST, case_id.hex)[0][0])

    def last_in(self, writer: Writer, case_id: UUID) -> int:
        """Returns the same within a transaction."""
        return int(writer.rows(_LAST, case_id.hex)[0][0])

    def opening(self, case_id: UUID, dispute_id: bytes) -> Dispute | None:
        """Returns how a dispute about a case was opened through this console; none if it was opened elsewhere."""
        rows = self._store.rows("SELECT content FROM decision WHERE case_id = ? AND decision = 'dispute_opened'", case_id.hex)
        for (content,) in rows:
            event = avro.decode(bytes.fromhex(content))
            if isinstance(event, Dispute) and event.dispute_id == dispute_id:
                return event
        return None

    def waiting(self) -> int:
        """Returns how many decisions Kafka does not have yet."""
        return int(self._store.rows("SELECT count(*) FROM decision WHERE sent = 0")[0][0])

    def close(self) -> None:
        """Stops sending; what is not sent is sent at the next start."""
        self._stop.set()
        self._thread.join(SEND_S + 2)
        with self._lock:
            self._forget()

    def _send(self) -> bool:
        """Sends what waits, in order; returns whether nothing waits any more.

        One console at a time: another that shares the store would send the same decisions, and later ones before earlier ones.
        """
        with self._lock, self._store.alone("decisions"):
            rows = self._store.rows("SELECT event_id, content FROM decision WHERE sent = 0 ORDER BY source_seq LIMIT 1000")
            if not rows:
                return True
            try:
                if self._publisher is None:
                    self._publisher = Publisher(self._settings, source=self.source, linger_ms=0)
                for _, content in rows:
                    event = avro.decode(bytes.fromhex(content))
                    if isinstance(event, Event):
                        self._publisher.publish(event)
                self._publisher.flush(SEND_S)
            except ShekaraError as error:
                log.warning("decisions wait", error=type(error).__name__, waiting=len(rows))
                # Nobody else's page waits for a Kafka that just did not answer; the thread goes on trying.
                self._rest_until_s = monotonic_s() + 2 * RETRY_S
                self._forget()
                raise
            with self._store.writing() as writer:
                for event_id, _ in rows:
                    writer.run("UPDATE decision SET sent = 1 WHERE event_id = ?", event_id)
        return len(rows) < 1000

    def _forget(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            with contextlib.suppress(ShekaraError):
                publisher.close(1.0)

    def _send_late_ones(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(ShekaraError):
                if self.waiting():
                    self._send()
            self._stop.wait(RETRY_S)
