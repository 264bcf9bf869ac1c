"""What every scenario of faults shares: a warehouse, the verdict at the end, and the report of a long run."""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from streams.agents.people import PersonSteps
from streams.policy.load import load
from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import layouts
from streams.warehouse.sink import Sink
from tests.chaos.checker import Select, Verdict, check
from tests.chaos.profile import PROFILE, SEED
from tests.contract.warehouse import empty

ROOT = Path(__file__).parents[2]
LAYOUTS = layouts(load("kz"))

_SCENARIOS: dict[str, dict[str, Any]] = {}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The embedded engine, migrated."""
    engine = Embedded(tmp_path_factory.mktemp("warehouse") / "clickhouse")
    migrate(engine)
    yield engine
    engine.close()


def deliver(settings: Settings, engine: Any) -> None:
    """Carries everything in the log to a warehouse."""
    sink = Sink(
        engine,
        source.consumer(settings),
        LAYOUTS,
        batch_rows=20_000,
        batch_s=0.2,
        stop=threading.Event(),
        until_caught_up=True,
    )
    sink.run(source.topics(settings))


class Judge:
    """Ends a scenario: compares everything with the oracle, and writes the scenario into the report."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._began_s = time.monotonic()

    def __call__(
        self,
        settings: Settings,
        *,
        person: PersonSteps | None = None,
        select: Select | None = None,
        outputs_once: bool = True,
        **faults: float,
    ) -> Verdict:
        """Fails unless topics, ledger, dossiers, dead letters and warehouse are what the log says.

        Args:
            settings: of the namespace.
            person: the steps of one person, if not the real rules.
            select: asks the warehouse a sink has filled during the scenario; one is filled now if none.
            outputs_once: whether every output must be there once.
            faults: what was done to the system, for the report.
        """
        if select is None:
            engine: Embedded = self._request.getfixturevalue("warehouse")
            empty(engine)
            deliver(settings, engine)
            select = rows_of(engine)
        verdict = check(settings, person=person, select=select, outputs_once=outputs_once)
        assert verdict.differences == []
        note(
            self._request.node.name,
            seconds=round(time.monotonic() - self._began_s, 1),
            faults=faults,
            events=verdict.events,
            alerts=verdict.alerts,
            dead_letters=verdict.dead_letters,
            dossiers=verdict.people,
            differences=0,
        )
        return verdict


def rows_of(engine: Any) -> Select:
    """Returns what asks an engine of this process."""

    def select(sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = engine.select(sql).rows
        return rows

    return select


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judge:
    """Returns the verdict every scenario ends with."""
    return Judge(request)


def note(scenario: str, **facts: Any) -> None:
    """Writes a scenario into the report.

    Args:
        scenario: its name.
        facts: what was done and what came of it.
    """
    _SCENARIOS[scenario] = _stamped(facts)


def _stamped(facts: dict[str, Any]) -> dict[str, Any]:
    return {"run_on": datetime.now(UTC).date().isoformat(), "seed": SEED, **facts}


def tell(what: str) -> None:
    """Shows how far a long scenario is."""
    if PROFILE.name == "long":
        print(f"    {datetime.now(UTC):%H:%M:%S} {what}", flush=True)  # noqa: T201 - the progress of a long run


def pytest_sessionstart() -> None:
    tell(f"chaos, {PROFILE.name} profile, seed {SEED} (SHEKARA_CHAOS_SEED)")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Notes scenarios that fail: a report without them would only tell what went well."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and item.path.is_relative_to(ROOT / "tests" / "chaos"):
        _SCENARIOS[item.name] = _stamped({"failed": str(call.excinfo.value)[:300] if call.excinfo else report.when})


def pytest_sessionfinish() -> None:
    """Writes the report of a long run; what was not run this time keeps its last result."""
    if PROFILE.name != "long" or not _SCENARIOS:
        return
    path = Path(os.environ.get("SHEKARA_CHAOS_REPORT", ROOT / "bench" / "chaos.json"))
    before = json.loads(path.read_text(encoding="utf-8"))["scenarios"] if path.exists() else {}
    report = {
        "command": "make chaos",
        "profile": PROFILE.name,
        "machine": {
            "cpus": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
        "scenarios": dict(sorted((before | _SCENARIOS).items())),
    }
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    tell(f"report written to {path}")
