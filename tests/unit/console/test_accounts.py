"""Laws of accounts, links and sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.console.accounts import FREE_FAILURES, INVITATION_MS, LOCK_MS, Account
from streams.console.desk import Desk, furnish
from streams.console.serving import demo_accounts, first_link
from streams.console.sessions import IDLE_MS, LONGEST_MS
from streams.errors import SetupError, UsageError
from streams.policy.load import load
from streams.settings import Settings
from tests.unit.console.conftest import CHEAP, PASSWORD

NOW = 1_700_000_000_000


def made(desk: Desk, name: str = "aigerim") -> Account:
    account, token = desk.accounts.invite(name, "operator", "", NOW)
    desk.accounts.accept(token, PASSWORD, NOW)
    return account


def test_a_link_sets_one_password_once(desk: Desk) -> None:
    _, token = desk.accounts.invite("aigerim", "operator", "", NOW)
    desk.accounts.accept(token, PASSWORD, NOW)
    with pytest.raises(UsageError, match=r"setup\.bad_link"):
        desk.accounts.accept(token, "another long sentence", NOW)
    assert desk.accounts.let_in("Aigerim ", PASSWORD, NOW).name == "aigerim"


def test_a_link_ends_after_a_day(desk: Desk) -> None:
    _, token = desk.accounts.invite("aigerim", "operator", "", NOW)
    assert desk.accounts.invited(token, NOW + INVITATION_MS - 1)
    assert desk.accounts.invited(token, NOW + INVITATION_MS) is None


def test_an_account_without_a_password_lets_nobody_in(desk: Desk) -> None:
    desk.accounts.invite("aigerim", "operator", "", NOW)
    with pytest.raises(UsageError):
        desk.accounts.let_in("aigerim", "", NOW)


def test_wrong_passwords_lock_the_account_and_time_opens_it(desk: Desk) -> None:
    made(desk)
    for _ in range(FREE_FAILURES):
        with pytest.raises(UsageError):
            desk.accounts.let_in("aigerim", "wrong wrong wrong", NOW)
    with pytest.raises(UsageError):
        desk.accounts.let_in("aigerim", PASSWORD, NOW + LOCK_MS - 1)
    assert desk.accounts.let_in("aigerim", PASSWORD, NOW + LOCK_MS)


def test_a_right_password_forgets_the_wrong_ones(desk: Desk) -> None:
    made(desk)
    for _ in range(3):
        for _ in range(FREE_FAILURES - 1):
            with pytest.raises(UsageError):
                desk.accounts.let_in("aigerim", "wrong wrong wrong", NOW)
        assert desk.accounts.let_in("aigerim", PASSWORD, NOW)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "too_short"),
        ("x" * 201, "too_long"),
        ("Password-2026!", "too_easy"),
        ("aaaaaaaaaaaaaa", "too_easy"),
        ("aigerim aigerim", "too_easy"),
        ("123412345678", "too_easy"),
    ],
)
def test_passwords_easy_to_guess_are_refused(desk: Desk, password: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        desk.accounts.hash("aigerim", password)


@pytest.mark.parametrize(("role", "oblast"), [("king", ""), ("operator", "KZ-75"), ("oblast_operator", "")])
def test_only_an_oblast_operator_has_an_oblast(desk: Desk, role: str, oblast: str) -> None:
    with pytest.raises(UsageError, match="bad_role"):
        desk.accounts.invite("aigerim", role, oblast, NOW)


def test_a_session_ends_when_idle_and_after_a_shift(desk: Desk) -> None:
    account = made(desk)
    token = desk.sessions.begin(account, NOW)
    assert desk.sessions.find(token, NOW + IDLE_MS)
    assert desk.sessions.find(token, NOW + 2 * IDLE_MS), "the look above counts as a sign of life"
    assert desk.sessions.find(token, NOW + 4 * IDLE_MS) is None
    token = desk.sessions.begin(account, NOW)
    for at in range(NOW, NOW + LONGEST_MS, IDLE_MS // 2):
        assert desk.sessions.find(token, at)
    assert desk.sessions.find(token, NOW + LONGEST_MS + 1) is None


def test_a_disabled_account_is_out_at_once(desk: Desk) -> None:
    account = made(desk)
    token = desk.sessions.begin(account, NOW)
    desk.accounts.disable(account.id, disabled=True)
    assert desk.sessions.find(token, NOW) is None
    with pytest.raises(UsageError):
        desk.accounts.let_in("aigerim", PASSWORD, NOW)


def test_the_store_holds_no_password_and_no_token(desk: Desk) -> None:
    account = made(desk)
    token = desk.sessions.begin(account, NOW)
    _, invitation = desk.accounts.invite("second", "operator", "", NOW)
    content = str([desk.store.rows(f"SELECT * FROM {table}") for table in ("account", "session", "invitation")])  # noqa: S608
    assert all(secret not in content for secret in (PASSWORD, token, invitation))
    assert "$argon2id$" in content


def test_the_first_start_gives_a_link_until_somebody_has_a_password(desk: Desk) -> None:
    first = first_link(desk, "http://127.0.0.1:1")
    second = first_link(desk, "http://127.0.0.1:1")
    assert first.startswith("http://127.0.0.1:1/setup?token=")
    assert first != second
    token = second.partition("=")[2]
    from streams.clock import now_ms

    assert desk.accounts.invited(first.partition("=")[2], now_ms()) is None
    desk.accounts.accept(token, PASSWORD, now_ms())
    assert first_link(desk, "http://127.0.0.1:1") == ""


def test_demo_accounts_exist_only_in_a_demo(desk: Desk) -> None:
    path = demo_accounts(desk)
    assert path.stat().st_mode & 0o777 == 0o600
    password = path.read_text().strip()
    assert demo_accounts(desk) == path
    assert path.read_text().strip() == password
    desk.demo = False
    with pytest.raises(SetupError):
        demo_accounts(desk)


def test_a_store_is_an_invented_countrys_or_a_real_ones_once_somebody_can_sign_in(tmp_path: Path) -> None:
    settings, policy = Settings(home=tmp_path), load("kz")
    furnish(settings, policy, demo=True, hasher=CHEAP).close()
    real = furnish(settings, policy, hasher=CHEAP)
    made(real)
    real.close()
    with pytest.raises(SetupError, match="real; this stack's is invented"):
        furnish(settings, policy, demo=True, hasher=CHEAP)
    furnish(settings, policy, hasher=CHEAP).close()
