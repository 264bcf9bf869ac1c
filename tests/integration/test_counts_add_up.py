"""The main job, end to end: what the demo publishes, decides and stores is what a second program counts from the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from streams.simulate import Simulation
from tests.recompute.ask import over_http
from tests.recompute.compare import differences
from tests.recompute.counts import OPEN_STATES, Counts, recompute

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PEOPLE, DAYS, SEED = 2_000, 30, 7
STOPPED_S = 20.0


@dataclass(frozen=True)
class Outcome:
    """One run of the demo.

    Attributes:
        told: the JSON object it printed.
        counts: recomputed from the log while it was serving.
        differences: where the warehouse said something else.
    """

    told: dict[str, Any]
    counts: Counts
    differences: list[str]


@contextmanager
def serving(home: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Runs the demo until it serves; gives what it told; stops it."""
    argv = ["-m", "streams", "demo", "--home", str(home), "--people", str(PEOPLE), "--days", str(DAYS), "--seed", str(SEED)]
    log = home.with_suffix(".log")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, *argv, "--json", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text(errors="replace")
        yield json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOPPED_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def run(home: Path, *options: str) -> Outcome:
    with serving(home, *options) as told:
        stack = json.loads((home / "run" / "stack.json").read_text("utf-8"))
        select = over_http(stack["sql_url"], Path(stack["token_file"]))
        deadline = time.monotonic() + 30
        while True:
            counts = recompute(stack["kafka"], stack["namespace"])
            found = differences(counts, select)
            # The demo says it is done when the sink has committed; nothing should be left to wait for.
            if not found or time.monotonic() > deadline:
                return Outcome(told, counts, found)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> Outcome:
    """The demo on nothing."""
    return run(home)


@pytest.fixture(scope="module")
def second(home: Path, first: Outcome) -> Outcome:
    """The same again, on the data of the first."""
    return run(home)


@pytest.fixture(scope="module")
def fresh(home: Path, second: Outcome) -> Outcome:
    """The same once more, after the data of both were removed."""
    return run(home, "--fresh")


@pytest.fixture(scope="module")
def truth() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What is true in the simulated country: the people, and the totals."""
    lines: list[dict[str, Any]] = []
    for _ in Simulation(PEOPLE, DAYS, SEED).events(lines.append):
        pass
    return lines[:-1], lines[-1]


def test_the_first_run_adds_up_to_the_last_record(first: Outcome) -> None:
    assert first.differences == []
    told = first.told
    assert told["produced"] == told["processed"] + told["dead_letters"] == sum(first.counts.produced.values())
    assert told["dead_letters"] == sum(first.counts.refused.values())
    alerts: dict[str, Counter[str]] = {}
    for rule, state in first.counts.alert_states.values():
        alerts.setdefault(rule, Counter())[state] += 1
    assert told["alerts"] == {rule: dict(states) for rule, states in alerts.items()}


def test_exactly_the_corrupt_messages_became_dead_letters(
    first: Outcome, truth: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    assert dict(first.counts.letter_codes) == truth[1]["dead_letters"]
    assert dict(first.counts.refused_codes) == truth[1]["dead_letters"]


def test_every_breach_of_the_story_was_found_and_stands_as_it_must(
    first: Outcome, truth: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    checked: Counter[str] = Counter()
    for person in truth[0]:
        if person["kind"] != "person":
            continue
        for claim in person["expected"]:
            found = conclusions(first.counts, person["subject"], claim)
            assert len(found) == 1, (person, claim, found)
            rule, state = found[0]
            assert rule == claim["rule"]
            assert (state in OPEN_STATES) is claim["open"], (person, claim, state)
            assert state in (*OPEN_STATES, "resolved"), (person, claim, state)
            checked[rule] += 1
    assert checked["overstay_visa_exempt"] > 20
    assert set(checked) >= {
        "overstay_visa_exempt",
        "arrival_not_notified",
        "work_without_permit",
        "work_other_employer",
        "entry_during_ban",
    }


def test_everything_the_story_tells_of_employers_and_quotas_was_found(
    first: Outcome, truth: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    """Their deadlines are not in the truth, so an alert is looked for by its subject."""
    checked: Counter[str] = Counter()
    for line in truth[0]:
        if line["kind"] == "person":
            continue
        for claim in line["expected"]:
            states = [
                state
                for one, (rule, state) in first.counts.alert_states.items()
                if rule == claim["rule"] and first.counts.alert_subjects[one] == line["subject"]
            ]
            assert any(claim["open"] in (None, state in OPEN_STATES) for state in states), (line, claim, states)
            checked[claim["rule"]] += 1
    assert set(checked) >= {"employer_citizen_share", "employer_unlawful_workers"}


def conclusions(counts: Counts, subject: str, claim: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns rule and state of the alerts a claim of the truth names: its id is a hash of facts, so anybody can compute it.

    Where the truth does not compute the deadline (working days), it is the one of the next five weeks that gives an alert.
    """
    stay_on, deadline_on = claim["stay_on"], claim["deadline_on"]
    deadlines = [deadline_on] if deadline_on is not None else range(stay_on, stay_on + 36)
    names = (f"{claim['rule']}|{subject}|{stay_on}|{deadline}" for deadline in deadlines)
    ids = (sha256(name.encode()).digest()[:16] for name in names)
    return [counts.alert_states[one] for one in ids if one in counts.alert_states]


def test_a_second_run_on_the_same_data_changes_no_alert_and_still_adds_up(first: Outcome, second: Outcome) -> None:
    assert second.differences == []
    assert second.counts.alert_states == first.counts.alert_states
    assert second.counts.finding_states == first.counts.finding_states
    assert second.told["alerts"] == first.told["alerts"]
    # Everything was published again: twice the records, twice the dead letters, the same facts; states had nothing new to tell.
    told_on = first.told["this_run"]["told_on"]
    assert sum(second.counts.produced.values()) == 2 * sum(first.counts.produced.values()) - told_on
    assert second.counts.letter_codes == first.counts.letter_codes + first.counts.letter_codes
    assert second.counts.flows == first.counts.flows
    assert second.counts.open_stays == first.counts.open_stays


def test_a_fresh_run_of_the_same_seed_gives_the_same_alerts_and_states(first: Outcome, fresh: Outcome) -> None:
    assert fresh.differences == []
    assert fresh.counts.alert_states == first.counts.alert_states
    assert fresh.counts.finding_states == first.counts.finding_states
    assert fresh.counts.produced == first.counts.produced
    assert fresh.told["alerts"] == first.told["alerts"]
