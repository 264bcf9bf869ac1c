"""What every scenario of faults shares: a warehouse, the verdict at the end, and the report of a long run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from streams import bootstrap
from streams.agents.people import PersonSteps
from streams.policy.load import load
from streams.settings import Settings
from streams.warehouse import source
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.warehouse.rows import layouts
from streams.warehouse.sink import Sink
from tests.chaos import report
from tests.chaos.checker import Select, Verdict, check
from tests.chaos.profile import PROFILE, SEED
from tests.contract.warehouse import empty

ROOT = Path(__file__).parents[2]
LAYOUTS = layouts(load("kz"))

_FACTS: dict[str, dict[str, Any]] = {}
"""What scenarios told of themselves, by name, until they end."""

_KNOWN: set[str] = set()
"""Names of all scenarios, when all were collected."""


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
        bootstrap.refusals(settings),
        batch_rows=20_000,
        batch_s=0.2,
        stop=threading.Event(),
        until_caught_up=True,
    )
    sink.run(source.topics(settings))


class Judge:
    """Ends a scenario: compares everything with the oracle, and tells the report what was done."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def __call__(
        self,
        settings: Settings,
        *,
        person: PersonSteps | None = None,
        select: Select | None = None,
        outputs_once: bool = True,
        refused: Mapping[tuple[str, int, int], str] | None = None,
        progress: dict[str, Any] | None = None,
        **faults: float,
    ) -> Verdict:
        """Fails unless topics, ledger, dossiers, dead letters and warehouse are what the log says.

        Args:
            settings: of the namespace.
            person: the steps of one person, if not the real rules.
            select: asks the warehouse a sink has filled during the scenario; one is filled now if none.
            outputs_once: whether every output must be there once.
            refused: by place of a record whose row ClickHouse refused, the code of its letter.
            progress: the curve of the scenario, for the report's picture.
            faults: what was done to the system, for the report.
        """
        if select is None:
            engine: Embedded = self._request.getfixturevalue("warehouse")
            empty(engine)
            deliver(settings, engine)
            select = rows_of(engine)
        verdict = check(settings, person=person, select=select, outputs_once=outputs_once, refused=refused or {})
        assert verdict.differences == []
        note(
            self._request.node.name,
            faults=faults,
            produced=verdict.events,
            processed=verdict.processed,
            dead_letters=verdict.dead_letters,
            alerts=verdict.alerts,
            dossiers=verdict.people,
            verdict="equal",
            **({"progress": progress} if progress else {}),
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
    """Tells the report of a scenario that is about to end.

    Args:
        scenario: its name.
        facts: what was done and what came of it.
    """
    _FACTS[scenario] = facts


def tell(what: str) -> None:
    """Shows how far a long scenario is."""
    if PROFILE.name == "long":
        print(f"    {report.now():%H:%M:%S} {what}", flush=True)  # noqa: T201 - the progress of a long run


def pytest_sessionstart() -> None:
    tell(f"chaos, {PROFILE.name} profile, seed {SEED} (SHEKARA_CHAOS_SEED)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notes which scenarios there are, before ``-k`` takes some away: the report forgets what was renamed or removed."""
    ours = [item for item in items if _module(item)]
    if {_module(item) for item in ours} >= {path.stem for path in Path(__file__).parent.glob("test_*.py")}:
        _KNOWN.update(item.name for item in ours)


def _module(item: pytest.Item) -> str:
    """Returns the module of a scenario; empty for tests of elsewhere."""
    return item.path.stem if item.path.is_relative_to(ROOT / "tests" / "chaos") else ""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Puts each scenario into the report of a long run as it ends, failures too: else it would only tell what went well."""
    outcome: Any = yield
    result = outcome.get_result()
    ended = result.failed or (result.passed and call.when == "call")
    if PROFILE.name != "long" or not ended or not report.is_reported(_module(item)):
        return
    facts = _FACTS.pop(item.name, {})
    if result.failed:
        told = " ".join(str(call.excinfo.value if call.excinfo else result.when).replace("|", "/").split())
        facts = {"verdict": f"failed: {told[:200]}"}
    entry = {"seed": SEED, "seconds": round(call.duration, 1), "verdict": "held", **facts}
    report.keep({item.name: report.stamped(_module(item), report.began(call.start), entry)}, known=_KNOWN)


def pytest_sessionfinish() -> None:
    """Writes the page of the report of a long run."""
    if PROFILE.name == "long" and report.REPORT.exists():
        report.write_page(report.read())
        tell(f"report written to {report.REPORT} and {report.PAGE}")
