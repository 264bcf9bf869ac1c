"""The words an agent and the pure core share: why a person is looked at, what came of it, when to look again."""

from __future__ import annotations

from typing import Final, NamedTuple

from streams.records import Alert, Case, Finding, LabourLink, SharedFacts


class Cause(NamedTuple):
    """The record that makes us look at a person.

    Attributes:
        event_id: its id, 16 bytes (a tick's, when a deadline passed).
        caused_at: the broker's timestamp of it, UTC epoch ms; the latency of an alert counts from here.
    """

    event_id: bytes
    caused_at: int


class Due(NamedTuple):
    """When a tick must look at the person again; everything empty means never.

    Attributes:
        at_ms: at the first tick whose time is this or later, UTC epoch ms.
        coverage_ms: at the first tick whose ``complete_through_at`` is this or later.
        on_gaps: at the next tick whose gaps are not those of the tick before.
    """

    at_ms: int | None
    coverage_ms: int | None
    on_gaps: bool


NEVER: Final = Due(None, None, on_gaps=False)


class Step(NamedTuple):
    """What came of looking at one person once.

    Attributes:
        state: the new packed state; none when nothing changed, so nothing need be written.
        alerts: new versions of alerts, in order.
        findings: new versions of findings, in order.
        cases: new versions of cases, in order.
        due: when to look again.
        links: new versions of what ties the person to employers and quotas.
        shared: what other pseudonyms that may be the same person must be told.
    """

    state: bytes | None
    alerts: tuple[Alert, ...]
    findings: tuple[Finding, ...]
    cases: tuple[Case, ...]
    due: Due
    links: tuple[LabourLink, ...] = ()
    shared: tuple[SharedFacts, ...] = ()
