"""The roles on a real cluster: made by ``shekara access apply``, tried by ``shekara access check``, and worked with."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import access
from streams.policy.load import load
from streams.warehouse import counts, migrate, retention
from streams.warehouse.access import roles
from streams.warehouse.columns import quote
from streams.warehouse.errors import RefusedError
from streams.warehouse.rows import tables
from streams.warehouse.server import Server, as_user
from streams.wire.avro import Message
from tests.conftest import Kafka
from tests.contract import cluster as made
from tests.contract.cluster import Cluster
from tests.contract.warehouse import deliver, deliveries, recounted
from tests.integration.indicator_facts import alert, case
from tests.integration.test_warehouse_process import environment
from tests.integration.test_warehouse_sink import publish
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with the roles on it and nothing in its database."""
    with made.running(tmp_path_factory.mktemp("cluster")) as cluster, pytest.MonkeyPatch.context() as patch:
        server = Server(cluster.one.url.replace("/shekara", "/default"), create=False)
        server.command(f"CREATE DATABASE shekara ON CLUSTER '{made.NAME}'")
        server.close()
        patch.setenv("SHEKARA_CLICKHOUSE", cluster.one.url)
        assert ran("apply", "--cluster", made.NAME)[0] == 0
        yield cluster


def ran(*words: str) -> tuple[int, str]:
    """Runs ``shekara access`` and returns its exit code and what it says."""
    app = typer.Typer()
    access.register(app)
    app.command("other")(lambda: None)  # with one command alone typer would take away its name
    result = CliRunner().invoke(app, ["access", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def user(cluster: Cluster, url: str, role: str) -> Server:
    """Returns a connection of a user with one role, made on both servers."""
    name, password = f"one_{role}", secrets.token_urlsafe(12)
    admin = cluster.one.server()
    admin.command(
        f"CREATE USER OR REPLACE {name} ON CLUSTER '{made.NAME}' IDENTIFIED WITH sha256_password BY {quote(password)} "
        f"DEFAULT ROLE shekara_{role}"
    )
    admin.close()
    return Server(as_user(url, name, password))


def test_the_migrator_makes_everything_on_both_and_a_second_run_changes_nothing(cluster: Cluster) -> None:
    """Before the others: it makes what they read."""
    migrator = user(cluster, cluster.one.url, "migrator")
    kept = retention.kept_days(load("kz"), 20_454)
    assert migrate.migrate(migrator, cluster=made.NAME) == len(migrate.read())
    migrate.refresh_comments(migrator, tables().values(), cluster=made.NAME)
    assert retention.apply(migrator, kept, cluster=made.NAME) > 10
    migrator.close()
    migrator = user(cluster, cluster.two.url, "migrator")
    assert migrate.migrate(migrator, cluster=made.NAME) == 0
    assert migrate.refresh_comments(migrator, tables().values(), cluster=made.NAME) == 0
    assert retention.apply(migrator, kept, cluster=made.NAME) == 0
    migrator.close()


def test_both_servers_have_the_same_roles(cluster: Cluster) -> None:
    one, two = cluster.one.server(), cluster.two.server()
    for query in (
        "SELECT name FROM system.roles ORDER BY name",
        "SELECT role_name, access_type, database, table, column FROM system.grants "
        "WHERE startsWith(role_name, 'shekara_') ORDER BY ALL",
        "SELECT name, select_filter, is_restrictive, apply_to_all, apply_to_list, apply_to_except "
        "FROM system.row_policies ORDER BY name",
        "SELECT profile_name, setting_name, value, min, max, writability FROM system.settings_profile_elements "
        "WHERE startsWith(profile_name, 'shekara_') ORDER BY ALL",
    ):
        found = one.select(query).rows
        assert found
        assert found == two.select(query).rows, query
    one.close()
    two.close()


def test_the_writer_delivers_and_counts(cluster: Cluster) -> None:
    writer = user(cluster, cluster.one.url, "writer")
    assert migrate.migrate(writer) == 0, "as every start of the sink does"
    migrate.refresh_comments(writer, tables().values())
    deliver(writer, deliveries([crossing(1, "p1-a"), crossing(2, "p1-b", post="KZ-71-A1")]))
    outputs: list[Message] = [
        *(alert(number, "overstay_visa", f"p1-{number}", oblast=where) for number, where in ((1, "KZ-75"), (2, "KZ-71"))),
        *(case(number, 1, "suspected", 0, f"p1-{number}", oblast=where) for number, where in ((1, "KZ-75"), (2, "KZ-71"))),
    ]
    deliver(writer, deliveries(outputs, topic="t.outputs"))
    writer.close()
    admin = cluster.one.server()
    for mart, (said, must) in recounted(admin).items():
        assert said == must, mart
    admin.close()


# The module has looked at the version; the process must not look again.
_PROCESS = "from streams.warehouse import migrate; migrate.OLDEST = (0, 0); from streams.__main__ import main; main()"


def test_the_process_runs_with_the_writers_role(cluster: Cluster, kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings()
    publish(settings, *(crossing(number, f"p1-{number}") for number in range(100, 140)))
    name, password = f"one_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    admin = cluster.one.server()
    admin.command(f"CREATE USER {name} IDENTIFIED WITH sha256_password BY {quote(password)} DEFAULT ROLE shekara_writer")
    more = {"SHEKARA_CLICKHOUSE": as_user(cluster.one.url, name, password), "SHEKARA_METRICS_PORT": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", _PROCESS, "warehouse", "--until-caught-up"],
        env=environment(settings, **more),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "counts not brought up to date" not in ran.stderr
    topic = f"{settings.namespace}.people"
    assert admin.select(f"SELECT count() FROM raw_border_crossing FINAL WHERE topic = '{topic}'").rows == [(40,)]  # noqa: S608
    assert sum(offset for (named, _), offset in counts.marks(admin).items() if named == topic) == 40
    for mart, (said, must) in recounted(admin).items():
        assert said == must, mart
    admin.close()


def complaints(cluster: Cluster, role: str = "") -> list[str]:
    """Returns what ``shekara access check`` finds wrong.

    Until 25.6 a server asks more of whoever reads a view over the table function ``merge`` than the roles are granted.
    """
    server = cluster.one.server()
    old = server.version < (25, 6)
    server.close()
    code, said = ran("check", *(("--role", role) if role else ()))
    found = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    assert code == bool(found)
    assert len(said.splitlines()) - len(found) == (1 if role else len(roles()) - 1)
    return [line for line in found if not (old and "grant CREATE TEMPORARY TABLE" in line)]


@pytest.mark.parametrize("where", ["one", "two"])
def test_every_role_is_as_it_should_be(cluster: Cluster, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHEKARA_CLICKHOUSE", getattr(cluster, where).url)
    assert complaints(cluster) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("GRANT SELECT ON shekara.dead_letters TO shekara_analyst", "may: SELECT value FROM shekara.dead_letters"),
        ("REVOKE SELECT ON shekara.mart_alerts FROM shekara_analyst", "may not: SELECT * FROM shekara.mart_alerts"),
        ("ALTER ROLE shekara_analyst SETTINGS NONE", "may: SET max_execution_time = 301"),
        ("GRANT SELECT ON shekara.raw_kandas TO shekara_writer", "may: SELECT * FROM shekara.raw_kandas"),
        ("REVOKE INSERT ON shekara.raw_visa FROM shekara_writer", "may not: INSERT INTO shekara.raw_visa"),
    ],
)
def test_a_wrong_grant_is_found_and_mended(cluster: Cluster, wrong: str, found: str) -> None:
    role = wrong.partition("shekara_")[2].split()[0]
    admin = cluster.one.server()
    admin.command(wrong)
    admin.close()
    assert found in "\n".join(complaints(cluster, role))
    assert ran("apply", "--cluster", made.NAME)[0] == 0
    assert complaints(cluster, role) == []


@pytest.mark.parametrize("where", ["one", "two"])
def test_an_oblasts_analyst_sees_that_oblast_alone_within_limits(cluster: Cluster, where: str) -> None:
    url = getattr(cluster, where).url
    admin = Server(url, create=False)
    for (name,) in admin.select("SELECT table FROM system.replicas WHERE database = 'shekara'").rows:
        admin.command(f"SYSTEM SYNC REPLICA {name}")
    admin.close()
    reader = user(cluster, url, "oblast_kz_75")
    for view in ("alerts_now", "cases_now", "mart_daily_flows", "mart_open_stays"):
        assert reader.select(f"SELECT DISTINCT oblast FROM {view}").rows == [("KZ-75",)], view  # noqa: S608
    assert reader.select("SELECT getSetting('max_execution_time'), getSetting('readonly')").rows == [(60, 2)]
    with pytest.raises(RefusedError, match=r"1\.00 million|rows"):
        reader.select("SELECT number FROM numbers(1000001)")
    with pytest.raises(RefusedError, match="privileges"):
        reader.select("SELECT subject FROM raw_border_crossing")
    reader.close()
    everybody = user(cluster, url, "analyst")
    assert everybody.select("SELECT oblast FROM alerts_now ORDER BY oblast").rows == [("KZ-71",), ("KZ-75",)]
    everybody.close()
