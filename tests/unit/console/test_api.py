"""The API's description is the API: every route of it is described, nothing else is, and the description is one."""

from __future__ import annotations

import json

import pytest
import schemathesis
from starlette.testclient import TestClient

from streams.console.app import ways
from streams.console.check import EACH_MINUTE
from streams.console.desk import Desk
from streams.console.openapi import document
from streams.console.pace import Pace
from streams.console.rights import ROLES
from tests.unit.console.conftest import SignIn, browser, csrf_of


def test_every_route_of_the_api_is_described_and_nothing_else(desk: Desk) -> None:
    described = {(path, method.upper()) for path, item in document(desk.policy)["paths"].items() for method in item}
    there = {(way.path, method) for way in ways() if way.path.startswith("/api/") for method in way.methods}
    assert described == there


def test_the_description_is_open_and_an_openapi_document(desk: Desk) -> None:
    with browser(desk) as client:
        text = client.get("/api/openapi.json").text
    assert json.loads(text) == document(desk.policy)
    schema = schemathesis.openapi.from_dict(json.loads(text))
    schema.validate()
    assert "p1-" not in text


@pytest.mark.parametrize("role", ROLES)
def test_a_program_learns_who_it_is_and_its_token(desk: Desk, sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    told = client.get("/api/session").json()
    assert told["role"] == role
    assert told["oblast"] == ("KZ-75" if role == "oblast_operator" else "")
    assert told["csrf"] == csrf_of(client.get("/"))


def test_the_api_refuses_in_words_a_program_reads(desk: Desk, sign_in: SignIn) -> None:
    with browser(desk) as client:
        assert (client.get("/api/alerts").status_code, client.get("/api/alerts").json()["error"]) == (401, "sign_in")
    client = sign_in("auditor")
    assert client.get("/api/alerts").status_code == 403
    client = sign_in("operator")
    for path in ("/api/alerts?rule=nothing", "/api/alerts?before=x", "/api/cases?stage=x", "/api/export?format=exe"):
        answer = client.get(path)
        assert answer.status_code == 422, path
        assert answer.json()["message"]


def test_documents_cannot_be_tried_through(desk: Desk, sign_in: SignIn) -> None:
    client = sign_in("operator")
    csrf = client.get("/api/session").json()["csrf"]
    codes = [check(client, csrf) for _ in range(EACH_MINUTE + 2)]
    assert codes[:EACH_MINUTE] == [422] * EACH_MINUTE
    assert codes[EACH_MINUTE:] == [429, 429]


def check(client: TestClient, csrf: str) -> int:
    answer: int = client.post("/api/check", json={"subject": "nobody"}, headers={"x-csrf-token": csrf}).status_code
    return answer


def test_a_pace_forgets_what_is_past() -> None:
    pace = Pace(2, within_ms=100)
    assert [pace.allows("a", at) for at in (0, 1, 2, 100, 101, 102)] == [True, True, False, True, True, False]
    assert pace.allows("b", 2), "others are not slowed down"
