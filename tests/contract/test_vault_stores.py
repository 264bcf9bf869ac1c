"""One law suite for what keeps a vault's rows: a SQLite file and a real ClickHouse engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from streams.vault.clickhouse import TABLES, ClickHouseStore
from streams.vault.sqlite import SqliteStore
from streams.vault.store import Pair, Row, Store
from streams.warehouse.embedded import Embedded
from tests.unit.vault.test_candidates import RENEWED, found_in
from tests.unit.vault.vaults import ANVAR, KEY, NEWER, people, subject, vault_in

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    made = Embedded(tmp_path_factory.mktemp("engine") / "clickhouse", "vault")
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        made = SqliteStore(tmp_path / "vault.db")
        yield made
        made.close()
        return
    engine: Embedded = request.getfixturevalue("engine")
    yield ClickHouseStore(engine)
    for table in ("document", "pair", "note"):
        engine.command(f"TRUNCATE TABLE {table}")


def row(number: int, *, born: bytes = b"", personal: bytes = b"", seen_on: int = 1, kept_at: int = 1) -> Row:
    return Row(subject(number), bytes(range(256)), born, personal, seen_on, kept_at)


def test_what_is_written_is_read_and_the_last_word_counts(store: Store) -> None:
    rows = [row(number, born=b"b" * 16, seen_on=number, kept_at=number) for number in range(1, 6)]
    store.put(rows)
    newer = replace(rows[0], sealed=b"newer", born_mark=b"c" * 16, kept_at=99)
    store.put([newer])
    assert store.get({subject(1), subject(2), subject(77)}) == {subject(1): newer, subject(2): rows[1]}
    assert store.get(set()) == {}
    assert store.count() == 5
    assert {one.subject for one in store.marked({b"b" * 16})} == {subject(n) for n in (2, 3, 4, 5)}
    assert store.marked({b"c" * 16}) == [newer]
    assert store.marked(set()) == store.marked({b"x" * 16}) == []
    assert {one.subject for one in store.changed_since(5)} == {subject(5), subject(1)}
    assert sorted(store.last_seen_before(3)) == [subject(1), subject(2)]


def test_a_walk_meets_everybody_once_in_order(store: Store) -> None:
    store.put([row(number) for number in (3, 1, 5, 2, 4)])
    met, after = [], ""
    while page := store.walk(after, 2):
        met += [one.subject for one in page]
        after = page[-1].subject
    assert met == [subject(number) for number in range(1, 6)]


def test_who_is_erased_is_gone_with_every_pair(store: Store) -> None:
    store.put([row(1), row(2), row(3)])
    store.put_pairs(
        [Pair(subject(1), subject(2), 0.9, "{}", "proposed", 1), Pair(subject(2), subject(3), 0.8, "{}", "proposed", 1)]
    )
    store.erase({subject(1)})
    assert set(store.get({subject(1), subject(2)})) == {subject(2)}
    assert [(one.first, one.second) for one in store.pairs()] == [(subject(2), subject(3))]
    store.erase(set())
    assert store.count() == 2


def test_pairs_and_notes_keep_the_last_word(store: Store) -> None:
    first = Pair(subject(1), subject(2), 0.9, '{"names": 0.9}', "proposed", 5)
    store.put_pairs([first, Pair(subject(3), subject(4), 0.95, "{}", "proposed", 5)])
    decided = replace(first, state="rejected", decided_by="o1", decided_at=7, reason="two 'brothers'")
    store.put_pairs([decided])
    assert store.pairs() == [Pair(subject(3), subject(4), 0.95, "{}", "proposed", 5), decided]
    assert store.note("searched_at") == 0
    store.set_note("searched_at", 5)
    store.set_note("searched_at", 2**40)
    assert store.note("searched_at") == 2**40


def test_a_vault_on_it_keeps_finds_rotates_and_forgets(store: Store) -> None:
    lines: list[tuple[str, ...]] = []
    vault = vault_in(store, KEY, lines=lines)
    vault.keep([*people(40), (subject(900), ANVAR), (subject(901), RENEWED)])
    assert found_in(vault).find() == 1
    both = vault_in(store, NEWER, KEY, lines=lines)
    assert both.rotate() == 42
    alone = vault_in(store, NEWER, lines=lines)
    assert alone.read(subject(900), "a check of it", officer="o") == ANVAR
    assert (alone.outdated(), found_in(alone).find()) == (0, 0)
    alone.erase({subject(900)})
    assert alone.read(subject(900), "a check of it", officer="o") is None
    assert found_in(alone).open() == []


def test_no_table_has_a_column_for_what_a_document_says() -> None:
    for statement in TABLES:
        for name in ("surname", "given", "number", "born_on", "personal_number"):
            assert f" {name} " not in statement
