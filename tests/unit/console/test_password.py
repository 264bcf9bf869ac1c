"""Changing one's own password: the old one proves who asks, wrong ones lock, every other session ends, the audit knows."""

from __future__ import annotations

import httpx
import pytest
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console.accounts import FREE_FAILURES, LOCK_MS
from streams.console.desk import Desk
from streams.console.rights import ROLES
from streams.console.texts import LANGUAGES, VOICES
from streams.errors import UsageError
from tests.unit.console.conftest import PASSWORD, SignIn, browser, csrf_of

NEW = "another quiet border at dawn"


def change(client: TestClient, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> httpx.Response:
    form = {"csrf": csrf_of(client.get("/password")), "old": old, "password": new, "again": new if again is None else again}
    answer: httpx.Response = client.post("/password", data=form)
    return answer


def can_sign_in(desk: Desk, name: str, password: str) -> bool:
    with browser(desk) as client:
        answer: httpx.Response = client.post("/sign-in", data={"name": name, "password": password})
    return answer.status_code == 303


@pytest.mark.parametrize("role", ROLES)
def test_everybody_can_change_their_own_password(desk: Desk, sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    assert change(client).headers["location"] == "/password?done=1"
    assert 'role="status"' in client.get("/password?done=1").text
    assert not can_sign_in(desk, f"{role}-0", PASSWORD)
    assert can_sign_in(desk, f"{role}-0", NEW)


def test_the_change_ends_every_other_session_and_renews_this_one(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    before = client.cookies["shekara_session"]
    with browser(desk) as elsewhere:
        elsewhere.post("/sign-in", data={"name": "operator-0", "password": PASSWORD})
        assert elsewhere.get("/").status_code == 200
        change(client)
        assert elsewhere.get("/").headers["location"] == "/sign-in"
    assert client.get("/").status_code == 200
    assert client.cookies["shekara_session"] != before
    client.cookies.set("shekara_session", before)
    assert client.get("/").headers["location"] == "/sign-in", "a stolen token of before is worth nothing"


def test_a_wrong_old_password_changes_nothing_and_locks_as_at_the_door(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    for _ in range(FREE_FAILURES):
        answer = change(client, old="wrong wrong wrong")
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert change(client).status_code == 422, "even the right one, while the account rests"
    assert not can_sign_in(desk, "operator-0", PASSWORD)
    actions = [line.action for line in desk.audit.lines()]
    assert actions.count("password_change_failed") == FREE_FAILURES - 1
    assert actions.count("password_change_locked") == 2
    account = desk.accounts.all()[0]
    desk.accounts.change(account.id, PASSWORD, NEW, now_ms() + LOCK_MS)


@pytest.mark.parametrize(
    ("new", "again", "sentence"),
    [
        (NEW, NEW + "x", "differ"),
        ("short", "short", "too short"),
        ("Password-2026!", "Password-2026!", "too easy"),
        ("operator-0 operator-0", "operator-0 operator-0", "too easy"),
        (PASSWORD, PASSWORD, "must differ"),
    ],
)
def test_a_new_password_that_will_not_do_is_refused_with_the_reason(
    desk: Desk, sign_in: SignIn, new: str, again: str, sentence: str
) -> None:
    client = sign_in("operator")
    answer = change(client, new=new, again=again)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert can_sign_in(desk, "operator-0", PASSWORD)


def test_the_change_is_in_the_audit_and_no_password_is_anywhere(
    desk: Desk, sign_in: SignIn, capsys: pytest.CaptureFixture[str]
) -> None:
    client = sign_in("operator")
    page = change(client, old="wrong wrong wrong").text
    change(client)
    account = desk.accounts.all()[0]
    changed = [line for line in desk.audit.lines() if line.action == "password_changed"]
    assert [(line.actor, line.object) for line in changed] == [(account.officer, account.id)]
    said = capsys.readouterr()
    kept = str([desk.store.rows(f"SELECT * FROM {table}") for table in ("account", "audit", "session")])  # noqa: S608
    for secret in (PASSWORD, NEW, "wrong wrong wrong"):
        assert secret not in page + said.out + said.err + kept


def test_two_changes_at_once_are_one(desk: Desk, sign_in: SignIn) -> None:
    """The second one's old password is no longer the old one."""
    sign_in("operator")
    account = desk.accounts.all()[0]
    desk.accounts.change(account.id, PASSWORD, NEW, now_ms())
    with pytest.raises(UsageError, match=r"password\.wrong"):
        desk.accounts.change(account.id, PASSWORD, "a third long sentence", now_ms())


def test_an_open_link_ends_with_the_change(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    account = desk.accounts.all()[0]
    assert change(client).status_code == 303
    assert desk.store.rows("SELECT * FROM invitation WHERE account_id = ?", account.id) == []


def test_the_form_needs_the_token_and_has_a_pace(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    form = {"old": PASSWORD, "password": NEW, "again": NEW}
    assert client.post("/password", data=form).status_code == 403
    codes = [change(client, new="short").status_code for _ in range(11)]
    assert codes.count(429) >= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_every_language(desk: Desk, sign_in: SignIn, language: str) -> None:
    client = sign_in("operator")
    client.post("/language", data={"csrf": csrf_of(client.get("/")), "language": language, "back": "/password"})
    text = client.get("/password").text
    for key in ("password.title", "password.old", "password.new", "password.ends", "setup.hint"):
        assert VOICES[language](key) in text
    assert f'lang="{language}"' in text
