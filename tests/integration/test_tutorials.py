"""The tutorials do what they say: their files, their commands and their tables, taken from the pages themselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.publish.pseudonym import Pseudonyms
from tests.integration.test_local_up import Up

PAGES = Path(__file__).parents[2] / "docs" / "tutorials"
SHIPPED = Path(__file__).parents[2] / "streams" / "policy" / "kz"
WITHIN_S = 90.0


def files_of(page: str) -> dict[str, str]:
    """Returns the files a page shows, by name."""
    return dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", page, re.S))


def table_of(page: str, name: str) -> list[dict[str, str]]:
    """Returns the rows of a table a page expects."""
    block = re.search(rf"<!-- expect: {name} -->\n((?:\|.*\n)+)", page)
    assert block is not None
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block[1].splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def consoles_of(page: str) -> list[tuple[str, str]]:
    """Returns the commands a page shows with the output below each."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", page, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_assess_md_shows_what_the_commands_answer(tmp_path: Path) -> None:
    page = (PAGES / "assess.md").read_text(encoding="utf-8")
    for name, content in files_of(page).items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    commands = consoles_of(page)
    assert len(commands) == 5
    for command, shown in commands:
        words = command.split()
        assert words[0] == "shekara"
        result = subprocess.run(
            [sys.executable, "-m", "streams", *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        said = result.stdout + result.stderr.splitlines(keepends=True)[0] if result.returncode else result.stdout
        assert result.returncode == (2 if "wrong" in command else 0)
        said = re.sub(r"(kz|rolling-90-180)-[0-9a-f]{8}", r"\1-…", said)
        lines = [line.rstrip() for line in said.splitlines()]
        wanted = [line.rstrip() for line in shown.splitlines()]
        assert lines[: len(wanted)] == wanted, command
        if not command.startswith("shekara assess dossier.jsonl"):
            assert len(lines) == len(wanted), command


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "home")
    yield running
    if running.process.poll() is None:
        running.process.terminate()
        try:
            running.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.process.kill()
    running.process.wait()


def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Asks until the answer is the wanted one, or the deadline has passed; returns the last answer."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        answer = what()
        if wanted(answer) or time.monotonic() > deadline:
            return answer
        time.sleep(0.5)


@pytest.mark.integration
def test_first_alerts_md_gives_exactly_the_alerts_computed_by_hand(up: Up, tmp_path: Path) -> None:
    page = (PAGES / "first-alerts.md").read_text(encoding="utf-8")
    desk = tmp_path / "desk"
    desk.mkdir()
    for name, content in files_of(page).items():
        (desk / name).write_text(content, encoding="utf-8")
    env = {**up.env, "SHEKARA_PSEUDONYM_KEY_FILE": "key"}
    commands = [command for command, _ in consoles_of(page)]
    made = subprocess.run(commands[0].replace("python3", sys.executable), shell=True, cwd=desk, env=env, check=False)  # noqa: S602 - the page's own line
    assert made.returncode == 0
    key = Pseudonyms(1, bytes.fromhex((desk / "key").read_text().strip()))
    names = {
        key.person(country, number): number
        for name in ("crossings.csv", "notices.csv")
        for line in (desk / name).read_text().splitlines()[1:]
        for number, country in [re.search(r"([A-Z]{2}\d{7}),([A-Z]{3})", line).groups()]  # type: ignore[union-attr]
    }
    up.ready()

    def shekara(*words: str) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "streams", *words], cwd=desk, env=env, capture_output=True, text=True, timeout=90, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def publish(command: str) -> None:
        assert command.startswith("shekara publish ")
        shekara(*command.split()[1:])

    def alerts() -> list[dict[str, str]]:
        rows = json.loads(shekara("alerts", "list", "--state", "all", "--json"))
        return [shown(names, row) for row in rows]

    publishing = [command for command in commands if command.startswith("shekara publish ")]
    assert len(publishing) == 3
    publish(publishing[0])
    publish(publishing[1])
    expected = sorted(table_of(page, "alerts"), key=str)

    def holding() -> list[dict[str, str]]:
        return sorted(({key: row[key] for key in expected[0]} for row in alerts() if row["state"] != "retracted"), key=str)

    assert until(holding, lambda rows: rows == expected) == expected

    def findings() -> list[dict[str, str]]:
        query = "SELECT subject, rule, state, stay_on FROM findings_now WHERE rule = 'entry_without_exit'"
        rows = json.loads(shekara("sql", "--json", query))
        return [
            {
                "traveller": names[row["subject"]],
                "rule": row["rule"],
                "state": "open" if row["state"] in OPEN else row["state"],
                "stay": row["stay_on"],
            }
            for row in rows
        ]

    assert until(findings, bool) == table_of(page, "findings")

    publish(publishing[2])
    after = table_of(page, "after")

    def taken_back() -> list[dict[str, str]]:
        return [
            {key: row[key] for key in after[0]}
            for row in alerts()
            if row["traveller"] == "AA0000006" and row["rule"] == after[0]["rule"]
        ]

    assert until(taken_back, lambda rows: rows == after) == after

    rows = json.loads(shekara("alerts", "list", "--state", "all", "--json"))
    number = next(
        row["alert_id"]
        for row in rows
        if (row["reason"], row["state"], row["rule"]) == ("exit_seen", "retracted", after[0]["rule"])
        and shown(names, row)["traveller"] == "AA0000006"
    )
    why = until(lambda: json.loads(shekara("explain", number, "--json")), lambda found: len(found["events"]) == 3)
    assert [(one["type"], one["known_when_first_told"]) for one in why["events"]] == [
        ("border_crossing", True),
        ("stay_registration", False),
        ("border_crossing", False),
    ]
    assert [one["offset"] for one in why["events"]] == sorted(one["offset"] for one in why["events"])
    assert {one["topic"] for one in why["events"]} == {"shekara.people"}
    told = [(one["state"], one["known_events"]) for one in why["versions"]]
    assert told[0] == ("raised", 1)
    assert told[-1] == ("retracted", 3)
    assert [one["standing"] for one in why["ledger_as_first_told"]] == ["lawful", "no_title_known"]
    assert [(one["to"], one["standing"]) for one in why["ledger_now"]] == [("2025-06-25", "lawful")]
    for language, words in (("en", "it was never so"), ("ru", "этого не было"), ("kk", "мұндай болмаған")):
        text = shekara("explain", number, "--lang", language)
        assert words in text
        assert "AA0000006" not in text
    changed = tmp_path / "kz-45-days"
    shutil.copytree(SHIPPED, changed)
    stay = (changed / "stay.yaml").read_text(encoding="utf-8")
    longer = stay.replace("{days_per_entry: 30, days_in_window: 90", "{days_per_entry: 45, days_in_window: 90")
    assert longer != stay
    (changed / "stay.yaml").write_text(longer, encoding="utf-8")
    listed = alerts()
    would = json.loads(shekara("what-if", "--policy", str(changed), "--from", "2025-01-01", "--to", "2025-12-31", "--json"))
    assert (would["people"], would["people_changed"]) == (7, 1), "AA0000002 stayed 34 days"
    assert would["by_rule"]["overstay_visa_exempt"] == {"same": 1, "changed": 0, "no_longer": 1, "newly": 0}
    assert would["by_rule"]["arrival_not_notified"]["same"] == 2
    assert alerts() == listed, "a question changes nothing"

    missing = subprocess.run(
        [sys.executable, "-m", "streams", "explain", "0" * 32], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (missing.returncode, "holds no alert" in missing.stderr) == (2, True)


OPEN = ("raised", "amended", "acknowledged")


def shown(names: dict[str, str], row: dict[str, Any]) -> dict[str, str]:
    """Returns an alert as the page's tables write it."""
    is_open = row["state"] in OPEN
    return {
        "traveller": names[row["subject"]],
        "rule": row["rule"],
        "state": "open" if is_open else row["state"],
        "first day": row["first_day_on"],
        "last day": row["last_day_on"] or "",
        "days": "" if is_open else str(row["days"]),
        "grade": row["grade"],
        "reason": row["reason"],
    }
