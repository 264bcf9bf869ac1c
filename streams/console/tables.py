"""Tables of the console's store, as the steps that lead to them: people, their sessions, their work, the audit.

A step that was applied anywhere is never edited (its digest is kept beside it); what changes is a new step at the end. Statements
keep to what SQLite and PostgreSQL both know: TEXT, INTEGER below 2^31, BIGINT, ON CONFLICT, ADD COLUMN with a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the store's form.

    Attributes:
        name: what it brings.
        statements: in order; all of a step are applied in one transaction.
    """

    name: str
    statements: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Returns the SHA-256 of the statements."""
        return sha256("\0".join(self.statements).encode()).hexdigest()


def _step(name: str, text: str) -> Step:
    return Step(name, tuple(one.strip() for one in text.split(";") if one.strip()))


FORM = """
CREATE TABLE IF NOT EXISTS form (
    step INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
"""Which steps were applied."""

_PEOPLE = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, oblast TEXT NOT NULL, officer TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL, failures INTEGER NOT NULL, locked_until_at BIGINT NOT NULL, created_at BIGINT NOT NULL,
    disabled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS invitation (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, csrf TEXT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
    reason TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS note (
    id TEXT PRIMARY KEY, case_id TEXT NOT NULL, officer TEXT NOT NULL, written_at BIGINT NOT NULL, content TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS note_of_case ON note (case_id, written_at);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decision (
    event_id TEXT PRIMARY KEY, source_seq BIGINT NOT NULL UNIQUE, occurred_at BIGINT NOT NULL, case_id TEXT NOT NULL,
    decision TEXT NOT NULL, officer TEXT NOT NULL, content TEXT NOT NULL, taken_at BIGINT NOT NULL, sent INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS decision_of_case ON decision (case_id, source_seq);
"""

_SECOND_FACTOR = """
CREATE TABLE IF NOT EXISTS otp (
    account_id TEXT PRIMARY KEY, secret TEXT NOT NULL, confirmed INTEGER NOT NULL, last_step BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS recovery (account_id TEXT NOT NULL, digest TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS half_session (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, until_at BIGINT NOT NULL, tries INTEGER NOT NULL);
"""

_WORK = """
CREATE TABLE IF NOT EXISTS held (
    alert_id TEXT PRIMARY KEY, owner TEXT NOT NULL, snoozed_until_at BIGINT NOT NULL, returned_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS deed (
    id TEXT PRIMARY KEY, officer TEXT NOT NULL, kind TEXT NOT NULL, done_at BIGINT NOT NULL, content TEXT NOT NULL,
    undone_at BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS deed_of_officer ON deed (officer, done_at);
CREATE TABLE IF NOT EXISTS mute (
    id TEXT PRIMARY KEY, author TEXT NOT NULL, reason TEXT NOT NULL, rule TEXT NOT NULL, oblast TEXT NOT NULL, post TEXT NOT NULL,
    made_at BIGINT NOT NULL, until_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS saved_view (
    id TEXT PRIMARY KEY, author TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, shared INTEGER NOT NULL,
    made_at BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS proceeding (
    id TEXT PRIMARY KEY, procedure_name TEXT NOT NULL, oblast TEXT NOT NULL, owner TEXT NOT NULL, opened_by TEXT NOT NULL,
    opened_at BIGINT NOT NULL, opened_on BIGINT NOT NULL, days BIGINT NOT NULL, dispute_id TEXT NOT NULL,
    closed_at BIGINT NOT NULL, closed_by TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS proceeding_member (
    proceeding_id TEXT NOT NULL, alert_id TEXT NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (proceeding_id, alert_id));
CREATE INDEX IF NOT EXISTS proceeding_of_case ON proceeding_member (case_id);
CREATE INDEX IF NOT EXISTS proceeding_of_alert ON proceeding_member (alert_id);
CREATE TABLE IF NOT EXISTS task (
    id TEXT PRIMARY KEY, proceeding_id TEXT NOT NULL, place BIGINT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
    days BIGINT NOT NULL, done_at BIGINT NOT NULL, done_by TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS task_of_proceeding ON task (proceeding_id, place);
CREATE TABLE IF NOT EXISTS evidence (
    id TEXT PRIMARY KEY, proceeding_id TEXT NOT NULL, officer TEXT NOT NULL, added_at BIGINT NOT NULL, kind TEXT NOT NULL,
    reference TEXT NOT NULL, content TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS evidence_of_proceeding ON evidence (proceeding_id, added_at);
CREATE TABLE IF NOT EXISTS pause (
    id TEXT PRIMARY KEY, proceeding_id TEXT NOT NULL, from_on BIGINT NOT NULL, until_on BIGINT NOT NULL, reason TEXT NOT NULL,
    officer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS pause_of_proceeding ON pause (proceeding_id, from_on);
"""

_PROVIDER = """
CREATE TABLE identity (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, account_id TEXT NOT NULL UNIQUE, PRIMARY KEY (issuer, subject));
CREATE TABLE provider_attempt (digest TEXT PRIMARY KEY, until_at BIGINT NOT NULL);
"""

STEPS: tuple[Step, ...] = (
    # Stores older than the table of steps have these tables already: therefore "if not exists", here only.
    _step("people, audit, decisions", _PEOPLE),
    _step("second factor", _SECOND_FACTOR),
    _step("work and proceedings", _WORK),
    _step("sign-in by a provider", _PROVIDER),
)
"""The store's form: step 1 is the first."""
