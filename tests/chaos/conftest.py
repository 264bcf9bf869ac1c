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

_SCENARIOS: list[dict[str, Any]] = []
_BEGAN: dict[str, float] = {}


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
        _SCENARIOS.append(
            {
                "scenario": self._request.node.name,
                "seconds": round(time.monotonic() - self._began_s, 1),
                "faults": faults,
                "events": verdict.events,
                "alerts": verdict.alerts,
                "dead_letters": verdict.dead_letters,
                "dossiers": verdict.people,
                "differences": 0,
            }
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
    """Writes a scenario that has a verdict of its own into the report."""
    _SCENARIOS.append({"scenario": scenario, **facts})


def tell(what: str) -> None:
    """Shows how far a long scenario is."""
    if PROFILE.name == "long":
        print(f"    {datetime.now(UTC):%H:%M:%S} {what}", flush=True)  # noqa: T201 - the progress of a long run


def pytest_sessionstart() -> None:
    _BEGAN["s"] = time.monotonic()
    if PROFILE.name == "long":
        tell(f"chaos, long profile, seed {SEED} (SHEKARA_CHAOS_SEED)")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Writes the report of a long run."""
    if PROFILE.name != "long" or not _SCENARIOS:
        return
    path = Path(os.environ.get("SHEKARA_CHAOS_REPORT", ROOT / "bench" / "chaos.json"))
    memory_gib = psutil.virtual_memory().total / 2**30
    report = {
        "profile": PROFILE.name,
        "seed": SEED,
        "began_on": datetime.now(UTC).date().isoformat(),
        "minutes": round((time.monotonic() - _BEGAN["s"]) / 60, 1),
        "machine": {
            "cpus": os.cpu_count(),
            "memory_gib": round(memory_gib),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
        "tests": {"run": session.testscollected, "failed": session.testsfailed, "exit_code": int(exitstatus)},
        "scenarios": _SCENARIOS,
    }
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    tell(f"report written to {path}")
