"""The gateway attacked over HTTP from its own OpenAPI by schemathesis, with a real Kafka behind it: no request makes it fail.

``SHEKARA_FUZZ_EXAMPLES`` says how many requests for each operation and kind (``make fuzz`` uses 2000).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as held

from streams.clock import monotonic_s
from streams.decode import Decoder
from streams.gateway.application import Gateway, application
from streams.gateway.delivery import Delivery
from streams.gateway.intake import Intake
from streams.gateway.openapi import document
from streams.gateway.serve import Listening, Server
from streams.gateway.tokens import TYPES, Tokens, add
from streams.policy.load import load
from streams.publish.holder import Holders
from streams.publish.pseudonym import Pseudonyms
from tests.conftest import Kafka
from tests.integration.test_gateway import Caller

pytestmark = pytest.mark.integration

EXAMPLES = int(os.environ.get("SHEKARA_FUZZ_EXAMPLES", "15"))
CHECKS = [
    not_a_server_error,
    held.status_code_conformance,
    held.content_type_conformance,
    held.response_schema_conformance,
]
OPERATIONS = [(path, method) for path, methods in document("n", "0")["paths"].items() for method in methods if path != "/readyz"]
"""``/readyz`` may say 503 on a busy machine, which is what it is for: it is asked at the end."""


@pytest.fixture(scope="module")
def attacked(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    tokens: Path = tmp_path_factory.mktemp("attacked") / "tokens.json"
    prepared = kafka.settings()
    _, token = add(tokens, "post:*", TYPES, 1e9)
    codes = load("kz").codes
    intake = Intake(Decoder(codes), Holders(lambda: Pseudonyms(1, bytes(32)), frozenset(codes.countries)))
    with contextlib.closing(Delivery(prepared)) as delivery:
        delivery.require()
        gateway = Gateway(Tokens(tokens), intake, delivery, prepared.namespace)
        with contextlib.closing(Server(application(gateway), Listening())) as server:
            caller = Caller(server.url, token)
            yield caller
            deadline = monotonic_s() + 60
            while caller.ask("GET", "/readyz")[0] != 200:
                assert monotonic_s() < deadline, "it does not work any more after all that"
            assert gateway.busy == 0
            assert delivery.in_flight == 0


@pytest.mark.timeout(3600 if EXAMPLES > 100 else 300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_makes_the_gateway_fail_or_say_what_it_does_not_describe(
    attacked: Caller, path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(attacked.ask("GET", "/v1/openapi.json")[2])
    schema.config.update(base_url=attacked.at.geturl())
    schema.config.generation.with_security_parameters = False
    headers = {"Authorization": f"Bearer {attacked.token}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES < 100,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cast("Any", schema)[path][method.upper()].as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    try:
        each()
    except schemathesis.errors.InvalidSchema:
        raise
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:  # nothing negative can be said of an operation without parameters
            raise
