"""The gateway attacked from its own OpenAPI by schemathesis, with a real Kafka behind it: no request makes it fail.

``SHEKARA_FUZZ_EXAMPLES`` says how many requests for each operation (``make fuzz`` uses 2000).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from starlette.testclient import TestClient

from streams.decode import Decoder
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import Intake
from streams.gateway.tokens import TYPES, Tokens, add
from streams.policy.load import load
from streams.publish.pseudonym import Pseudonyms
from tests.conftest import Kafka

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("SHEKARA_FUZZ_EXAMPLES", "15"))
TOKEN: dict[str, str] = {}


@pytest.fixture(scope="module")
def attacked(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    tokens: Path = tmp_path_factory.mktemp("attacked") / "tokens.json"
    prepared = kafka.settings()
    delivery = Delivery(prepared)
    delivery.require()
    _, TOKEN["token"] = add(tokens, "post:*", TYPES, 1e9)
    intake = Intake(Decoder(load("kz").codes), Pseudonyms(1, bytes(32)))
    served = application(Gateway(Tokens(tokens), intake, delivery, prepared.namespace))
    yield schemathesis.openapi.from_asgi("/v1/openapi.json", served)
    with TestClient(served, raise_server_exceptions=False) as caller:
        assert caller.get("/readyz").status_code == 200, "it still works after all that"
    delivery.close()


schema = schemathesis.pytest.from_fixture("attacked")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_makes_the_gateway_fail(case: Any) -> None:
    headers = {"Authorization": f"Bearer {TOKEN['token']}"}
    answer = case.call(headers=headers)
    case.validate_response(answer, checks=[not_a_server_error])
    assert answer.status_code in {200, 202, 207, 400, 401, 404, 405, 408, 413, 415, 422, 429}, answer.status_code
