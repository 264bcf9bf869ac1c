"""A worker whose person core counts: every event gives one alert whose version is the count of the person's events.

If an event is lost or counted twice, versions have a hole or a repeat; nothing about persons is needed to see it.
Run as ``python -m tests.integration.counting NAMESPACE BOOTSTRAP [--failpoint point:n] [--ticks wall]``.
"""

from __future__ import annotations

import argparse
import sys

from streams import bootstrap
from streams.detect.logtime import LogTime
from streams.errors import ShekaraError
from streams.person.step import NEVER, Cause, Due, Step
from streams.policy.model import Policy
from streams.records import Alert, PersonEvent
from streams.runtime.journal import open_journal
from streams.runtime.serve import probes_of, run
from streams.settings import Settings


def alert(event_id: bytes, subject: str, version: int, cause: Cause, now_ms: int) -> Alert:
    """Returns an alert of which only id, version and subject mean anything."""
    return Alert(
        alert_id=event_id,
        version=version,
        subject=subject,
        rule="counted",
        family="breach",
        state="raised",
        grade="established",
        severity="low",
        stay_on=0,
        deadline_on=0,
        first_day_on=0,
        last_day_on=None,
        days=0,
        group="",
        oblast="",
        post="",
        employer="",
        sector="",
        article="",
        policy_version="",
        options=(),
        evidence=(),
        reason="raised",
        caused_by=cause.event_id,
        caused_at=cause.caused_at,
        decided_at=now_ms,
    )


class Counting:
    """Counts a person's events; an event of the source ``poison`` makes it raise, one of ``timer`` wants a tick.

    The state is the count, and behind it the due instant if there is one.
    """

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Counts one."""
        if record.source == "poison":
            raise ValueError(record.subject)
        count = (int(state[:4].hex(), 16) if state else 0) + 1
        due = NEVER
        tail = b""
        if record.source == "timer":
            due = Due(record.occurred_at, None, on_gaps=False)
            tail = record.occurred_at.to_bytes(8, "big")
        new = count.to_bytes(4, "big") + tail
        return Step(new, (alert(record.event_id, record.subject, count, cause, time.now_ms),), (), (), due)

    def revisit(self, state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Counts the deadline too."""
        count = int(state[:4].hex(), 16) + 1
        return Step(count.to_bytes(4, "big"), (alert(cause.event_id, subject, count, cause, time.now_ms),), (), (), NEVER)

    def due_of(self, state: bytes) -> Due:
        """Returns what the state says."""
        return Due(int.from_bytes(state[4:], "big"), None, on_gaps=False) if len(state) > 4 else NEVER


def main() -> int:
    """Runs the worker; returns its exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("namespace")
    parser.add_argument("bootstrap")
    parser.add_argument("--failpoint", default="")
    parser.add_argument("--ticks", default="log")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--real", action="store_true", help="people are judged by streams.person, not counted")
    given = parser.parse_args()
    settings = Settings().model_copy(
        update={
            "kafka": given.bootstrap,
            "namespace": given.namespace,
            "ticks": given.ticks,
            "tick_interval_s": 0.2,
            "batch_records": given.batch,
        }
    )
    open_journal("json", "INFO")
    app = bootstrap.worker(settings, person=None if given.real else Counting(), failpoint=given.failpoint, session_s=6.0)
    probes = probes_of(app, "127.0.0.1", 0)
    try:
        run(app, announce=f"http://127.0.0.1:{probes.port}")
    except ShekaraError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        probes.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
