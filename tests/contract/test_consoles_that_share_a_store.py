"""Two consoles on one PostgreSQL: one chain of the audit, one set of sessions, one decision where two would contradict."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from typer.testing import CliRunner

from streams.clock import now_ms
from streams.console.case_page import as_seen
from streams.console.decisions import Decisions, Taken
from streams.console.desk import Desk, furnish
from streams.console.procedures import procedures
from streams.console.rights import ROLES
from streams.console.serving import demo_accounts, first_link
from streams.console.visit import Refused
from streams.console.work import Held
from streams.console.work_elsewhere import follow_work
from streams.errors import SetupError
from streams.policy.load import load
from streams.settings import Settings
from tests.contract.postgresql import PASSWORD as STORE_PASSWORD
from tests.contract.postgresql import Cluster, cluster
from tests.unit.console.conftest import CHEAP, PASSWORD, browser, csrf_of

pytestmark = pytest.mark.integration

SUBJECT = "p1-00000000000000000000000000000000"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.database()


def console(url: str, home: Path, *, demo: bool = False) -> Desk:
    return furnish(Settings(home=home, console_store=url), load("kz"), demo=demo, hasher=CHEAP)  # type: ignore[arg-type]


@pytest.fixture
def consoles(url: str, tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    """Two consoles with homes of their own, on one database, with the same key of the second factor."""
    one = console(url, tmp_path / "one")
    (tmp_path / "two" / "console").mkdir(parents=True, mode=0o700)
    shutil.copy(tmp_path / "one" / "console" / "second-factor.key", tmp_path / "two" / "console")
    two = console(url, tmp_path / "two")
    yield one, two
    two.close()
    one.close()


@pytest.fixture
def deciders(consoles: tuple[Desk, Desk]) -> Iterator[list[Decisions]]:
    made = [Decisions(one.settings, one.store, one.audit, lambda: 1_750_000_000_000) for one in consoles]
    for one in made:
        one._rest_until_s = float("inf")  # there is no Kafka here
    yield made
    for one in made:
        one.close()


def officer(desk: Desk, name: str = "aigerim") -> None:
    _, token = desk.accounts.invite(name, "operator", "", now_ms())
    desk.accounts.accept(token, PASSWORD, now_ms())


def test_who_signed_in_at_one_is_in_at_the_other_and_out_at_both(consoles: tuple[Desk, Desk]) -> None:
    one, two = consoles
    officer(one)
    with browser(one) as here, browser(two) as there:
        assert here.post("/sign-in", data={"name": "aigerim", "password": PASSWORD}).status_code == 303
        there.cookies.set("shekara_session", here.cookies["shekara_session"])
        assert there.get("/").status_code == 200
        assert there.post("/sign-out", data={"csrf": csrf_of(there.get("/"))}).status_code == 303
        assert here.get("/").headers["location"] == "/sign-in"


def test_wrong_passwords_count_wherever_they_are_tried(consoles: tuple[Desk, Desk]) -> None:
    officer(consoles[0])
    for number in range(5):
        with browser(consoles[number % 2]) as client:
            client.post("/sign-in", data={"name": "aigerim", "password": "wrong wrong wrong"})
    assert all(one.accounts.is_locked("aigerim", now_ms()) for one in consoles)


def test_a_link_is_used_once_though_both_are_asked_at_once(consoles: tuple[Desk, Desk]) -> None:
    _, token = consoles[0].accounts.invite("aigerim", "operator", "", now_ms())
    with ThreadPoolExecutor(2) as threads:
        tried = [threads.submit(one.accounts.accept, token, f"{PASSWORD} {n}", now_ms()) for n, one in enumerate(consoles)]
    assert sorted(one.exception() is None for one in tried) == [False, True]


def test_the_audit_is_one_chain_that_each_console_signs_and_verifies(consoles: tuple[Desk, Desk]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: consoles[n % 2].audit.write(n, "o1-a", "see_case", str(n)), range(240)))
    assert [one.audit.verify() for one in consoles] == [240, 240]
    assert [line.seq for line in consoles[0].audit.lines(limit=1000)] == list(range(240, 0, -1))
    assert all(one.audit.signed() for one in consoles)


def test_decisions_of_two_consoles_are_one_sequence_of_one_source(consoles: tuple[Desk, Desk], deciders: list[Decisions]) -> None:
    def decide(number: int) -> None:
        taken = Taken("contacted", SUBJECT, uuid4().bytes, None, f"call {number}", 0)
        deciders[number % 2].take("o1-a", [taken])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(decide, range(60)))
    assert deciders[0].source == deciders[1].source
    rows = consoles[0].store.rows("SELECT source_seq, occurred_at FROM decision ORDER BY source_seq")
    assert [seq for seq, _ in rows] == list(range(1, 61))
    assert [at for _, at in rows] == sorted({at for _, at in rows}), "each lies behind the one before"


def test_two_officers_who_decide_on_what_both_saw_decide_once(consoles: tuple[Desk, Desk], deciders: list[Decisions]) -> None:
    """Both have looked at the case, both may confirm; whoever is second is told that the case has moved."""
    case_id = uuid4()
    deciders[0].take("o1-a", [Taken("referral_proposed", SUBJECT, case_id.bytes, None, "five words of a reason", 0)])
    seen = [one.last_of(case_id) for one in deciders]
    ready = threading.Barrier(2)

    def confirm(number: int) -> None:
        taken = Taken("referral_confirmed", SUBJECT, case_id.bytes, None, "the second officer agrees", 0)
        ready.wait(10)
        deciders[number].take(f"o1-{number}", [taken], as_seen(deciders[number], case_id, seen[number]))

    with ThreadPoolExecutor(2) as threads:
        tried = [threads.submit(confirm, number) for number in range(2)]
    errors = [one.exception() for one in tried]
    assert sorted(error is None for error in errors) == [False, True]
    refused = next(error for error in errors if error is not None)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.key) == (409, "refused.overtaken")
    assert [decision for decision, _, _ in deciders[0].of_case(case_id)] == ["referral_proposed", "referral_confirmed"]


def test_what_a_colleague_does_at_the_other_console_is_told_to_the_feeds_here(consoles: tuple[Desk, Desk]) -> None:
    here, there = consoles
    alert_id = str(uuid4())
    here.work.moment()
    before = here.work.number
    woken = threading.Event()
    end = follow_work(here.work, woken.set, each_s=0.05)
    try:
        there.work.do("o1-b", "assigned", now_ms(), {alert_id: Held("o1-b")})
        assert woken.wait(10)
        number, changed = here.work.changed_since(before)
        assert (number > before, changed) == (True, [alert_id])
        assert here.work.moment().of(alert_id).owner == "o1-b"
        assert not here.work.look(), "told once"
    finally:
        end()


def test_a_proceeding_ended_at_both_ends_once_with_its_decisions(consoles: tuple[Desk, Desk], deciders: list[Decisions]) -> None:
    case_id = uuid4()
    begun = consoles[0].proceedings.begin(
        procedures()["late_registration"], "o1-a", 1, 20_000, oblast="", members=[(str(uuid4()), str(case_id))], reason="asked"
    )

    def end(number: int) -> None:
        proceeding = consoles[number].proceedings.one(begun, "")
        assert proceeding is not None
        closing = consoles[number].proceedings.closing(proceeding, "legalised", "came", officer="o1-a", at=2, on=20_001)
        deciders[number].take("o1-a", [Taken("legalised", SUBJECT, case_id.bytes, None, "the notice came", 0)], closing)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(end, range(2)))
    assert [decision for decision, _, _ in deciders[0].of_case(case_id)] == ["legalised"]


def test_consoles_that_start_at_once_make_one_administrator(url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        made = list(threads.map(lambda n: console(url, tmp_path / str(n)), range(3)))
        links = list(threads.map(lambda one: first_link(one, "http://127.0.0.1"), made))
    good = [link for link in links if made[0].accounts.invited(link.partition("=")[2], now_ms())]
    assert len(good) == 1, "the last link made is the one that counts"
    assert [one.name for one in made[0].accounts.all()] == ["administrator"]
    for one in made:
        one.close()


def test_demo_accounts_never_open_a_real_countrys_store(url: str, tmp_path: Path) -> None:
    real = console(url, tmp_path / "real")
    officer(real)
    with pytest.raises(SetupError, match="belongs to a country that is real"):
        console(url, tmp_path / "demo", demo=True)
    assert [one.name for one in real.accounts.all()] == ["aigerim"]
    real.close()


def test_a_demo_can_be_shared_too(url: str, tmp_path: Path) -> None:
    one = console(url, tmp_path / "one", demo=True)
    demo_accounts(one)
    two = console(url, tmp_path / "one", demo=True)
    demo_accounts(two)
    assert {account.role for account in two.accounts.all()} == set(ROLES)
    two.close()
    one.close()


def test_another_key_of_the_second_factor_is_refused_at_the_start(consoles: tuple[Desk, Desk], url: str, tmp_path: Path) -> None:
    consoles[0].second.begin("somebody")
    with pytest.raises(SetupError, match="copy it from the console that shares this store"):
        console(url, tmp_path / "three")


def test_the_audit_is_verified_from_the_command_line(
    consoles: tuple[Desk, Desk], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.cli import build
    from streams.errors import IntegrityError

    for number in range(5):
        consoles[number % 2].audit.write(number, "o1-a", "see_case", str(number))
    consoles[0].audit.checkpoint()
    monkeypatch.setenv("SHEKARA_HOME", str(tmp_path / "one"))
    monkeypatch.setenv("SHEKARA_CONSOLE_STORE", url)
    whole = CliRunner().invoke(build(), ["audit", "verify"])
    assert whole.exit_code == 0, whole.output
    assert "5 lines, 1 signed checkpoints" in whole.output
    with consoles[0].store.writing() as writer:
        writer.run("UPDATE audit SET reason = 'another' WHERE seq = 3")
    broken = CliRunner().invoke(build(), ["audit", "verify"])
    assert isinstance(broken.exception, IntegrityError)
    assert "Line 3" in broken.exception.what
    _holds_no_secret(whole.output + broken.output)


def test_a_store_that_went_away_is_a_page_that_says_so_and_a_console_that_is_not_ready(
    postgresql: Cluster, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = console(url, tmp_path / "one")
    try:
        officer(desk)
        with browser(desk) as client:
            client.post("/sign-in", data={"name": "aigerim", "password": PASSWORD})
            postgresql.stop()
            try:
                answer = client.get("/")
                assert answer.status_code == 503
                assert "did not answer" in answer.text
                assert client.get("/readyz").status_code == 503
                assert client.get("/livez").status_code == 200
            finally:
                postgresql.start()
            assert client.get("/").status_code == 200, "the session is where it was"
            assert client.get("/readyz").status_code == 200
        said = capsys.readouterr()
        _holds_no_secret(answer.text + said.out + said.err)
    finally:
        desk.close()


def _holds_no_secret(text: str) -> None:
    pieces: list[Any] = [STORE_PASSWORD, STORE_PASSWORD[:4], "a%25b", "c@d"]
    assert all(piece not in text for piece in pieces)


def test_a_consoles_file_moves_into_postgresql_as_a_whole(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.cli import build
    from streams.console.moving import tables
    from streams.errors import UsageError

    home = tmp_path / "home"
    old = furnish(Settings(home=home), load("kz"), hasher=CHEAP)
    officer(old)
    account = old.accounts.all()[0]
    secret = old.second.begin(account.id)
    codes = old.second.confirm(account.id, pyotp.TOTP(secret).now(), now_ms())
    for number in range(150):
        old.audit.write(number, "o1-a", "see_case", f"№ {number} '?%'", "себебі")
    old.work.do("o1-a", "assigned", now_ms(), {str(uuid4()): Held("o1-a")})
    kept = {table: sorted(map(str, old.store.rows(f"SELECT * FROM {table}"))) for table in tables()}  # noqa: S608
    old.close()
    monkeypatch.setenv("SHEKARA_HOME", str(home))
    monkeypatch.setenv("SHEKARA_CONSOLE_STORE", url)
    moved = CliRunner().invoke(build(), ["console-move", "--json"])
    assert moved.exit_code == 0, moved.output
    again = CliRunner().invoke(build(), ["console-move"])
    assert isinstance(again.exception, UsageError), "two audits cannot become one chain"
    new = console(url, home)
    try:
        assert {table: sorted(map(str, new.store.rows(f"SELECT * FROM {table}"))) for table in tables()} == kept  # noqa: S608
        assert new.audit.verify() == 151
        assert new.audit.signed() >= 2, "signed at the old store, true of the new one"
        assert new.accounts.let_in("aigerim", PASSWORD, now_ms()) == account
        assert new.second.right(account.id, codes[0], now_ms())
    finally:
        new.close()


def test_every_table_is_moved_or_named_as_short_lived(consoles: tuple[Desk, Desk]) -> None:
    from streams.console.moving import tables

    listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'form'"
    assert sorted(tables()) == sorted(row[0] for row in consoles[0].store.rows(listed))


def test_doctor_looks_at_the_store(url: str, tmp_path: Path) -> None:
    from streams.cli import doctor

    def looked(place: str) -> tuple[str, str]:
        check = doctor._console_store(Settings(home=tmp_path, console_store=place))  # type: ignore[arg-type]
        _holds_no_secret(check.what + check.next_step)
        return check.state, check.what

    assert looked(url)[0] == "fail", "no console has made its tables yet"
    console(url, tmp_path).close()
    state, what = looked(url)
    assert state == "ok"
    assert what.startswith("PostgreSQL ")
    assert looked(url.rpartition("/")[0] + "/nowhere")[0] == "fail"
