"""The core install, in an environment that has nothing else: it publishes, and knows no Faust, no ClickHouse, no console.

Made of a wheel of this tree and of the files that pip installed here for the core's dependencies, so that no network is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from streams.records import BorderCrossing
from streams.wire import avro
from streams.wire.topics import PEOPLE
from tests.conftest import Kafka
from tests.integration.test_publisher import everything

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
MAX_MB = 80
"""What the core install may take on a border post's disk, with everything it needs (docs/events.md has the measured figure)."""

FOREIGN = {"faust", "mode", "aiokafka", "rocksdict", "clickhouse_driver", "chdb", "confluent_kafka", "starlette", "jinja2"}
ROOMS = {"agents", "app", "bootstrap", "console", "exchange", "gateway", "report", "runtime", "simulate", "warehouse", "local"}

PUBLISH = """
import json, sys
from streams.publish import Publisher
known = sorted(sys.modules)
from streams.records import BorderCrossing
from streams.settings import Settings
with Publisher(Settings()) as publisher:
    publisher.publish(BorderCrossing(
        event_id=bytes(15) + b"\\x01", subject="p1-" + "0" * 32, occurred_at=1750000000000, recorded_at=1750000000000,
        source="post:KZ-75-A1", source_seq=1, direction="entry", post="KZ-75-A1", citizenship="UZB", purpose="tourism",
        document="passport", transport="road", visa_id=None, refusal_reason=None))
    publisher.flush()
    print(json.dumps(known))
"""


def core() -> list[Distribution]:
    """Returns what the core install brings, ourselves left out: the requirements of its requirements, without extras of ours."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(line) for line in distribution("shekara").requires or []]
    wanted = [(one, frozenset[str]()) for one in waiting]
    while wanted:
        one, extras = wanted.pop()
        if one.marker is not None and not any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        name = one.name.lower().replace("_", "-")
        if name in found and not one.extras:
            continue
        found[name] = distribution(name)
        wanted += [(Requirement(line), frozenset(one.extras) | {""}) for line in found[name].requires or []]
    return list(found.values())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Returns the interpreter of a fresh environment with the core install."""
    folder = tmp_path_factory.mktemp("core")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--no-index", "--wheel-dir", str(folder), str(ROOT)], check=True, timeout=120)
    [wheel] = folder.glob("shekara-*.whl")
    home = folder / "env"
    venv.create(home, with_pip=False, symlinks=True)
    packages = next((home / "lib").glob("python3*")) / "site-packages"
    for one in core():
        for file in one.files or []:
            source, target = Path(str(one.locate_file(file))), packages / file
            if ".." in file.parts or not source.is_file() or "__pycache__" in file.parts:
                continue  # scripts outside of the packages' folder
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet", "--no-deps"]
    quiet = ["--no-index", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*install, *quiet, str(wheel)], check=True, timeout=120)
    yield home / "bin" / "python"
    shutil.rmtree(folder)


def run(python: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # Nothing of this tree may help out: another directory, no PYTHONPATH, no settings of ours.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SHEKARA", "COVERAGE"))}
    return subprocess.run(
        [str(python), "-I", *arguments],
        env=clean | environment,
        cwd=python.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_publisher_alone_knows_neither_faust_nor_clickhouse_nor_the_console_and_its_event_arrives(
    bare: Path, kafka: Kafka
) -> None:
    settings = kafka.settings()
    done = run(bare, "-c", PUBLISH, SHEKARA_KAFKA=settings.kafka, SHEKARA_NAMESPACE=settings.namespace)
    assert done.returncode == 0, done.stderr
    known = {tuple(name.split(".")) for name in json.loads(done.stdout)}
    assert FOREIGN & {name[0] for name in known} == set()
    assert ROOMS & {name[1] for name in known if name[0] == "streams" and len(name) > 1} == set()
    [message] = everything(settings, PEOPLE, 4)
    assert isinstance(avro.decode(message.value()), BorderCrossing)


def test_its_size_is_what_the_page_says(bare: Path) -> None:
    packages = next(bare.parents[1].glob("lib/python3*/site-packages"))
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    ours = sum(file.stat().st_size for file in (packages / "streams").rglob("*") if "__pycache__" not in file.parts)
    sys.stdout.write(f"core install: {size / 1e6:.1f} MB, of it ours {ours / 1e6:.1f} MB, {len(core())} packages\n")
    assert size < MAX_MB * 1e6
    said = (ROOT / "docs" / "events.md").read_text("utf-8")
    figure = int(said.partition("core install: ")[2].partition(" MB")[0])
    assert abs(size / 1e6 - figure) < 8, f"docs/events.md says {figure} MB; it is {size / 1e6:.1f} MB"


def test_the_commands_a_border_post_needs_work_and_the_others_say_what_to_install(bare: Path, tmp_path: Path) -> None:
    assert run(bare, "-m", "streams", "--help").returncode == 0
    events = tmp_path / "events.csv"
    events.write_text("occurred_at,direction,post,subject\n2025-05-01T10:15:00,entry,KZ-61-R1,p1-" + "0" * 32 + "\n")
    checked = run(bare, "-m", "streams", "publish", str(events), "--type", "border_crossing", "--dry-run")
    assert checked.returncode in (0, 2), checked.stderr
    assert "Traceback" not in checked.stderr
    for command, extra in (
        (["gateway", "run"], "gateway"),
        (["worker"], "worker"),
        (["edge", "--spool", str(tmp_path / "spool.db")], "spool"),
        (["console"], "console"),
    ):
        done = run(bare, "-m", "streams", *command, SHEKARA_KAFKA="127.0.0.1:1", SHEKARA_HOME=str(tmp_path))
        assert done.returncode == 3, (command, done.stderr)
        assert f"shekara[{extra}]" in done.stderr, (command, done.stderr)
        assert "Traceback" not in done.stderr
