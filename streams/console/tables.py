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
"""
