"""The second factor: required by role, good once, locked like a password, lost with a new link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console.accounts import FREE_FAILURES
from streams.console.app import ways
from streams.console.desk import Desk
from streams.console.rights import ROLES, may, needs_second_factor, sees_one_oblast
from streams.console.second_factor import RECOVERY_CODES, STEP_S, TRIES, SecondFactor
from streams.console.sqlite import SqliteStore
from streams.errors import SetupError
from tests.unit.console.conftest import PASSWORD, browser, csrf_of

AT = 1_790_000_000_000


def member(desk: Desk, role: str) -> TestClient:
    """Returns a browser signed in with a password."""
    _, token = desk.accounts.invite(role, role, "KZ-75" if sees_one_oblast(role) else "", now_ms())
    desk.accounts.accept(token, PASSWORD, now_ms())
    client = browser(desk)
    assert client.post("/sign-in", data={"name": role, "password": PASSWORD}).headers["location"] == "/"
    return client


def enrol(client: TestClient) -> tuple[str, list[str]]:
    """Returns the secret and the recovery codes."""
    page = client.get("/second-factor")
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", page.text)[0])
    made = client.post("/second-factor", data={"csrf": csrf_of(page), "code": code(secret, -1)})
    assert made.status_code == 200
    return secret, re.findall(r"<code>([0-9a-f]{8}-[0-9a-f]{8})</code>", made.text)


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(now_ms() // 1000 + steps * STEP_S)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_needs_a_second_factor_can_do_nothing_before_it_has_one(strict: Desk, role: str) -> None:
    client = member(strict, role)
    csrf = csrf_of(client.get("/second-factor"))
    for way in ways():
        if way.action is None or way.enrolling or way.path.endswith("/live") or not may(role, way.action):
            continue
        path = re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", way.path)
        answer = client.request(way.methods[0], path, headers={"x-csrf-token": csrf})
        stopped = answer.headers.get("location") == "/second-factor" or answer.status_code == 403
        assert stopped == needs_second_factor(role), way
    enrol(client)
    assert client.get("/").status_code == 200


def test_who_has_a_second_factor_signs_in_with_both(strict: Desk) -> None:
    secret, codes = enrol(member(strict, "operator"))
    assert len(set(codes)) == RECOVERY_CODES
    with browser(strict) as client:
        assert client.post("/sign-in", data={"name": "operator", "password": PASSWORD}).headers["location"] == "/sign-in/code"
        assert client.get("/").headers["location"] == "/sign-in", "the password alone opens nothing"
        assert client.post("/sign-in/code", data={"code": "000000"}).status_code == 403
        assert client.post("/sign-in/code", data={"code": code(secret, 1)}).headers["location"] == "/"
        assert client.get("/").status_code == 200
    with browser(strict) as client:
        client.post("/sign-in", data={"name": "operator", "password": PASSWORD})
        assert client.post("/sign-in/code", data={"code": codes[0]}).headers["location"] == "/"
    with browser(strict) as client:
        client.post("/sign-in", data={"name": "operator", "password": PASSWORD})
        assert client.post("/sign-in/code", data={"code": codes[0]}).status_code == 403, "a recovery code is good once"


def test_wrong_codes_lock_the_account(strict: Desk) -> None:
    secret, _ = enrol(member(strict, "operator"))
    with browser(strict) as client:
        client.post("/sign-in", data={"name": "operator", "password": PASSWORD})
        for _ in range(TRIES):
            client.post("/sign-in/code", data={"code": "123"})
        assert client.post("/sign-in/code", data={"code": code(secret, 1)}).headers["location"] == "/sign-in"
    assert FREE_FAILURES <= TRIES
    assert strict.accounts.is_locked("operator", now_ms())


def test_the_right_password_does_not_wipe_out_wrong_codes(strict: Desk) -> None:
    secret, _ = enrol(member(strict, "operator"))
    with browser(strict) as client:
        for _ in range(FREE_FAILURES):
            client.post("/sign-in", data={"name": "operator", "password": PASSWORD})
            client.post("/sign-in/code", data={"code": "123"})
        assert strict.accounts.is_locked("operator", now_ms())
        assert client.post("/sign-in/code", data={"code": code(secret, 1)}).headers["location"] == "/sign-in"


def test_the_right_code_forgets_the_wrong_ones(strict: Desk) -> None:
    _, codes = enrol(member(strict, "operator"))
    for right in codes[:3]:
        with browser(strict) as client:
            for wrong in ("123",) * (FREE_FAILURES - 1):
                client.post("/sign-in", data={"name": "operator", "password": PASSWORD})
                client.post("/sign-in/code", data={"code": wrong})
            assert client.post("/sign-in/code", data={"code": right}).headers["location"] == "/"


def test_codes_cannot_be_tried_through_where_it_is_removed(strict: Desk) -> None:
    client = member(strict, "operator")
    secret, _ = enrol(client)
    csrf = csrf_of(client.get("/second-factor"))
    for _ in range(FREE_FAILURES):
        client.post("/second-factor/remove", data={"csrf": csrf, "code": "123"})
    assert client.post("/second-factor/remove", data={"csrf": csrf, "code": code(secret, 1)}).status_code == 422
    assert strict.accounts.is_locked("operator", now_ms())


def test_a_console_with_another_key_is_told_at_its_start(strict: Desk, tmp_path: Path) -> None:
    enrol(member(strict, "operator"))
    with pytest.raises(SetupError, match="copy it from the console that shares this store"):
        SecondFactor(strict.store, tmp_path / "another")


def test_nobody_comes_in_by_a_code_without_the_password(strict: Desk) -> None:
    with browser(strict) as client:
        assert client.get("/sign-in/code").headers["location"] == "/sign-in"
        assert client.post("/sign-in/code", data={"code": "000000"}).headers["location"] == "/sign-in"


def test_a_new_link_ends_the_second_factor_too(strict: Desk) -> None:
    enrol(member(strict, "operator"))
    administrator = member(strict, "administrator")
    enrol(administrator)
    account = next(one for one in strict.accounts.all() if one.name == "operator")
    administrator.post(f"/accounts/{account.id}/link", data={"csrf": csrf_of(administrator.get("/accounts"))})
    assert not strict.second.enrolled(account.id)


def test_removing_it_asks_for_a_code(strict: Desk) -> None:
    client = member(strict, "operator")
    secret, _ = enrol(client)
    account = next(one for one in strict.accounts.all() if one.name == "operator")
    csrf = csrf_of(client.get("/second-factor"))
    assert client.post("/second-factor/remove", data={"csrf": csrf, "code": "111"}).status_code == 422
    assert strict.second.enrolled(account.id)
    assert client.post("/second-factor/remove", data={"csrf": csrf, "code": code(secret, 1)}).status_code == 303
    assert not strict.second.enrolled(account.id)


def test_a_demo_does_not_require_it(desk: Desk) -> None:
    client = member(desk, "administrator")
    assert client.get("/accounts").status_code == 200


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondFactor]:
    folder = tmp_path_factory.mktemp("second")
    store = SqliteStore(folder / "console.db")
    yield SecondFactor(store, folder)
    store.close()


@settings(max_examples=40, deadline=None)
@given(account=st.uuids(), steps=st.lists(st.integers(-3, 3), min_size=1, max_size=8))
def test_no_code_is_good_twice_and_none_from_far_away(second: SecondFactor, account: object, steps: list[int]) -> None:
    second.forget(str(account))
    secret = second.begin(str(account))
    generator = pyotp.TOTP(secret)
    assert second.confirm(str(account), generator.at(AT // 1000 - 60 * STEP_S), AT - 60 * STEP_S * 1000)
    used = -61
    for step in steps:
        good = abs(step) <= 1 and step > used
        assert second.right(str(account), generator.at(AT // 1000 + step * STEP_S), AT) == good
        used = step if good else used


def test_the_store_holds_no_secret_that_can_be_read(second: SecondFactor, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "console.db")
    own = SecondFactor(store, tmp_path)
    secret = own.begin("a")
    codes = own.confirm("a", pyotp.TOTP(secret).at(AT // 1000), AT)
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("console.db*"))
    assert secret.encode() not in kept
    assert all(one.encode() not in kept for one in codes)
    assert (tmp_path / "second-factor.key").stat().st_mode & 0o077 == 0
    (tmp_path / "second-factor.key").unlink()
    store = SqliteStore(tmp_path / "console.db")
    with pytest.raises(SetupError, match="key"):
        SecondFactor(store, tmp_path).right("a", "000000", AT)
    store.close()
