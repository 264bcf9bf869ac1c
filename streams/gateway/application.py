"""The gateway's web application: who asks, how much at once, and what to answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams import __version__, metrics
from streams.clock import monotonic_s
from streams.errors import SetupError, ShekaraError
from streams.gateway import openapi, restproxy
from streams.gateway.delivery import BusyError, Delivery
from streams.gateway.intake import MEDIA, BodyError, Intake
from streams.gateway.limits import BODY_S, MAX_REQUESTS, Rates, body_of
from streams.gateway.publishing import Publishing, Result
from streams.gateway.tokens import Token, Tokens
from streams.wire import avro
from streams.wire.topics import TOPICS

log = structlog.get_logger(__name__)

Handler = Callable[[Request, Token], Awaitable[Response]]
_NO_STORE = {"Cache-Control": "no-store"}
_NOT_NOW = "So much waits for Kafka that nothing more is taken for the moment. Nothing was published; send the same again."


@dataclass(slots=True)
class Gateway:
    """What the application needs.

    Attributes:
        tokens: who may send what.
        intake: reads and checks.
        delivery: to Kafka.
        namespace: prefix of the topics.
        publishing: publishes once.
        rates: events a second by token.
        busy: requests under way.
    """

    tokens: Tokens
    intake: Intake
    delivery: Delivery
    namespace: str
    publishing: Publishing = field(init=False)
    rates: Rates = field(default_factory=Rates)
    busy: int = 0

    def __post_init__(self) -> None:
        self.publishing = Publishing(self.delivery)

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Returns a route that asks for a token, holds the limits, and turns what goes wrong into an answer."""

        async def route(request: Request) -> Response:
            began_s = monotonic_s()
            response = await self._answer(request, handler)
            metrics.GATEWAY_REQUESTS.labels(str(response.status_code)).inc()
            metrics.GATEWAY_SECONDS.observe(monotonic_s() - began_s)
            return response

        return route

    async def _answer(self, request: Request, handler: Handler) -> Response:
        try:
            token = self._token(request)
        except SetupError as error:
            return problem(503, str(error), retry_s=5)
        if token is None:
            return problem(401, "Expected 'Authorization: Bearer <token>' with a token of this gateway.")
        wait_s = self.rates.wait_s(token)
        if wait_s:
            return problem(429, f"This token may send {token.per_second:g} events a second on average.", retry_s=wait_s)
        if self.busy >= MAX_REQUESTS:
            return problem(429, _NOT_NOW, retry_s=1)
        self.busy += 1
        try:
            return await handler(request, token)
        except BodyError as error:
            return problem(error.status, error.detail)
        except TimeoutError:
            return problem(408, f"Expected the whole body within {BODY_S:.0f} s.")
        except ClientDisconnect:
            return problem(400, "The connection ended before the body did.")
        except BusyError:
            return problem(429, _NOT_NOW, retry_s=1)
        except ShekaraError as error:
            # The vault did not take a document. Our own sentences hold no data; the caller needs to know only what to do.
            log.warning("request failed", error=type(error).__name__, what=error.what)
            return problem(
                503, "What the documents' vault must keep could not be kept. Nothing was published; send it again.", retry_s=5
            )
        finally:
            self.busy -= 1

    def _token(self, request: Request) -> Token | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return self.tokens.find(value.strip()) if scheme.lower() == "bearer" else None

    async def events(self, request: Request, token: Token) -> Response:
        """``POST /v1/events``."""
        media = _media(request)
        if media not in MEDIA:
            return problem(415, f"Expected Content-Type {', '.join(MEDIA)}; came {media[:80] or 'none'}.")
        body = await _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        items = await run_in_threadpool(self.intake.read, body, media, headers, token)
        self.rates.spend(token, len(items))
        if self.intake.has_to_keep(items):
            await run_in_threadpool(self.intake.keep, items)
        results = await self.publishing.publish(items)
        counts = {status: sum(result.status == status for result in results) for status in _STATUSES}
        answer = counts | {"items": [result.plain(index) for index, result in enumerate(results)]}
        status = _status(results)
        return JSONResponse(answer, status, _NO_STORE | ({"Retry-After": "5"} if status == 503 else {}))

    async def produce(self, request: Request, token: Token) -> Response:
        """``POST /topics/{topic}``, as REST Proxy v2 has it."""
        named = request.path_params["topic"]
        topic = next((one for one in TOPICS if one.role == "input" and one.name(self.namespace) == named), None)
        if topic is None:
            return _proxy_error(404, 40401, "Topic not found: expected one of our input topics.")
        media = _media(request)
        if not restproxy.is_ours(media):
            return _proxy_error(415, 415, f"Expected Content-Type {restproxy.BINARY} or {restproxy.JSON}.")
        body = await _body(request)
        try:
            items = await run_in_threadpool(restproxy.items, body, media, topic, self.intake, token)
        except BodyError as error:
            return _proxy_error(error.status, error.status * 100 + 1, error.detail)
        self.rates.spend(token, len(items))
        if self.intake.has_to_keep(items):
            await run_in_threadpool(self.intake.keep, items)
        results = await self.publishing.publish(items)
        return Response(json.dumps(restproxy.answer(results)), 200, _NO_STORE, restproxy.ANSWER)


_STATUSES = {"accepted": 0, "duplicate": 0, "refused": 0, "failed": 0}


def _status(results: list[Result]) -> int:
    found = {result.status for result in results}
    if "failed" in found:
        return 503
    if "refused" not in found:
        return 202
    return 422 if found == {"refused"} else 207


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _body(request: Request) -> bytes:
    async with asyncio.timeout(BODY_S):
        return await body_of(request.stream(), request.headers.get("content-length", ""))


def problem(status: int, detail: str, *, retry_s: int = 0) -> Response:
    """Returns an answer as RFC 9457 has it."""
    headers = dict(_NO_STORE)
    if retry_s:
        headers["Retry-After"] = str(retry_s)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(json.dumps(body), status, headers, "application/problem+json")


def _proxy_error(status: int, code: int, message: str) -> Response:
    return Response(json.dumps({"error_code": code, "message": message}), status, _NO_STORE, restproxy.ANSWER)


def application(gateway: Gateway) -> Starlette:
    """Returns the web application."""
    document = openapi.document(gateway.namespace, __version__)

    async def schemas(_: Request) -> Response:
        found = [
            {"id": number, "name": codec.version.name, "version": codec.version.version, "fingerprint": codec.header[2:].hex()}
            for number, codec in sorted(avro.codecs().by_id.items())
        ]
        return JSONResponse({"schemas": found})

    async def schema(request: Request) -> Response:
        if request.path_params["name"] not in avro.KINDS:
            return problem(404, f"Expected an event type: {', '.join(avro.KINDS)}.")
        return JSONResponse(dict(avro.schema_of(request.path_params["name"])))

    async def schema_by_id(request: Request) -> Response:
        codec = avro.codecs().by_id.get(request.path_params["number"])
        if codec is None:
            return _proxy_error(404, 40403, "Schema not found")
        return JSONResponse({"schema": json.dumps(codec.version.document)})

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def readyz(_: Request) -> Response:
        trouble = gateway.delivery.trouble
        return PlainTextResponse(f"{trouble or 'ok'}\n", 503 if trouble else 200, _NO_STORE)

    async def figures(_: Request) -> Response:
        metrics.GATEWAY_IN_FLIGHT.set(gateway.delivery.in_flight)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def described(_: Request) -> Response:
        return JSONResponse(document)

    async def unknown(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for it alone
        return problem(error.status_code, "See /v1/openapi.json for what this gateway answers.")

    async def failed(_: Request, __: Exception) -> Response:
        return problem(500, "A bug of ours. Nothing is known to be published; send the same again later.", retry_s=30)

    return Starlette(
        routes=[
            Route("/v1/events", gateway.guarded(gateway.events), methods=["POST"]),
            Route("/topics/{topic}", gateway.guarded(gateway.produce), methods=["POST"]),
            Route("/v1/schemas", schemas),
            Route("/v1/schemas/{name}", schema),
            Route("/schemas/ids/{number:int}", schema_by_id),
            Route("/v1/openapi.json", described),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", figures),
        ],
        exception_handlers={HTTPException: unknown, Exception: failed},
    )
