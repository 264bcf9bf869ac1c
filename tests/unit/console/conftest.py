"""A console without a stack: what needs neither Kafka nor a warehouse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from streams.clock import now_ms
from streams.console.app import application
from streams.console.desk import Desk, furnish
from streams.console.rights import sees_one_oblast
from streams.policy.load import load
from streams.settings import Settings

PASSWORD = "a quiet border at night"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

Client = TestClient
SignIn = Callable[[str], TestClient]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = furnish(Settings(home=tmp_path), load("kz"), demo=True, hasher=CHEAP)
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Desk]:
    """A console that is no demo."""
    made = furnish(Settings(home=tmp_path), load("kz"), hasher=CHEAP)
    yield made
    made.close()


@pytest.fixture
def sign_in(desk: Desk) -> Iterator[SignIn]:
    """Returns a function that makes an account of a role and a browser signed in with it."""
    opened: list[TestClient] = []

    def signed_in(role: str) -> TestClient:
        name = f"{role}-{len(opened)}"
        _, token = desk.accounts.invite(name, role, "KZ-75" if sees_one_oblast(role) else "", now_ms())
        desk.accounts.accept(token, PASSWORD, now_ms())
        client = browser(desk)
        opened.append(client)
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    yield signed_in
    for client in opened:
        client.close()


def browser(desk: Desk) -> TestClient:
    """Returns a browser nobody has signed in with."""
    return TestClient(
        application(desk),
        base_url="http://127.0.0.1",
        follow_redirects=False,
        raise_server_exceptions=False,
        headers={"accept-language": "en"},
    )


def csrf_of(answer: httpx.Response) -> str:
    """Returns the token of the first form on a page."""
    found = re.search(r'name="csrf" value="([^"]*)"', answer.text)
    assert found
    return found[1]
