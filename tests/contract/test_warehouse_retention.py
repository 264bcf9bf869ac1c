"""Retention data of the policy are the TTL of tables, on the real engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from streams.policy.load import load
from streams.warehouse import retention
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import Position
from tests.contract.warehouse import deliver
from tests.unit.warehouse.made import DAY_MS, crossing

pytestmark = pytest.mark.integration

TODAY = (date(2026, 1, 1) - date(1970, 1, 1)).days


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    engine = Embedded(tmp_path / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


def test_the_policys_clocks_bound_every_table_with_people_in_it() -> None:
    kept = retention.kept_days(load("kz"), TODAY)
    assert kept["raw_border_crossing"] == ("received_at", 366 * (5 + 10) + 30)
    assert kept["dead_letters"] == ("received_at", 366 * 3)
    assert {"alerts", "alerts_latest", "findings", "cases", "crossings_by_person", "raw_identity_link"} <= kept.keys()
    assert (
        not {"raw_tick", "raw_post_heartbeat", "raw_quota_allocation", "raw_employer_declaration", "batches", "counts"}
        & kept.keys()
    )


def test_a_policy_without_clocks_keeps_everything() -> None:
    assert retention.kept_days(load("rolling-90-180"), TODAY) == {}


def test_every_table_with_a_pseudonym_of_a_person_has_an_end(engine: Embedded) -> None:
    """A table somebody adds with a subject in it must say how long it is kept."""
    held = engine.select(
        "SELECT DISTINCT table FROM system.columns WHERE database = 'shekara' AND name IN ('subject', 'person') "
        "AND table IN (SELECT name FROM system.tables WHERE database = 'shekara' AND engine LIKE '%MergeTree')"
    ).rows
    kept = retention.kept_days(load("kz"), TODAY)
    without = {str(table) for (table,) in held} - kept.keys()
    nobody = {"raw_tick", "raw_post_heartbeat", "raw_post_outage", "raw_count_statement", "raw_quota_allocation"}
    employers = {"raw_employer_declaration", "raw_employer_decision"}
    counting = {"counts", "counts_next", "counts_people", "counts_facts", "counts_touched", "counts_same"}
    assert without <= nobody | employers | counting


def test_rows_beyond_their_term_go_and_the_others_stay(engine: Embedded) -> None:
    now = int(time.time() * 1000)
    days = retention.kept_days(load("kz"), TODAY)["raw_border_crossing"][1]
    old, recent = now - (days + 2) * DAY_MS, now - (days - 2) * DAY_MS
    deliver(
        engine,
        [
            (Position("t.people", 0, 0, old), crossing(1, occurred_at=old, recorded_at=old)),
            (Position("t.people", 0, 1, recent), crossing(2, occurred_at=recent, recorded_at=recent)),
        ],
    )
    changed = retention.apply(engine, retention.kept_days(load("kz"), TODAY))
    assert changed > 10
    assert retention.apply(engine, retention.kept_days(load("kz"), TODAY)) == 0, "once is enough"
    for table in ("raw_border_crossing", "crossings_by_person"):
        engine.command(f"OPTIMIZE TABLE {table} FINAL")
        assert engine.select(f"SELECT offset FROM {table}").rows == [(1,)], table  # noqa: S608
    assert engine.select("SELECT sum(crossings) FROM mart_daily_flows").rows == [(2,)], "what was counted stays counted"


def test_another_policy_gives_another_term_and_none_takes_it_away(engine: Embedded) -> None:
    assert retention.apply(engine, {"raw_visa": ("received_at", 10)}) == 1
    assert retention.apply(engine, {"raw_visa": ("received_at", 20)}) == 1
    [(full,)] = engine.select("SELECT engine_full FROM system.tables WHERE name = 'raw_visa'").rows
    assert "toIntervalDay(20)" in full
    assert retention.apply(engine, {}) == 1
    [(full,)] = engine.select("SELECT engine_full FROM system.tables WHERE name = 'raw_visa'").rows
    assert "TTL" not in full
