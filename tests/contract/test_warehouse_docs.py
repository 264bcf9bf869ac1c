"""Every example of docs/warehouse.md is asked, and every view it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.readonly import Reader
from tests.contract.warehouse import deliver, deliveries
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "warehouse.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    engine = Embedded(tmp_path_factory.mktemp("docs") / "clickhouse")
    migrate(engine)
    deliver(engine, deliveries([crossing(number, f"p1-{number}") for number in range(1, 4)]))
    yield engine
    engine.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example).split("\n", 1)[0][:60])
def test_every_example_is_answered_through_the_read_only_door(engine: Embedded, example: str) -> None:
    reader = Reader(engine)
    try:
        assert reader.answer(example, "JSON")
    finally:
        reader.close()


def test_every_mart_is_on_the_page_and_every_name_on_the_page_exists(engine: Embedded) -> None:
    there = {name for (name,) in engine.select("SELECT name FROM system.tables WHERE database = 'shekara'").rows}
    named = set(
        re.findall(r"`((?:mart|raw|core)_[a-z_]+|\w+_now|alerts|findings|cases|dead_letters|refused_rows|batches)`", PAGE)
    )
    assert {name for name in there if name.startswith("mart_")} <= named
    assert named <= there
