"""The console's laws once more, with its store in PostgreSQL: what holds over SQLite holds there.

The tests are those of the unit suites; only the desk they are given differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.console.desk import Desk, furnish
from streams.policy.load import load
from streams.settings import Settings
from tests.contract.postgresql import Cluster, cluster
from tests.unit.console.conftest import CHEAP, sign_in
from tests.unit.console.test_accounts import *  # noqa: F403
from tests.unit.console.test_audit import *  # noqa: F403
from tests.unit.console.test_decisions import *  # noqa: F403
from tests.unit.console.test_entry import *  # noqa: F403
from tests.unit.console.test_password import *  # noqa: F403
from tests.unit.console.test_second_factor import *  # noqa: F403
from tests.unit.console.test_work import *  # noqa: F403

pytestmark = pytest.mark.integration
__all__ = ["sign_in"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


def _furnished(postgresql: Cluster, home: Path, *, demo: bool) -> Iterator[Desk]:
    settings = Settings(home=home, console_store=postgresql.database())  # type: ignore[arg-type]
    made = furnish(settings, load("kz"), demo=demo, hasher=CHEAP)
    yield made
    made.close()


@pytest.fixture
def desk(postgresql: Cluster, tmp_path: Path) -> Iterator[Desk]:
    yield from _furnished(postgresql, tmp_path, demo=True)


@pytest.fixture
def strict(postgresql: Cluster, tmp_path: Path) -> Iterator[Desk]:
    yield from _furnished(postgresql, tmp_path, demo=False)
