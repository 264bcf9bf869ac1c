"""Tables of the officers' own work: who has what, what rests, what was done and can be undone. Decisions are in the log."""

from __future__ import annotations

SECOND_FACTOR = """
CREATE TABLE IF NOT EXISTS otp (
    account_id TEXT PRIMARY KEY, secret TEXT NOT NULL, confirmed INTEGER NOT NULL, last_step BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS recovery (account_id TEXT NOT NULL, digest TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS half_session (
    digest TEXT PRIMARY KEY, account_id TEXT NOT NULL, until_at BIGINT NOT NULL, tries INTEGER NOT NULL);
"""

WORK = """
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
