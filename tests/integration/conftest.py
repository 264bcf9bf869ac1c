"""A warehouse in this process for tests that need no pipeline: migrated once a module, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from tests.contract.warehouse import empty


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    engine = Embedded(tmp_path_factory.mktemp("warehouse") / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


@pytest.fixture
def engine(migrated: Embedded) -> Embedded:
    empty(migrated)
    return migrated
