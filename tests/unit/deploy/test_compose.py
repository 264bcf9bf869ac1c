"""The compose file is data: loopback only, no default passwords, and valid where the tool exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from streams.console.postgresql_url import read_url

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"
CONSOLE = ROOT / "deploy" / "compose.console.yml"


@pytest.mark.parametrize("file", [COMPOSE, CONSOLE])
def test_every_published_port_listens_on_loopback(file: Path) -> None:
    services = yaml.safe_load(file.read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not str(port).startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("file", [COMPOSE, CONSOLE])
def test_every_password_must_be_chosen_by_the_administrator(file: Path) -> None:
    named = re.findall(r"^\s+\w*PASSWORD\w*: (.+)$", file.read_text(), flags=re.MULTILINE)
    named += re.findall(r"://\w+:([^@\n]+)@", file.read_text())
    assert named
    assert [value for value in named if ":?" not in value] == []


def test_the_console_takes_its_store_as_compose_writes_it() -> None:
    console = yaml.safe_load(CONSOLE.read_text())["services"]["console"]
    url = re.sub(r"\$\{[^}]*\}", "5ec4e7", console["environment"]["SHEKARA_CONSOLE_STORE"])
    place = read_url(url)
    assert place.parameters["password"] == "5ec4e7"
    assert place.parameters["sslmode"] == "disable"
    assert not any("PASSWORD" in one for one in console["command"])


def _tool() -> list[str] | None:
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_compose_accepts_the_file() -> None:
    tool = _tool()
    if tool is None:
        pytest.skip("no docker compose on this machine")
    env = os.environ | {
        "SHEKARA_CLICKHOUSE_PASSWORD": "a",
        "SHEKARA_GRAFANA_PASSWORD": "b",
        "SHEKARA_CONSOLE_STORE_PASSWORD": "c",
        "SHEKARA_CONSOLE_URL": "https://console.example.kz",
    }
    for files in ([COMPOSE], [COMPOSE, CONSOLE]):
        named = [part for file in files for part in ("-f", str(file))]
        done = subprocess.run([*tool, *named, "config", "--quiet"], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_compose_refuses_to_start_without_passwords() -> None:
    tool = _tool()
    if tool is None:
        pytest.skip("no docker compose on this machine")
    env = {key: value for key, value in os.environ.items() if not key.startswith("SHEKARA_")}
    done = subprocess.run([*tool, "-f", str(COMPOSE), "config", "--quiet"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "choose a password" in done.stderr
