"""The read-only endpoint: what a client may ask, and everything it may not."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from streams.errors import SetupError
from streams.warehouse.embedded import Embedded
from streams.warehouse.endpoint import Endpoint, application, token_in
from streams.warehouse.migrate import migrate
from streams.warehouse.readonly import Reader
from tests.contract.warehouse import deliver, deliveries
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration


@dataclass
class Served:
    """A running endpoint and its secrets."""

    url: str
    token: str
    home: Path
    engine: Embedded
    trouble: str = ""

    def ask(
        self, sql: str = "", *, body: bytes = b"", path: str = "/", headers: dict[str, str] | None = None, **params: str
    ) -> tuple[int, bytes, dict[str, str]]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=60)
        query = urlencode(({"query": sql} if sql else {}) | params)
        sent = {"X-ClickHouse-Key": self.token} if headers is None else headers
        connection.request("POST" if body else "GET", f"{path}?{query}", body=body or None, headers=sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content, {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("endpoint")
    engine = Embedded(home / "clickhouse")
    migrate(engine)
    deliver(engine, deliveries([crossing(number, f"p1-{number}") for number in range(1, 11)]))
    reader = Reader(engine, {"max_execution_time": 5, "max_result_rows": 3000})
    token = token_in(home / "run" / "sql.token")
    holder: list[Served] = []
    endpoint = Endpoint(application(reader, token, lambda: holder[0].trouble), 0)
    holder.append(Served(endpoint.url, token, home, engine))
    deadline = time.monotonic() + 10
    while True:
        try:
            holder[0].ask(path="/ping")
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    yield holder[0]
    endpoint.close()
    reader.close()
    engine.close()


SECRET = "the contents of a file"

ATTACKS = [
    "INSERT INTO alerts (version) VALUES (1)",
    "INSERT INTO FUNCTION file('{home}/out.csv') SELECT 1",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a Int8)",
    "CREATE FUNCTION f AS (x) -> x",
    "CREATE USER eve",
    "GRANT ALL ON *.* TO default",
    "DROP TABLE raw_border_crossing",
    "TRUNCATE TABLE raw_border_crossing",
    "ALTER TABLE raw_border_crossing DELETE WHERE 1",
    "OPTIMIZE TABLE raw_border_crossing FINAL",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "SET readonly = 0",
    "USE system",
    "ATTACH DATABASE x ENGINE = Filesystem('/')",
    "BACKUP DATABASE shekara TO File('{home}/backup')",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 1000000",
    "SELECT file('{home}/secret')",
    "SELECT FILE('{home}/secret')",
    "SELECT `file`('{home}/secret')",
    "SELECT \"file\"('{home}/secret')",
    "SELECT \"fil\\x65\"('{home}/secret')",
    "SELECT file/**/('{home}/secret')",
    "SELECT file -- comment\n ('{home}/secret')",
    "SELECT * APPLY(file) FROM (SELECT '{home}/secret' AS path)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '{home}/secret' AS path)",
    "SELECT arrayMap(x -> file(x), ['{home}/secret'])",
    "WITH (SELECT file('{home}/secret')) AS s SELECT s",
    "EXPLAIN SELECT file('{home}/secret')",
    "DESCRIBE TABLE file('{home}/secret', 'LineAsString')",
    "SELECT * FROM file('{home}/secret', 'LineAsString')",
    "SELECT * FROM fileCluster('default', '{home}/secret', 'LineAsString')",
    "SELECT * FROM '{home}/secret'",
    "SELECT * FROM `{home}/secret`",
    "SELECT * FROM default.`{home}/secret`",
    "SELECT * FROM url('{url}/ping', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('{home}/secret', 'a')",
    "SELECT * FROM executable('cat', 'TabSeparated', 'a String')",
    "SELECT * FROM python('SECRET')",
    "SELECT * FROM Python(SECRET)",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM input('a Int8')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV', 'a Int8')",
    "SELECT aiGenerate('x', 'y')",
    "SELECT 1 INTO OUTFILE '{home}/out.csv'",
    "SELECT 1 /* x */ into /* y */ outfile '{home}/out.csv'",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE raw_border_crossing",
    "SELECT '\\'; DROP TABLE raw_border_crossing; --'; DROP TABLE raw_border_crossing",
    "SELECT $x$ ; $x$; DROP TABLE raw_border_crossing",
    "SELECT 1 PARALLEL WITH SELECT 2",
    "SELECT 1 PARALLEL WITH DROP TABLE raw_border_crossing",
    "SHOW TABLES; DROP TABLE raw_border_crossing",
    "SELECT * FROM dictionary('x')",
    "SELECT * FROM raw_border_crossing FORMAT TabSeparated; DROP TABLE raw_border_crossing",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_but_reading_the_warehouse_is_possible(served: Served, attack: str) -> None:
    (served.home / "secret").write_text(SECRET)
    sql = attack.replace("{home}", str(served.home)).replace("{url}", served.url)
    status, content, headers = served.ask(sql)
    assert status in (400, 403), content
    assert SECRET.encode() not in content
    assert int(headers["x-clickhouse-exception-code"]) > 0
    assert not (served.home / "out.csv").exists()
    assert not (served.home / "backup").exists()
    assert served.ask("SELECT count() FROM raw_border_crossing")[:2] == (200, b"10\n")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ClickHouse-Key": "wrong"},
        {"X-ClickHouse-Key": ""},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"reader:wrong").decode()},
    ],
)
def test_without_the_token_there_is_no_answer(served: Served, headers: dict[str, str]) -> None:
    assert served.ask("SELECT 1", headers=headers)[0] == 401


def test_the_token_is_not_taken_from_the_url(served: Served) -> None:
    assert served.ask("SELECT 1", headers={}, password=served.token)[0] == 401


@pytest.mark.parametrize("scheme", ["key", "bearer", "basic"])
def test_the_token_opens_in_each_way_clients_send_it(served: Served, scheme: str) -> None:
    headers = {
        "key": {"X-ClickHouse-User": "anyone", "X-ClickHouse-Key": served.token},
        "bearer": {"Authorization": f"Bearer {served.token}"},
        "basic": {"Authorization": "Basic " + base64.b64encode(f"anyone:{served.token}".encode()).decode()},
    }[scheme]
    assert served.ask("SELECT 1", headers=headers)[:2] == (200, b"1\n")


def test_a_query_may_come_in_the_url_the_body_or_both(served: Served) -> None:
    assert served.ask("SELECT 1 + 1")[1] == b"2\n"
    assert served.ask(body=b"SELECT 1 + 2")[1] == b"3\n"
    assert served.ask("SELECT 1 +", body=b"3")[1] == b"4\n"
    assert served.ask()[1] == b"Ok.\n"


def test_the_format_comes_from_the_query_the_url_or_the_header(served: Served) -> None:
    assert json.loads(served.ask("SELECT 1 AS a", default_format="JSON")[1])["data"] == [{"a": 1}]
    assert served.ask("SELECT 1 AS a FORMAT CSVWithNames")[1] == b'"a"\n1\n'
    key = {"X-ClickHouse-Key": served.token}
    assert served.ask("SELECT 1 AS a", headers=key | {"X-ClickHouse-Format": "JSONEachRow"})[1] == b'{"a":1}\n'
    assert served.ask("SELECT 1 AS a", default_format="NoSuchThing")[0] == 400
    assert served.ask("SELECT 1 AS a", default_format="CSV; DROP")[0] == 400


def test_parameters_are_values_never_sql(served: Served) -> None:
    assert served.ask("SELECT {x:String}", param_x="a'; DROP TABLE x; --")[1] == b"a\\'; DROP TABLE x; --\n"


def test_an_answer_in_another_query_is_never_a_piece_of_a_failed_one(served: Served) -> None:
    """The engine keeps what a failed query had written of its answer; the connection is replaced (ADR 0050)."""
    for _ in range(5):
        assert (
            served.ask("SELECT throwIf(number = 900) FROM numbers(1000) SETTINGS max_block_size = 1", default_format="JSON")[0]
            >= 400
        )
        assert served.ask("SELECT number, throwIf(number = 300) FROM numbers(500)", default_format="JSONEachRow")[0] >= 400
        assert served.ask("SELECT 1")[1] == b"1\n"


def test_a_query_without_end_is_ended(served: Served) -> None:
    begun = time.monotonic()
    status, content, _ = served.ask("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
    assert status == 408
    assert b"Timeout" in content
    assert time.monotonic() - begun < 20


def test_an_answer_too_large_is_refused(served: Served) -> None:
    assert served.ask("SELECT number FROM numbers(100000)")[0] == 400
    assert served.ask("SELECT groupArray(number) FROM numbers(100000000000)")[0] in (400, 408)


def test_a_slow_query_does_not_keep_others_or_the_sink_waiting(served: Served) -> None:
    slow = threading.Thread(
        target=served.ask, args=("SELECT sum(sleepEachRow(0.01)) FROM numbers(100) SETTINGS max_block_size = 1",)
    )
    endless = threading.Thread(
        target=served.ask, args=("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",)
    )
    for one in (slow, endless):
        one.start()
    begun = time.monotonic()
    assert served.ask("SELECT 1")[1] == b"1\n"
    assert served.engine.select("SELECT count() FROM raw_border_crossing").rows == [(10,)]
    assert endless.is_alive(), "the slow query ended before it could be in anyone's way"
    assert time.monotonic() - begun < 1.8
    for one in (slow, endless):
        one.join(30)


def test_a_body_without_end_is_refused(served: Served) -> None:
    assert served.ask(body=b"SELECT " + b"1," * 1_000_000)[0] == 413


def test_probes_need_no_token_and_tell_no_data(served: Served) -> None:
    for path in ("/ping", "/livez", "/readyz", "/metrics"):
        assert served.ask(path=path, headers={})[0] == 200, path
    assert b"shekara_sql_queries" in served.ask(path="/metrics", headers={})[1]
    served.trouble = "ClickHouse does not answer"
    try:
        assert served.ask(path="/readyz", headers={})[:2] == (503, b"ClickHouse does not answer\n")
    finally:
        served.trouble = ""


def test_the_token_file_is_its_owners_alone(served: Served, tmp_path: Path) -> None:
    path = served.home / "run" / "sql.token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert token_in(path) == served.token, "a restart keeps the token"
    open_to_all = tmp_path / "sql.token"
    open_to_all.write_text("x")
    open_to_all.chmod(0o644)
    with pytest.raises(SetupError, match="Others can read"):
        token_in(open_to_all)


def test_a_port_in_use_is_one_sentence(served: Served) -> None:
    with pytest.raises(SetupError, match="cannot listen on"):
        Endpoint(application(None, "", lambda: ""), urlsplit(served.url).port or 0)  # type: ignore[arg-type]


def test_curl_can_ask(served: Served) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl on this machine")
    question = quote("SELECT sum(crossings) FROM mart_daily_flows")
    address = f"{served.url}/?query={question}"
    said = subprocess.run(
        [curl, "-s", "-H", f"X-ClickHouse-Key: {served.token}", address], capture_output=True, check=True, timeout=30
    )
    assert said.stdout == b"10\n"


def test_a_table_reader_gets_parquet(served: Served) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    content = served.ask("SELECT post, crossings FROM mart_daily_flows", default_format="Parquet")[1]
    assert parquet.read_table(io.BytesIO(content)).to_pylist() == [{"post": "KZ-75-A1", "crossings": 10}]


# Two clients that analysts really use, as they are: nothing of the protocol is ours on their side.


def test_clickhouse_connect_reads_types_frames_and_parameters_and_is_refused_with_a_code(served: Served) -> None:
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

    place = urlsplit(served.url)
    client = clickhouse_connect.get_client(
        host=place.hostname, port=place.port, username="analyst", password=served.token, database="shekara"
    )
    try:
        told = client.query(
            "SELECT toDate32('2025-03-01'), toUUID('00000000-0000-0000-0000-000000000007'), toLowCardinality('KZ-75'), "
            "toDateTime64('2025-03-01 07:00:00.500', 3, 'UTC'), CAST(NULL, 'Nullable(Int64)'), ['a', 'b'], toInt64(-69900), true"
        )
        [(day, event, oblast, at, nothing, some, balance, yes)] = told.result_rows
        assert (day, event.int, oblast, at.microsecond, nothing, some, balance, yes) == (
            *(date(2025, 3, 1), 7, "KZ-75", 500_000, None, ["a", "b"], -69900, True),
        )
        assert told.column_types[1].name == "UUID"
        frame = client.query_df("SELECT year, balance FROM mart_external_balance ORDER BY year")
        assert list(frame["balance"])[:2] == [-69900, -62000]
        assert client.query_arrow("SELECT subject FROM core_border_crossing").num_rows == 10
        assert client.query("SELECT {year:UInt16} + 1", parameters={"year": 2005}).result_rows == [(2006,)]
        for refused, code in (
            ("INSERT INTO alerts (version) VALUES (1)", "code: 164"),
            ("SELECT * FROM numbers(5000)", "code: 396"),
            ("SELECT nothing_of_the_kind", "code: 47"),
        ):
            with pytest.raises(DatabaseError, match=code):
                client.command(refused)
        begun = time.monotonic()
        with pytest.raises((DatabaseError, OperationalError), match="code: 159"):
            client.query("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
        assert time.monotonic() - begun < 60, "a query that reached the time limit is not tried again"
    finally:
        client.close()
    with pytest.raises(DatabaseError, match="code: 516"):
        clickhouse_connect.get_client(host=place.hostname, port=place.port, username="analyst", password="guess")


NODE = """
const { createClient } = require('@clickhouse/client')
const quiet = { LoggerClass: class { trace() {} debug() {} info() {} warn() {} error() {} } }
const { URL: url, TOKEN: password } = process.env
const c = createClient({ url, username: 'analyst', password, database: 'shekara', log: quiet })
const ask = async (query, format = 'JSONEachRow', query_params = {}) => (await c.query({ query, format, query_params })).json()
;(async () => {
  const told = { ping: (await c.ping()).success }
  told.rows = await ask('SELECT year, balance FROM mart_external_balance ORDER BY year LIMIT 1')
  told.types = (await ask('SELECT {day:Date32} AS day, toUUID({id:String}) AS id', 'JSON',
    { day: '2025-03-01', id: '00000000-0000-0000-0000-000000000007' })).meta.map(one => one.type)
  for (const [name, query] of [['write', 'INSERT INTO alerts (version) VALUES (1)'], ['large', 'SELECT * FROM numbers(5000)'],
                               ['slow', 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1']])
    try { await ask(query); told[name] = 'ran' } catch (e) { told[name] = [e.code, e.type] }
  let streamed = 0
  for await (const rows of (await c.query({ query: 'SELECT number FROM numbers(900)', format: 'JSONEachRow' })).stream())
    streamed += rows.length
  console.log(JSON.stringify({ ...told, streamed }))
  await c.close()
})()
"""


def test_the_node_client_reads_streams_and_is_refused_with_a_code(served: Served) -> None:
    modules = os.environ.get("CLICKHOUSE_NODE_MODULES", "")
    if not (shutil.which("node") and modules and (Path(modules) / "@clickhouse" / "client").is_dir()):
        pytest.skip("needs node and CLICKHOUSE_NODE_MODULES (npm install @clickhouse/client; its folder node_modules)")
    environment = {"NODE_PATH": modules, "URL": served.url, "TOKEN": served.token, "PATH": os.environ["PATH"]}
    ran = subprocess.run(["node", "-e", NODE], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "ping": True,
        "rows": [{"year": 2001, "balance": -69900}],
        "types": ["Date32", "UUID"],
        "write": ["164", "READONLY"],
        "large": ["396", "TOO_MANY_ROWS_OR_BYTES"],
        "slow": ["159", "TIMEOUT_EXCEEDED"],
        "streamed": 900,
    }
