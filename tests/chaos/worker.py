"""A worker as a process of its own, with what ``shekara worker`` does not let one choose: session, unit, rules that raise.

Run as ``python -m tests.chaos.worker NAMESPACE BOOTSTRAP [--failpoint point:n] [--name NAME] …``.
"""

from __future__ import annotations

import argparse
import sys

import streams.person
from streams import bootstrap
from streams.detect.logtime import LogTime
from streams.errors import ShekaraError
from streams.person.step import Cause, Due, Step
from streams.policy.model import Policy
from streams.records import PersonEvent
from streams.runtime.journal import open_journal
from streams.runtime.serve import probes_of, run
from streams.settings import Settings

POISON = "post:poison"
"""An event from this source makes the rule raise, with the person's pseudonym in the message."""


class Poisoned:
    """The real rules with one more, which has a bug."""

    def take(self, state: bytes | None, record: PersonEvent, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Takes a fact, or raises."""
        if record.source == POISON:
            return _divide(record.subject)
        return streams.person.take(state, record, time, cause, policy)

    def revisit(self, state: bytes, subject: str, time: LogTime, cause: Cause, policy: Policy) -> Step:
        """Looks again."""
        return streams.person.revisit(state, subject, time, cause, policy)

    def due_of(self, state: bytes) -> Due:
        """Says when to look again."""
        return streams.person.due_of(state)


def _divide(subject: str) -> Step:
    raise ZeroDivisionError(f"no days of {subject}")


def main() -> int:
    """Runs the worker; returns its exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("namespace")
    parser.add_argument("bootstrap")
    parser.add_argument("--failpoint", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--session-s", type=float, default=6.0)
    parser.add_argument("--poisoned", action="store_true")
    given = parser.parse_args()
    settings = Settings().model_copy(
        update={"kafka": given.bootstrap, "namespace": given.namespace, "ticks": "log", "batch_records": given.batch}
    )
    open_journal("json", "INFO")
    app = bootstrap.worker(
        settings,
        person=Poisoned() if given.poisoned else None,
        failpoint=given.failpoint,
        name=given.name,
        session_s=given.session_s,
    )
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
