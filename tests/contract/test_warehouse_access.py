"""The roles, on the real engine: each does what it must and nothing else.

Not every machine has a modern server (test_warehouse_cluster_access.py needs one), and the engine in process cannot create
users. But it reads a server's users.xml, where a user's grants, rows and limits are the same statements: so the engine itself
says yes or no to each role.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from streams.warehouse import number_watch, source_watch
from streams.warehouse.access import (
    OBLAST_TABLES,
    OBLAST_VIEWS,
    READING,
    Role,
    filter_of,
    relations,
    roles,
    script,
    statements,
    trials,
)
from streams.warehouse.columns import quote
from streams.warehouse.counts import STAGING
from streams.warehouse.embedded import Embedded
from streams.warehouse.migrate import migrate
from streams.wire.avro import Message
from tests.contract.warehouse import deliver, deliveries
from tests.integration.indicator_facts import alert, case
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
ROLES = {role.name: role for role in roles()}

_ASK = """
import json, sys
from chdb.state.sqlitelike import Connection
connection = Connection(sys.argv[1])
told = []
for statement in json.load(sys.stdin):
    try:
        told.append(["yes", bytes(connection.query(statement, "TSV").bytes()).decode()])
    except RuntimeError as error:
        told.append(["no", str(error)])
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a crossing, an alert and a case in two oblasts."""
    path = tmp_path_factory.mktemp("access") / "clickhouse"
    engine = Embedded(path)
    migrate(engine)
    deliver(engine, deliveries([crossing(1, "p1-a"), crossing(2, "p1-b", post="KZ-71-A1")]))
    decided: list[Message] = [
        *(alert(number, "overstay_visa", f"p1-{number}", oblast=where) for number, where in ((1, "KZ-75"), (2, "KZ-71"))),
        *(case(number, 1, "suspected", 0, f"p1-{number}", oblast=where) for number, where in ((1, "KZ-75"), (2, "KZ-71"))),
    ]
    deliver(engine, deliveries(decided, topic="t.outputs"))
    engine.close()
    return path


def ask(data: Path, role: Role, *asked: str) -> list[tuple[str, str]]:
    """Runs statements in an engine of their own whose only user has one role's grants, rows and limits."""
    filters = "".join(f"<{table}><filter>{escape(filter_of(role))}</filter></{table}>" for table in OBLAST_TABLES)
    grants = "".join(f"<query>GRANT {grant}</query>" for grant in role.grants)
    users = data.with_name(f"{role.name}-users.xml")
    users.write_text(
        f"""<clickhouse><profiles><default/><reading>{_profile()}</reading></profiles><quotas><default/></quotas>
        <roles><{role.name}><grants>{grants}</grants></{role.name}></roles>
        <users><default><password></password><networks><ip>::/0</ip></networks><quota>default</quota>
        <profile>{"reading" if role.reads else "default"}</profile><grants><query>GRANT {role.name}</query></grants>
        <databases><shekara>{filters}</shekara></databases></default></users></clickhouse>"""
    )
    config = data.with_name(f"{role.name}-config.xml")
    config.write_text(f"<clickhouse><users_config>{users}</users_config></clickhouse>")
    ran = subprocess.run(
        [sys.executable, "-c", _ASK, f"{data}?config-file={config}"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    told: list[tuple[str, str]] = [tuple(one) for one in json.loads(ran.stdout)]
    return told


def _profile() -> str:
    values, bounds = [], []
    for setting in READING.split(", "):
        name, _, rest = setting.partition(" = ")
        value, *words = rest.split()
        values.append(f"<{name}>{value}</{name}>")
        inside = "<const/>" if words == ["CONST"] else ""
        inside += "".join(
            f"<{word.lower()}>{bound}</{word.lower()}>" for word, bound in zip(words[::2], words[1::2], strict=False)
        )
        bounds.append(f"<{name}>{inside}</{name}>" if inside else "")
    return "".join(values) + f"<constraints>{''.join(bounds)}</constraints>"


@pytest.mark.parametrize("name", ["writer", "operations", "analyst", "releaser", "oblast_kz_75", "publisher"])
def test_a_role_does_what_it_must_and_nothing_else(data: Path, name: str) -> None:
    allowed, forbidden = trials(ROLES[name])
    assert len(allowed) > 1
    told = ask(data, ROLES[name], *allowed, *forbidden)
    for statement, (answer, said) in zip(allowed, told, strict=False):
        assert answer == "yes", f"{name} may not: {statement}: {said[:300]}"
    for statement, (answer, said) in zip(forbidden, told[len(allowed) :], strict=True):
        assert answer == "no", f"{name} may: {statement}"
        assert any(word in said for word in ("ACCESS_DENIED", "READONLY", "SETTING_CONSTRAINT_VIOLATION")), f"{statement}: {said}"


def test_an_oblasts_analyst_sees_that_oblast_alone(data: Path) -> None:
    seen = ask(
        data,
        ROLES["oblast_kz_75"],
        "SELECT DISTINCT oblast FROM shekara.alerts_now",
        "SELECT DISTINCT oblast FROM shekara.cases_now",
        "SELECT DISTINCT oblast FROM shekara.counts",
        "SELECT oblast, crossings FROM shekara.mart_daily_flows",
        "SELECT sum(alerts) FROM shekara.mart_alerts",
    )
    assert seen == [("yes", "KZ-75\n"), ("yes", "KZ-75\n"), ("yes", "KZ-75\n"), ("yes", "KZ-75\t1\n"), ("yes", "1\n")]
    every = ask(data, ROLES["analyst"], "SELECT oblast FROM shekara.alerts_now ORDER BY oblast")
    assert every == [("yes", "KZ-71\nKZ-75\n")]


def test_the_writer_inserts_and_counts_and_does_not_read_back(data: Path) -> None:
    told = ask(
        data,
        ROLES["writer"],
        "INSERT INTO shekara.raw_correction (subject) VALUES ('p1-z')",
        "INSERT INTO shekara.counts_next (kind, day, crossings) VALUES ('mark', '1970-01-01', 0)",
        "ALTER TABLE shekara.counts ATTACH PARTITION tuple() FROM shekara.counts_next",
        "TRUNCATE TABLE shekara.counts_next",
        "SELECT rule FROM shekara.findings",
        "TRUNCATE TABLE shekara.raw_correction",
    )
    assert [answer for answer, _ in told] == ["yes", "yes", "yes", "yes", "no", "no"], told


def test_the_writer_asks_what_the_process_asks_beside_the_sink(data: Path) -> None:
    """Who is missing, late or has holes: with fewer rights these watches say nothing, and nobody notices."""
    asked = ("USE shekara", source_watch.QUERY, number_watch.HOLES % number_watch.GRACE_MS, number_watch.SAID, number_watch.LAST)
    told = ask(data, ROLES["writer"], *asked)
    assert [said for answer, said in told if answer != "yes"] == []


def test_the_roles_can_be_made_again_without_losing_what_refers_to_them() -> None:
    """A replaced profile or role has another id: a role would lose its limits, a user the role."""
    for statement in statements():
        assert not statement.startswith(("CREATE SETTINGS PROFILE OR REPLACE", "CREATE ROLE OR REPLACE")), statement


def test_on_a_cluster_every_statement_is_for_every_server() -> None:
    plain, everywhere = list(statements()), list(statements("main"))
    assert all(one.count(" ON CLUSTER 'main'") == 1 for one in everywhere)
    assert [one.replace(" ON CLUSTER 'main'", "") for one in everywhere] == plain


def test_every_table_and_view_is_granted_to_somebody_on_purpose() -> None:
    granted = {
        table: {role.name for role in roles() for grant in role.grants if grant.endswith(f".{table}")} for table in relations()
    }
    assert [table for table, whom in granted.items() if not whom] == []
    unread = [table for table, whom in granted.items() if not whom - {"writer", "migrator"}]
    assert sorted(unread) == sorted(STAGING), "only what the counting works with is read by nobody"


def test_no_reader_is_granted_a_column_that_could_hold_a_document_number(data: Path) -> None:
    """The bytes of dead letters are the only such columns; what is granted of that table is named column by column."""
    for role in roles():
        if role.name in ("migrator", "writer"):
            continue
        for grant in role.grants:
            if grant.endswith(".dead_letters"):
                columns = grant.partition("(")[2].partition(")")[0].split(", ")
                assert columns != [""], f"{role.name}: {grant}"
                assert not {"key", "value"} & set(columns), f"{role.name}: {grant}"
    engine = Embedded(data)
    try:
        held = engine.select(
            "SELECT table, name FROM system.columns WHERE database = 'shekara' "
            "AND match(name, '(^|_)(number|document|passport|name|birth)(_|$)')"
        ).rows
        views = engine.select(
            "SELECT name FROM system.tables WHERE engine = 'View' AND match(as_select, 'dead_letters.*value')"
        ).rows
    finally:
        engine.close()
    kinds: set[Any] = {"document", "number", "name"}
    assert {column for _, column in held} <= kinds, "a new column that sounds like a document: grant it to nobody"
    assert {table for table, column in held if column in ("number", "name")} <= {"schema_migrations", "published_figures"}
    assert views == []


def test_the_file_is_the_generated_one_and_the_engine_reads_every_statement(data: Path) -> None:
    file = (ROOT / "deploy" / "clickhouse" / "access.sql").read_text("utf-8")
    assert file == script(), "run: python -m streams.warehouse.access > deploy/clickhouse/access.sql"
    assert set(OBLAST_VIEWS) <= set(relations())
    engine = Embedded(data)
    try:
        for statement in (*statements(), *statements("main")):
            assert engine.select(f"SELECT formatQuery({quote(statement)})").rows[0][0]
    finally:
        engine.close()
