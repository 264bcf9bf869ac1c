"""The API over a running stack, attacked from its own description; SCHEMATHESIS_EXAMPLES=500 for longer."""

from __future__ import annotations

import contextlib
import os
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as held

from tests.browser.conftest import Running, poll

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    held.status_code_conformance,
    held.content_type_conformance,
    held.response_schema_conformance,
    held.negative_data_rejection,
]


def signed_in(demo: Running, name: str) -> httpx.Client:
    client = httpx.Client(base_url=demo.stack.console_url, headers={"accept-language": "en"}, timeout=30)
    assert client.post("/sign-in", data={"name": name, "password": demo.password}).status_code == 303
    client.headers["x-csrf-token"] = client.get("/api/session").json()["csrf"]
    return client


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("role", ["operator", "oblast-operator"])
def test_the_api_does_what_its_description_says_whatever_is_sent(demo: Running, role: str, mode: GenerationMode) -> None:
    with contextlib.closing(signed_in(demo, role)) as client:
        schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
        schema.config.update(base_url=demo.stack.console_url)
        # Who asks is the matrix's business (tests/unit/console/test_entry.py); here everybody is signed in.
        schema.config.generation.with_security_parameters = False
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        poll(lambda: client.post("/api/check", json={"country": "UZB", "document": "AB12345"}).status_code == 200, each_s=0.5)
        headers = {"cookie": cookie, "x-csrf-token": client.headers["x-csrf-token"]}
        for found in schema.get_all_operations():
            attack(cast("Any", found).ok(), headers, mode)
        assert client.get("/api/session").json()["name"] == role, "it still stands"


def attack(operation: Any, headers: dict[str, str], mode: GenerationMode) -> None:
    """Sends generated requests to one operation and holds every answer to the description."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES < 100,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        each()
    except schemathesis.errors.InvalidSchema:
        raise
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:  # nothing negative can be said of an operation without parameters
            raise
