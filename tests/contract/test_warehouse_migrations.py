"""Migrations on the real engine: what they make is what the schemas say, and an old file cannot change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.errors import IntegrityError, SetupError
from streams.records import IdentityLink
from streams.warehouse.counts import bring_up_to_date
from streams.warehouse.ddl import codec_of
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import DIRECTORY, migrate, read, refresh_comments
from streams.warehouse.rows import tables
from tests.contract.warehouse import deliver, deliveries, reached, recounted
from tests.integration.indicator_facts import alert, fact
from tests.unit.warehouse.made import correction, crossing

pytestmark = pytest.mark.integration


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    engine = Embedded(tmp_path / "clickhouse")
    yield engine
    engine.close()


def test_every_table_has_exactly_the_columns_its_schema_derives(engine: Embedded) -> None:
    migrate(engine)
    refresh_comments(engine, tables().values())
    for table in tables().values():
        found = engine.select(
            f"SELECT name, type, comment FROM system.columns WHERE table = '{table.name}' ORDER BY position"  # noqa: S608
        ).rows
        assert found == [(column.name, column.type, column.comment) for column in table.columns], (
            f"{table.name}: add a migration (ALTER TABLE … ADD COLUMN IF NOT EXISTS), never change an old one"
        )


def test_every_core_view_has_the_columns_of_its_table(engine: Embedded) -> None:
    migrate(engine)
    for table in tables().values():
        view = table.name.replace("raw_", "core_") if table.name.startswith("raw_") else f"{table.name}_now"
        if view in ("dead_letters_now", "batches_now", "feedback_now"):
            continue
        found = engine.select(f"SELECT name, type FROM system.columns WHERE table = '{view}' ORDER BY position").rows  # noqa: S608
        assert found == [(column.name, column.type) for column in table.columns], view


def test_every_table_view_and_column_says_what_it_is(engine: Embedded) -> None:
    migrate(engine)
    ours = "database = 'shekara' AND comment = ''"
    assert engine.select(f"SELECT name FROM system.tables WHERE {ours}").rows == []  # noqa: S608
    assert engine.select(f"SELECT table, name FROM system.columns WHERE {ours}").rows == []  # noqa: S608


def test_every_column_of_facts_is_packed_as_the_program_says(engine: Embedded) -> None:
    """A new column needs its codec in the migration that adds it."""
    migrate(engine)
    for table in tables().values():
        found = dict(
            engine.select(f"SELECT name, compression_codec FROM system.columns WHERE table = '{table.name}'").rows  # noqa: S608
        )
        assert found == {column.name: codec_of(column) for column in table.columns}, table.name


KNOWN_WHEN = {"received_at", "recorded_at", "decided_at", "withdrawn_at", "now_at"}
HELD_WHEN = {"occurred_at", "entered_at", "entered_on", "valid_from_on", "applied_at", "first_at", "as_of_on", "stay_on"}
HELD_WHEN |= {"opened_at", "event_id", "occurred_on", "now_at", "year"}
WITHOUT_TIME = {
    "core_deliveries": "places in the log",
    "core_same_person": "what holds now; of then: shekara sql --as-of",
    "core_presence_by_standing": "sums of core_presence",
    "core_presence": "computed from counts, which know what holds now; of then: shekara sql --as-of",
    "core_quota_lines": "sums over a version's term, effective_on to until_on; known since: core_quota_allocation",
    "core_workforce": "entered by hand by year, with its source",
}


def test_every_core_view_says_when_it_was_so_and_since_when_it_is_known(engine: Embedded) -> None:
    migrate(engine)
    columns: dict[str, set[str]] = {}
    for table, name in engine.select("SELECT table, name FROM system.columns WHERE startsWith(table, 'core_')").rows:
        columns.setdefault(table, set()).add(name)
    for name in ("core_persons", "core_stays", "core_work_permits", "core_residence_permits", "core_employers"):
        assert name in columns
    without = {name for name, there in columns.items() if not (there & KNOWN_WHEN and there & HELD_WHEN)}
    assert without == WITHOUT_TIME.keys() & columns.keys(), "add the columns, or say here why there are none"


def test_every_view_can_be_asked_when_there_is_nothing_in_it(engine: Embedded) -> None:
    migrate(engine)
    for (name,) in engine.select("SELECT name FROM system.tables WHERE database = 'shekara' AND engine = 'View'").rows:
        engine.select(f"SELECT * FROM {name}")  # noqa: S608


def test_a_second_run_applies_nothing_and_keeps_the_data(engine: Embedded) -> None:
    assert migrate(engine) == len(read())
    deliver(engine, deliveries([crossing(1)]))
    assert migrate(engine) == 0
    assert engine.select("SELECT count() FROM raw_border_crossing").rows == [(1,)]


@pytest.mark.parametrize("number", range(1, len(read())))
def test_a_database_left_at_any_earlier_number_with_data_is_brought_up_to_date(engine: Embedded, number: int) -> None:
    """People, a correction, a link and, once there is a table for it, an alert: then every mart says what every fact says."""
    migrate(engine, read()[:number])
    facts = [crossing(1), crossing(2, "p1-b", day=1), crossing(3, day=2), correction(10, 3)]
    log = deliveries([*facts, fact(IdentityLink, 20, "p1-a", 3, other_subject="p1-b", link_id=bytes(16))])
    if number > 1:
        log += deliveries([alert(1, "overstay_visa", oblast="KZ-75")], topic="t.outputs")
    deliver(engine, log)
    assert migrate(engine) == len(read()) - number
    bring_up_to_date(engine, reached(log))
    assert engine.select("SELECT sum(crossings) FROM mart_daily_flows").rows == [(2,)]
    assert engine.select("SELECT sum(high) FROM mart_foreigners_present").rows == [(1,)], "linked, and so one"
    assert engine.select("SELECT count() FROM alerts_now").rows == [(1 if number > 1 else 0,)]
    for mart, (said, must) in recounted(engine).items():
        assert said == must, mart


def test_a_migration_that_broke_half_way_runs_again_from_its_start(engine: Embedded) -> None:
    whole = read()
    broken = dataclasses.replace(whole[0], statements=(*whole[0].statements[:3], "CREATE TABLE IF NOT EXISTS"))
    with pytest.raises(Exception, match="Syntax error"):
        migrate(engine, [broken])
    assert migrate(engine) == len(whole)


def test_a_changed_old_file_is_refused_by_name(engine: Embedded, tmp_path: Path) -> None:
    migrate(engine)
    copy = tmp_path / "migrations"
    copy.mkdir()
    for path in DIRECTORY.glob("*.sql"):
        (copy / path.name).write_bytes(path.read_bytes())
    changed = copy / read()[1].file
    changed.write_text(changed.read_text() + "\n-- a word\n")
    with pytest.raises(IntegrityError, match=changed.name):
        migrate(engine, read(copy))


def test_a_database_newer_than_the_program_is_refused(engine: Embedded) -> None:
    migrate(engine)
    with pytest.raises(IntegrityError, match=read()[-1].name):
        migrate(engine, read()[:-1])


@pytest.mark.parametrize("names", [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["one.sql"]])
def test_files_out_of_order_are_refused_by_name(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(SetupError, match=names[-1]):
        read(tmp_path)


def test_a_better_sentence_in_a_schema_needs_no_migration(engine: Embedded) -> None:
    migrate(engine)
    table = tables()["visa"]
    refresh_comments(engine, [table])
    better = dataclasses.replace(table, fields=(dataclasses.replace(table.fields[0], comment="It's better."), *table.fields[1:]))
    assert refresh_comments(engine, [better]) == 1
    assert engine.select("SELECT comment FROM system.columns WHERE table = 'raw_visa' AND name = 'event_id'").rows == [
        ("It's better.",)
    ]
    assert refresh_comments(engine, [better]) == 0
