"""What the warehouse needs from a ClickHouse, held against both adapters: the engine in process and a server on its socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.errors import DependencyError, SetupError
from streams.warehouse import migrate
from streams.warehouse.block import Block
from streams.warehouse.columns import Column
from streams.warehouse.embedded import Embedded
from streams.warehouse.engine import Engine
from streams.warehouse.errors import RefusedError
from streams.warehouse.server import Server
from tests.contract.clickhouse import PASSWORD, free_ports, server_url
from tests.unit.warehouse.made import event_id

pytestmark = pytest.mark.integration

# Types that every server since 2018 knows; the modern ones are tested with the migrations, on the modern engine.
COLUMNS = (
    Column("id", "UUID", ""),
    Column("version", "Int64", ""),
    Column("text", "String", ""),
    Column("maybe", "Nullable(Int32)", ""),
    Column("other", "Nullable(UUID)", ""),
    Column("ids", "Array(UUID)", ""),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_url(tmp_path_factory.mktemp("clickhouse")) as url:
        yield url


@pytest.fixture(params=["embedded", "server"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine: Engine = Embedded(tmp_path / "clickhouse") if request.param == "embedded" else Server(request.getfixturevalue("url"))
    engine.command("DROP TABLE IF EXISTS suite")
    fields = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
    engine.command(f"CREATE TABLE suite ({fields}) ENGINE = ReplacingMergeTree(version) ORDER BY id")
    yield engine
    engine.command("DROP TABLE IF EXISTS suite")
    engine.close()


def block(*rows: tuple[Any, ...]) -> Block:
    return Block(COLUMNS, list(zip(*rows, strict=True)))


def row(number: int, version: int = 1, **values: Any) -> tuple[Any, ...]:
    plain: dict[str, Any] = {"text": f"row {number}", "maybe": None, "other": None, "ids": []}
    plain |= values
    return (event_id(number), version, *plain.values())


def test_rows_come_back_as_they_were_sent(engine: Engine) -> None:
    sent = block(
        row(1, text="Қазақстан, 'quoted' \\ and \n more", maybe=-5, other=event_id(2**127 + 9), ids=[event_id(7), event_id(8)]),
        row(2),
        row(3, text="", maybe=2**31 - 1),
    )
    assert engine.insert("suite", sent) == 3
    rows = engine.select("SELECT * FROM suite ORDER BY version, text").rows
    assert [(one[0].bytes, one[2], one[3], one[4] and one[4].bytes, [item.bytes for item in one[5]]) for one in rows] == [
        (event_id(3), "", 2**31 - 1, None, []),
        (event_id(2), "row 2", None, None, []),
        (event_id(1), "Қазақстан, 'quoted' \\ and \n more", -5, event_id(2**127 + 9), [event_id(7), event_id(8)]),
    ]


def test_bytes_that_are_no_text_are_kept_to_the_bit(engine: Engine) -> None:
    engine.insert("suite", block(row(1, text=bytes(range(256)))))
    assert engine.select("SELECT hex(text) FROM suite").rows == [(bytes(range(256)).hex().upper(),)]


def test_the_same_block_sent_again_changes_nothing(engine: Engine) -> None:
    sent = block(*(row(number) for number in range(1, 101)))
    for _ in range(3):
        engine.insert("suite", sent, token="one and the same")
    assert engine.select("SELECT count(), uniqExact(id) FROM suite FINAL").rows == [(100, 100)]


def test_other_cuts_of_the_same_rows_change_nothing(engine: Engine) -> None:
    rows = [row(number) for number in range(1, 101)]
    for cut in (100, 33, 7):
        for start in range(0, 100, cut):
            engine.insert("suite", block(*rows[start : start + cut]), token=f"{cut} {start}")
    assert engine.select("SELECT count(), min(text), max(text) FROM suite FINAL").rows == [(100, "row 1", "row 99")]


def test_the_latest_version_stays(engine: Engine) -> None:
    engine.insert("suite", block(row(1, 2, text="new")))
    engine.insert("suite", block(row(1, 1, text="old")))
    assert engine.select("SELECT text FROM suite FINAL").rows == [("new",)]


def test_a_large_block_is_one_unit(engine: Engine) -> None:
    engine.insert("suite", block(*(row(number) for number in range(1, 50_001))))
    assert engine.select("SELECT count(), sum(length(text)) > 0 FROM suite").rows == [(50_000, 1)]


@pytest.mark.parametrize("bad", [{"maybe": "a word"}, {"other": b"short"}, {"maybe": 2**40}, {"ids": [b"x"]}])
def test_a_value_that_does_not_fit_is_refused_and_the_connection_goes_on(engine: Engine, bad: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.insert("suite", block(row(1), row(2, **bad)))
    assert refused.value.about_data
    assert engine.select("SELECT count() FROM suite").rows == [(0,)]
    engine.insert("suite", block(row(1)))
    assert engine.select("SELECT count() FROM suite").rows == [(1,)]


def test_wrong_sql_is_refused_with_its_code_and_the_next_answer_is_clean(engine: Engine) -> None:
    with pytest.raises(RefusedError, match="nosuch") as refused:
        engine.select("SELECT * FROM nosuch")
    assert refused.value.code == 60
    assert not refused.value.about_data
    with pytest.raises(RefusedError):
        engine.select("SELECT throwIf(number = 70000) FROM numbers(100000)")
    assert engine.select("SELECT 1 AS one").rows == [(1,)]


def test_an_unknown_table_is_no_fault_of_the_rows(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.insert("nosuch", block(row(1)))
    assert not refused.value.about_data


def test_several_threads_may_ask(engine: Engine) -> None:
    engine.insert("suite", block(*(row(number) for number in range(1, 11))))
    found: list[Any] = []

    def ask() -> None:
        found.extend(engine.select("SELECT count() FROM suite").rows for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert found == [[(10,)]] * 20


def test_an_answer_without_rows_still_has_its_columns(engine: Engine) -> None:
    result = engine.select("SELECT id, text FROM suite")
    assert (result.names, result.types, result.rows) == (("id", "text"), ("UUID", "String"), [])


def test_a_closed_engine_can_be_closed_again_and_answers_no_more(tmp_path: Path) -> None:
    engine = Embedded(tmp_path / "clickhouse")
    engine.close()
    engine.close()
    with pytest.raises(DependencyError, match="has been closed"):
        engine.select("SELECT 1")


def test_a_second_process_is_told_who_owns_the_embedded_data(tmp_path: Path) -> None:
    first = Embedded(tmp_path / "clickhouse")
    try:
        with pytest.raises(SetupError, match="already open in process"):
            Embedded(tmp_path / "clickhouse")
    finally:
        first.close()
    Embedded(tmp_path / "clickhouse").close()


def test_a_wrong_password_is_one_sentence_without_the_password(url: str) -> None:
    if PASSWORD not in url:
        pytest.skip("only against the server started here")
    with pytest.raises(SetupError) as refused:
        Server(url.replace(PASSWORD, "hunter2"))
    assert "hunter2" not in str(refused.value)
    assert "user or password" in str(refused.value)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(DependencyError, match="does not answer"):
        Server(f"clickhouse://user:hunter2@127.0.0.1:{free_ports(1)[0]}/db")


def test_a_server_that_is_too_old_for_the_schema_is_one_sentence(url: str) -> None:
    server = Server(url)
    try:
        version = server.select("SELECT version()").rows[0][0]
        if tuple(int(part) for part in version.split(".")[:2]) >= migrate.OLDEST:
            pytest.skip(f"this server is {version}: new enough")
        with pytest.raises(SetupError, match="too old") as refused:
            migrate.migrate(server)
        assert version in refused.value.what
        assert "Upgrade" in refused.value.next_step
    finally:
        server.close()
