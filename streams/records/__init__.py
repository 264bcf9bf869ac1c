"""Facts as they are published: frozen, slotted dataclasses, one module per domain.

One class per event type; class field = Avro field = ClickHouse column, in the same order (a test holds it).
Units: ``*_at`` is UTC epoch milliseconds, ``*_on`` is a date as days since 1970-01-01, ids are 16 bytes.
"""

from __future__ import annotations

from streams.records.cases import CaseDecision, EmployerDecision
from streams.records.corrections import Correction, Dispute
from streams.records.crossings import BorderCrossing
from streams.records.envelope import PersonEvent, Record, SubjectKind
from streams.records.identity import EntryBan, IdentityLink, SharedFacts
from streams.records.labour import EmployerDeclaration, Inspection, LabourContract, WorkPermit
from streams.records.links import LabourLink
from streams.records.movement import Kandas, ResidenceChange
from streams.records.outputs import Alert, BatchMarker, Case, DeadLetter, Feedback, Finding
from streams.records.posts import CountStatement, PostHeartbeat, PostOutage
from streams.records.protection import ProtectionStatus
from streams.records.quick import quick
from streams.records.quotas import QuotaAllocation
from streams.records.stays import Citizenship, ResidencePermit, StayRegistration, Visa
from streams.records.ticks import Gap, Tick

INPUTS: tuple[type[Record], ...] = (
    BorderCrossing,
    StayRegistration,
    Visa,
    ResidencePermit,
    Citizenship,
    WorkPermit,
    LabourContract,
    Inspection,
    ProtectionStatus,
    ResidenceChange,
    Kandas,
    IdentityLink,
    EntryBan,
    Correction,
    Dispute,
    CaseDecision,
    Tick,
    PostHeartbeat,
    PostOutage,
    EmployerDeclaration,
    QuotaAllocation,
    CountStatement,
    EmployerDecision,
)
"""Every event type that may arrive from outside, in the order of docs/events.md."""

RELAYED: tuple[type[Record], ...] = (SharedFacts,)
"""What workers write into an input topic for one another; nobody outside may."""

OUTPUTS: tuple[type[Alert | Finding | Case | DeadLetter | BatchMarker | Feedback], ...] = (
    Alert,
    Finding,
    Case,
    DeadLetter,
    BatchMarker,
    Feedback,
)
"""Every record this system writes for others to read."""

INTERNAL: tuple[type[LabourLink], ...] = (LabourLink,)
"""Every record this system writes for itself alone: no publisher, reader or table knows it."""

for _kind in (*INPUTS, *RELAYED, *OUTPUTS, Gap):
    quick(_kind)

__all__ = [
    "INPUTS",
    "INTERNAL",
    "OUTPUTS",
    "RELAYED",
    "Alert",
    "BatchMarker",
    "BorderCrossing",
    "Case",
    "CaseDecision",
    "Citizenship",
    "Correction",
    "CountStatement",
    "DeadLetter",
    "Dispute",
    "EmployerDecision",
    "EmployerDeclaration",
    "EntryBan",
    "Feedback",
    "Finding",
    "Gap",
    "IdentityLink",
    "Inspection",
    "Kandas",
    "LabourContract",
    "LabourLink",
    "PersonEvent",
    "PostHeartbeat",
    "PostOutage",
    "ProtectionStatus",
    "QuotaAllocation",
    "Record",
    "ResidenceChange",
    "ResidencePermit",
    "SharedFacts",
    "StayRegistration",
    "SubjectKind",
    "Tick",
    "Visa",
    "WorkPermit",
]
