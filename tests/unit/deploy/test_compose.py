"""The compose file is data: loopback only, no default passwords, and valid where the tool exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"


def test_every_published_port_listens_on_loopback() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not str(port).startswith("127.0.0.1:")] == []


def test_every_password_must_be_chosen_by_the_administrator() -> None:
    named = re.findall(r"^\s+\w*PASSWORD\w*: (.+)$", COMPOSE.read_text(), flags=re.MULTILINE)
    assert named
    assert [value for value in named if ":?" not in value] == []


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
    env = os.environ | {"SHEKARA_CLICKHOUSE_PASSWORD": "a", "SHEKARA_GRAFANA_PASSWORD": "b"}
    done = subprocess.run([*tool, "-f", str(COMPOSE), "config", "--quiet"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compose_refuses_to_start_without_passwords() -> None:
    tool = _tool()
    if tool is None:
        pytest.skip("no docker compose on this machine")
    env = {key: value for key, value in os.environ.items() if not key.startswith("SHEKARA_")}
    done = subprocess.run([*tool, "-f", str(COMPOSE), "config", "--quiet"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "choose a password" in done.stderr
