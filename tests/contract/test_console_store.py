"""One suite, two databases: what the console may expect of its store, whoever keeps it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streams.console.audit import Audit
from streams.console.store import Store, open_store
from streams.console.tables import STEPS
from streams.errors import DependencyError, IntegrityError, SetupError, UsageError
from streams.settings import Settings
from tests.contract.postgresql import Cluster, cluster

pytestmark = pytest.mark.integration

NOTE = "INSERT INTO note VALUES (?, 'case', 'o1-a', ?, ?)"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


Opener = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Returns a function that opens the same store once more."""
    url = request.getfixturevalue("postgresql").database() if request.param == "postgresql" else ""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(open_store(Settings(home=tmp_path, console_store=url), tmp_path))  # type: ignore[arg-type]
        return opened[-1]

    yield again
    for one in opened:
        one.close()


@pytest.fixture
def store(reopen: Opener) -> Store:
    return reopen()


def test_what_is_written_is_there_when_the_store_is_opened_again(store: Store, reopen: Opener) -> None:
    with store.writing() as writer:
        assert writer.run(NOTE, "a", 2**53, "сәлем? 100 % 'quoted' \\ \n") == 1
    assert reopen().rows("SELECT written_at, content FROM note WHERE id = ?", "a") == [(2**53, "сәлем? 100 % 'quoted' \\ \n")]


def _write_and_break(store: Store, audit: Audit | None = None) -> None:
    with store.writing() as writer:
        writer.run(NOTE, "a", 1, "x")
        if audit is not None:
            audit.write_in(writer, 100, "o1-a", "decided", "x")
        raise UsageError("what it is about did not happen")


def test_an_exception_undoes_the_whole_transaction(store: Store) -> None:
    with pytest.raises(UsageError):
        _write_and_break(store)
    assert store.rows("SELECT * FROM note") == []
    with store.writing() as writer:
        writer.run(NOTE, "b", 1, "x")
    assert len(store.rows("SELECT * FROM note")) == 1


def test_a_transaction_reads_what_it_wrote_and_nobody_else_does_before_its_end(
    reopen: Opener, request: pytest.FixtureRequest
) -> None:
    ours, theirs = reopen(), reopen()
    with ours.writing() as writer:
        writer.run(NOTE, "a", 1, "x")
        assert len(writer.rows("SELECT * FROM note")) == 1
        assert theirs.rows("SELECT * FROM note") == []
    assert len(theirs.rows("SELECT * FROM note")) == 1


def test_writers_are_alone(reopen: Opener) -> None:
    """Reads before writes within a transaction, by many threads of two openings: no number is given twice."""
    stores = [reopen(), reopen()]

    def count(number: int) -> None:
        with stores[number % 2].writing() as writer:
            (last,) = writer.rows("SELECT coalesce(max(written_at), 0) FROM note")[0]
            writer.run(NOTE, str(number), last + 1, "x")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(60)))
    assert [row[0] for row in stores[0].rows("SELECT written_at FROM note ORDER BY written_at")] == list(range(1, 61))


def test_the_audit_of_many_writers_is_one_chain(reopen: Opener, tmp_path: Path) -> None:
    audits = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        audits.append(Audit(reopen(), tmp_path / name))

    def write(number: int) -> None:
        audits[number % 2].write(1000 + number, "o1-a", "see_person", f"alert-{number}", "a reason")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(220)))
    assert [audit.verify() for audit in audits] == [220, 220]
    assert all(audit.signed() >= 1 for audit in audits), "each console signs what it saw of the common chain"
    assert {line.object for line in audits[0].lines(limit=300)} == {f"alert-{number}" for number in range(220)}


def test_a_line_undone_with_its_transaction_is_never_signed(store: Store, tmp_path: Path) -> None:
    audit = Audit(store, tmp_path)
    for number in range(99):
        audit.write(number, "o1-a", "see_person", "x")
    with pytest.raises(UsageError):
        _write_and_break(store, audit)
    assert audit.verify() == 99
    audit.write(101, "o1-a", "see_person", "y")
    assert audit.verify() == 100
    assert audit.signed() == 1


def test_who_is_alone_is_waited_for(store: Store) -> None:
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with store.alone("sending"):
            inside.set()
            time.sleep(0.3)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with store.alone("something else"):
        order.append("other")
    with store.alone("sending"):
        order.append("second")
    thread.join()
    assert order == ["other", "first", "second"]


def test_what_a_browser_may_send_is_no_fault_of_the_store(store: Store) -> None:
    for text in ("a\0b", "\ud800", "'; DROP TABLE note; --", "x" * 100_000, "?%s%%"):
        assert store.rows("SELECT * FROM account WHERE name = ?", text) == []
    with store.writing() as writer:
        writer.run("INSERT INTO saved_view VALUES ('v', 'o', 'n', 'q', ?, 1)", True)
    assert store.rows("SELECT shared FROM saved_view WHERE shared = 1 AND name LIKE 'n%'") == [(1,)]


def test_opening_again_changes_nothing_and_every_step_is_recorded(store: Store, reopen: Opener) -> None:
    before = store.rows("SELECT step, digest, applied_at FROM form ORDER BY step")
    assert [row[:2] for row in before] == [(number, step.digest) for number, step in enumerate(STEPS, start=1)]
    assert reopen().rows("SELECT step, digest, applied_at FROM form ORDER BY step") == before


def test_a_store_of_an_earlier_form_is_brought_up_to_date(reopen: Opener) -> None:
    """As the first programs left it: without the tables of later steps, and without the table of steps."""
    store = reopen()
    with store.writing() as writer:
        writer.run(NOTE, "a", 1, "kept")
        for table in ("form", "proceeding", "otp", "identity", "provider_attempt"):
            writer.run(f"DROP TABLE {table}")
    upgraded = reopen()
    assert upgraded.rows("SELECT content FROM note") == [("kept",)]
    assert upgraded.rows("SELECT count(*) FROM proceeding") == upgraded.rows("SELECT count(*) FROM identity") == [(0,)]


def test_a_store_a_later_program_wrote_is_refused(store: Store, reopen: Opener) -> None:
    with store.writing() as writer:
        writer.run("INSERT INTO form VALUES (?, 'later', 'x', 1)", len(STEPS) + 1)
    with pytest.raises(SetupError, match=f"has form {len(STEPS) + 1}; this program knows form {len(STEPS)}"):
        reopen()


def test_a_step_that_is_not_the_one_applied_is_refused(store: Store, reopen: Opener) -> None:
    with store.writing() as writer:
        writer.run("UPDATE form SET digest = 'x' WHERE step = 2")
    with pytest.raises(IntegrityError, match="Step 2"):
        reopen()


def test_two_consoles_that_start_at_once_make_the_tables_once(reopen: Opener) -> None:
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: reopen(), range(4)))
    assert stores[0].rows("SELECT count(*) FROM form") == [(len(STEPS),)]


class TestPostgresql:
    """What only a server can do wrong."""

    def opened(self, url: str) -> Store:
        return open_store(Settings(console_store=url), Path("/nowhere"))  # type: ignore[arg-type]

    def test_a_server_that_is_not_there_is_told_without_the_password(self, postgresql: Cluster) -> None:
        url = postgresql.url("postgres").replace(f":{postgresql.port}/", ":1/")
        with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1/postgres.*refused") as raised:
            self.opened(url)
        _holds_no_password(str(raised.value))

    def test_a_wrong_password_a_wrong_user_and_a_wrong_database_are_told_apart(self, postgresql: Cluster) -> None:
        cases = {
            "password authentication failed": postgresql.url(password="wr0ng-secret"),
            'user "nobody-here"': postgresql.url(user="nobody-here"),
            'database "nowhere" does not exist': postgresql.url("nowhere"),
        }
        for sentence, url in cases.items():
            with pytest.raises(DependencyError) as raised:
                self.opened(url)
            assert sentence in str(raised.value)
            assert "wr0ng-secret" not in str(raised.value)
            _holds_no_password(str(raised.value))

    def test_a_user_who_may_make_no_tables_is_told_what_to_do(self, postgresql: Cluster) -> None:
        url = postgresql.database()
        name = url.rpartition("/")[2]
        postgresql.run(f"CREATE ROLE weak_{name} LOGIN PASSWORD 'weak-secret'")
        with pytest.raises(SetupError, match="own the database"):
            self.opened(postgresql.url(name, user=f"weak_{name}", password="weak-secret"))

    def test_a_server_that_starts_anew_costs_at_most_one_refused_page(self, postgresql: Cluster) -> None:
        store = self.opened(postgresql.database())
        try:
            postgresql.stop()
            with pytest.raises(DependencyError) as raised:
                store.rows("SELECT 1")
            _holds_no_password(str(raised.value))
            postgresql.start()
            assert store.rows("SELECT 1") == [(1,)]
        finally:
            store.close()

    def write_and_lose_the_connection(self, store: Store, postgresql: Cluster, database: str) -> None:
        lost = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
        with store.writing() as writer:
            writer.run(NOTE, "a", 1, "x")
            postgresql.run(f"{lost} AND state = 'idle in transaction'")
            writer.run(NOTE, "b", 1, "x")

    def test_what_a_console_that_died_was_writing_is_undone_and_holds_nobody_up(self, postgresql: Cluster) -> None:
        url = postgresql.database()
        dying, living = self.opened(url), self.opened(url)
        try:
            with pytest.raises(DependencyError):
                self.write_and_lose_the_connection(dying, postgresql, url.rpartition("/")[2])
            with living.writing() as writer:
                assert writer.rows("SELECT * FROM note") == []
        finally:
            dying.close()
            living.close()

    def test_a_socket_of_this_machine_serves_too(self, postgresql: Cluster) -> None:
        name = postgresql.database().rpartition("/")[2]
        url = f"postgresql://owner:{postgresql.url().split(':', 2)[2].split('@', maxsplit=1)[0]}@:{postgresql.port}/{name}"
        store = self.opened(f"{url}?host={postgresql.socket}")
        assert store.rows("SELECT inet_server_addr() IS NULL") == [(True,)]
        store.close()

    def test_over_tls_the_certificate_is_checked_against_the_authority_named(self, postgresql: Cluster) -> None:
        url = postgresql.database()
        store = self.opened(f"{url}?sslmode=verify-full&sslrootcert={postgresql.authority}")
        assert store.rows("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [(True,)]
        store.close()
        named = url.replace("127.0.0.1", "localhost")
        for wrong in (
            f"{named}?sslmode=verify-full&sslrootcert={postgresql.authority}",
            f"{url}?sslmode=verify-full&sslrootcert=system",
        ):
            with pytest.raises(DependencyError, match="certificate") as raised:
                self.opened(wrong)
            _holds_no_password(str(raised.value))

    def test_reading_alone_prepares_nothing(self, postgresql: Cluster) -> None:
        url = postgresql.database()
        with pytest.raises(SetupError, match="earlier form"):
            open_store(Settings(console_store=url), Path("/nowhere"), prepare=False)  # type: ignore[arg-type]


def _holds_no_password(text: str) -> None:
    from tests.contract.postgresql import PASSWORD

    assert all(piece not in text for piece in (PASSWORD, "a%b", "c@d", "a%25b", "e?f")), text
