"""`shekara warehouse`, `sql` and `alerts` as people run them: processes, signals, exit codes, words."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import build
from streams.errors import UsageError
from streams.records import Alert
from streams.settings import Settings
from streams.warehouse.errors import RefusedError
from tests.conftest import Kafka
from tests.integration.test_warehouse_sink import publish
from tests.unit.warehouse.made import NOON_1_MARCH_2025, crossing, event_id, make

pytestmark = pytest.mark.integration


def environment(settings: Settings, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SHEKARA_")}
    return ours | {
        "SHEKARA_HOME": str(settings.home),
        "SHEKARA_KAFKA": settings.kafka,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_SINK_BATCH_S": "0.1",
        "COLUMNS": "200",
        "NO_COLOR": "1",
        **more,
    }


def shekara(settings: Settings, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=environment(settings, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def ask(monkeypatch: pytest.MonkeyPatch, settings: Settings, *arguments: str, stdin: str = "") -> Result:
    """Runs a command in this process: starting one of its own takes a second each time."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(build(), list(arguments), input=stdin)


@contextmanager
def warehouse(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the process until ready; kills it at the end if it still runs."""
    log = tmp_path / f"warehouse-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "warehouse"], env=environment(settings), stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            found = [line.split()[1] for line in log.read_text().splitlines() if line.startswith("probes")]
            try:
                if found and urllib.request.urlopen(found[0], timeout=5).status == 200:  # noqa: S310
                    break
            except OSError:
                pass
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait(10)


def alert(number: int, **values: object) -> Alert:
    plain: dict[str, object] = {"alert_id": event_id(number), "version": 1, "subject": f"p1-{number}", "rule": "overstay_visa"}
    return make(Alert, **plain | {"state": "raised", "oblast": "KZ-75", "decided_at": NOON_1_MARCH_2025 + number} | values)


def test_killed_and_started_again_the_warehouse_has_every_row_once(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(1, 3001)))
    with warehouse(settings, tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    publish(settings, *(crossing(n, subject=f"p1-{n}") for n in range(3001, 4001)))
    with warehouse(settings, tmp_path) as process:
        caught_up = shekara(settings, "warehouse", "--until-caught-up")
        assert caught_up.returncode == 3, "a second process must not open the same data"
        assert "already open in process" in caught_up.stderr
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - begun < 5
    assert shekara(settings, "warehouse", "--until-caught-up").returncode == 0
    said = shekara(settings, "sql", "SELECT count() AS n, uniqExact(subject) AS people FROM core_border_crossing", "--json")
    assert json.loads(said.stdout) == [{"n": 4000, "people": 4000}]


def test_answers_come_as_table_csv_json_or_the_format_asked_for(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = kafka.settings()
    publish(settings, crossing(1), crossing(2, day=1))
    assert shekara(settings, "warehouse", "--until-caught-up").returncode == 0

    def said(*arguments: str, stdin: str = "") -> str:
        return ask(monkeypatch, settings, "sql", *arguments, stdin=stdin).stdout

    question = "SELECT day, crossings FROM mart_daily_flows ORDER BY day"
    assert json.loads(said(question, "--json")) == [
        {"day": "2025-03-01", "crossings": 1},
        {"day": "2025-03-02", "crossings": 1},
    ]
    assert list(csv.reader(io.StringIO(said(question)))) == [["day", "crossings"], ["2025-03-01", "1"], ["2025-03-02", "1"]]
    assert "2025-03-01" in said(question, "--table")
    assert said(question + " FORMAT TabSeparated") == "2025-03-01\t1\n2025-03-02\t1\n"
    assert said(stdin="SELECT 1 AS a; SELECT 2 AS b;") == "a\n1\nb\n2\n"
    assert said("SELECT day FROM mart_daily_flows WHERE 0") == "day\n"
    for refused in ("SELECT file('/etc/passwd')", "SELECT 1; SELECT 2", "SELEC 1", "SELECT nosuch FROM mart_alerts"):
        answer = ask(monkeypatch, settings, "sql", refused)
        assert isinstance(answer.exception, RefusedError), refused
        assert answer.stdout == ""
    answer = ask(monkeypatch, settings, "sql", "SELECT 1", "--json", "--csv")
    assert isinstance(answer.exception, UsageError)


def test_what_is_refused_is_one_sentence_and_exit_code_2(kafka: Kafka) -> None:
    settings = kafka.settings()
    assert shekara(settings, "warehouse", "--migrate-only").returncode == 0
    said = shekara(settings, "sql", "DROP TABLE alerts")
    assert said.returncode == 2
    assert said.stderr.startswith("shekara: ")
    assert "Traceback" not in said.stderr
    assert said.stdout == ""


def test_where_there_is_no_warehouse_the_next_step_is_told(tmp_path: Path) -> None:
    settings = Settings().model_copy(update={"home": tmp_path / "nothing", "kafka": "", "namespace": "t"})
    said = shekara(settings, "sql", "SELECT 1")
    assert said.returncode == 3
    assert "shekara up" in said.stderr


def test_a_wrong_clickhouse_url_is_one_sentence_without_the_password(kafka: Kafka) -> None:
    settings = kafka.settings(create=False)
    for command in (["sql", "SELECT 1"], ["warehouse"]):
        said = shekara(settings, *command, SHEKARA_CLICKHOUSE="clickhouse://me:hunter2@127.0.0.1:1/db")
        assert said.returncode == 4
        assert "127.0.0.1:1 does not answer" in said.stderr
        assert "hunter2" not in said.stderr + said.stdout
        assert "Traceback" not in said.stderr


def test_alerts_are_listed_by_what_holds_now(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = kafka.settings()
    publish(
        settings,
        alert(1),
        alert(1, version=2, state="retracted"),
        alert(2, rule="work_without_permit"),
        alert(3, oblast="KZ-71"),
        alert(4),
    )
    assert shekara(settings, "warehouse", "--until-caught-up").returncode == 0

    def listed(*options: str) -> list[str]:
        return [one["subject"] for one in json.loads(ask(monkeypatch, settings, "alerts", "list", "--json", *options).stdout)]

    assert listed() == ["p1-4", "p1-3", "p1-2"]
    assert listed("--state", "retracted") == ["p1-1"]
    assert listed("--rule", "work_without_permit") == ["p1-2"]
    assert listed("--oblast", "KZ-71", "--state", "all") == ["p1-3"]
    assert listed("--limit", "1") == ["p1-4"]
    assert listed("--since", "2025-03-02") == []
    assert len(listed("--since", "2025-03-01")) == 3
    for option, value in (("--state", "gone"), ("--since", "soon"), ("--rule", "x' OR 1 --")):
        answer = ask(monkeypatch, settings, "alerts", "list", option, value)
        assert isinstance(answer.exception, UsageError)
        assert value in str(answer.exception)
    assert "overstay_visa" in ask(monkeypatch, settings, "alerts", "list").stdout


def test_following_prints_a_line_for_each_version_and_ends_quietly(kafka: Kafka) -> None:
    settings = kafka.settings()
    publish(settings, alert(1), alert(2, oblast="KZ-71"), alert(1, version=2, state="resolved"))
    said = shekara(settings, "alerts", "follow", "--from-start", "--oblast", "KZ-75", "--limit", "2", "--json")
    versions = [json.loads(line) for line in said.stdout.splitlines()]
    assert [(one["subject"], one["version"], one["state"]) for one in versions] == [
        ("p1-1", 1, "raised"),
        ("p1-1", 2, "resolved"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "streams", "alerts", "follow", "--from-start"],
        env=environment(settings, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"p1-" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait(10)
    assert process.returncode == 0
    assert complaints == b""
