"""An OpenID Connect provider of its own process, for tests: Authlib's server side over loopback HTTP.

It asks who somebody is with a form, as any provider does, checks client, redirect address and PKCE, and gives a code once.
`PUT /bend` makes it lie in one respect, so that a test can see whether the console notices.

    python -m tests.contract.oidc_provider PORT [DIRECTORY OF server.crt AND server.key]
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

CLIENT_ID = "shekara-console"
CLIENT_SECRET = "a-secret-of-the-client"
ISSUED_FOR_S = 300


@dataclass(frozen=True)
class Running:
    """A running provider.

    Attributes:
        issuer: its URL.
    """

    issuer: str

    def people(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Says whom it knows, with which claims."""
        httpx.put(f"{self.issuer}/people", json=dict(people)).raise_for_status()

    def bend(self, **how: Any) -> None:
        """Makes it lie from now on; without anything: tell the truth again."""
        httpx.put(f"{self.issuer}/bend", json=how).raise_for_status()

    def rotate(self) -> None:
        """Gives it another key."""
        httpx.put(f"{self.issuer}/rotate", json={}).raise_for_status()

    def consent(self, url: str, who: str) -> str:
        """Signs somebody in at the address the console sent the browser to; returns where the browser is sent back to."""
        answer = httpx.post(url, data={"person": who})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextmanager
def provider(tls: Path | None = None) -> Iterator[Running]:
    """Runs one on a free loopback port.

    Args:
        tls: the directory of server.crt and server.key; none: http.
    """
    from tests.contract.clickhouse import free_ports

    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.oidc_provider", str(port), *([str(tls)] if tls else [])],
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
    )
    running = Running(f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline, "the provider did not answer"
            try:
                httpx.get(f"{running.issuer}/.well-known/openid-configuration", verify=False).raise_for_status()  # noqa: S501
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class _Code:
    """A code given out, as Authlib wants it."""

    code: str
    redirect_uri: str
    scope: str
    person: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int | None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class _Client:
    """The one client there is."""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri.startswith("http://127.0.0.1") and uri.endswith("/sign-in/provider/back")

    def check_client_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret, CLIENT_SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic" or endpoint != "token"

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


@dataclass
class _World:
    """What the provider knows."""

    issuer: str
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    bend: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    key: Any = None
    other: Any = None

    def rotate(self) -> None:
        from joserfc.jwk import RSAKey

        self.key, self.other = (
            RSAKey.generate_key(2048, {"kid": f"{name}-{secrets.token_hex(4)}", "use": "sig"}) for name in ("key", "other")
        )


def _bent(world: _World, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """Returns the ID token, with whatever it was told to get wrong; written by hand, for a library would refuse to."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    bend = world.bend
    claims = {name: value for name, value in (claims | bend.get("claims", {})).items() if name not in bend.get("drop", [])}
    for name, seconds in bend.get("shift", {}).items():
        claims[name] = int(time.time()) + seconds
    how = bend.get("sign", "")
    header |= {"alg": how if how in ("none", "HS256") else "RS256"} | bend.get("header", {})
    content = b".".join(_url64(json.dumps(one).encode()) for one in (header, claims))
    match how:
        case "none":
            signature = b""
        case "HS256":
            # The oldest trick: the public key, which everybody has, as the secret of a symmetric signature.
            signature = hmac.digest(world.key.as_pem(private=False), content, "sha256")
        case _:
            key = world.other if how == "other_key" else world.key
            signature = key.private_key.sign(content, PKCS1v15(), SHA256())
    return (content + b"." + _url64(signature)).decode()


def _url64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def application(issuer: str) -> Any:
    """Returns the ASGI application."""
    from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Payload, OAuth2Request
    from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
    from authlib.oauth2.rfc6750 import BearerTokenGenerator
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core.grants import OpenIDCode
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    world = _World(issuer)
    world.rotate()

    class Payload(OAuth2Payload):  # type: ignore[misc]
        def __init__(self, content: list[tuple[str, str]]) -> None:
            self._content = content

        @property
        def data(self) -> dict[str, str]:
            return dict(self._content)

        @property
        def datalist(self) -> defaultdict[str, list[str]]:
            found: defaultdict[str, list[str]] = defaultdict(list)
            for name, value in self._content:
                found[name].append(value)
            return found

    class Asked(OAuth2Request):  # type: ignore[misc]
        def __init__(self, request: Request, form: list[tuple[str, str]]) -> None:
            super().__init__(request.method, str(request.url), headers=request.headers)
            self._query = list(request.query_params.multi_items())
            self._fields = form
            self.payload = Payload([*self._query, *form])

        @property
        def args(self) -> dict[str, str]:
            return dict(self._query)

        @property
        def form(self) -> dict[str, str]:
            return dict(self._fields)

    class Server(AuthorizationServer):  # type: ignore[misc]
        def query_client(self, client_id: str) -> _Client | None:
            return _Client() if client_id == CLIENT_ID else None

        def save_token(self, token: Any, request: Any) -> None:
            pass

        def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
            pass

        def create_oauth2_request(self, request: Any) -> Any:
            return request

        def handle_response(self, status: int, body: Any, headers: Any) -> Response:
            content = json.dumps(body) if isinstance(body, dict) else body
            return Response(content, status, dict(headers))

    class Codes(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            world.nonces.add(data["nonce"])
            world.codes[code] = _Code(
                code, data["redirect_uri"], request.scope, request.user,
                data.get("nonce"), data.get("code_challenge"), data.get("code_challenge_method"),
            )  # fmt: skip

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            return world.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del world.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> str:
            return authorization_code.person

    class Tokens(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return nonce in world.nonces

        def get_client_claims(self, client: _Client) -> dict[str, Any]:
            return {"iss": world.issuer, "aud": CLIENT_ID, "exp": int(time.time()) + ISSUED_FOR_S}

        def generate_user_info(self, user: str, scope: str) -> dict[str, Any]:
            return {"sub": user} | world.people[user]

        def encode_id_token(self, token: Any, request: Any) -> str:
            claims = self.get_compatible_claims(request) | self.get_authorization_code_claims(request.authorization_code)
            claims |= self.generate_user_info(request.user, token["scope"])
            return _bent(world, claims, {"alg": "RS256", "kid": world.key.kid})

    server = Server()
    server.register_token_generator("default", BearerTokenGenerator(lambda **_: secrets.token_urlsafe(32)))
    server.register_grant(Codes, [CodeChallenge(required=True), Tokens(require_nonce=True)])

    async def description(_: Request) -> Response:
        content = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "end_session_endpoint": f"{issuer}/end",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return JSONResponse(content | world.bend.get("description", {}))

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [{"kty": "oct", "k": "AAAA", "kid": "x"}, world.key.as_dict(private=False)]})

    async def authorize(request: Request) -> Response:
        form = await request.form()
        asked = Asked(request, [])
        try:
            grant = server.get_consent_grant(asked, None)
        except OAuth2Error as error:
            return PlainTextResponse(f"{error.error}: {error.description}", 400)
        if request.method == "GET":
            return HTMLResponse(_FORM)
        who = str(form.get("person", ""))
        return server.create_authorization_response(asked, who if who in world.people else None, grant)  # type: ignore[no-any-return]

    async def token(request: Request) -> Response:
        if world.bend.get("down"):
            return PlainTextResponse("", 503)
        form = await request.form()
        fields = [(name, str(value)) for name, value in form.multi_items()]
        return server.create_token_response(Asked(request, fields))  # type: ignore[no-any-return]

    async def end(request: Request) -> Response:
        return HTMLResponse(f"<title>Signed out</title><h1>Signed out</h1><a href='{_back(request)}'>back</a>")

    def _back(request: Request) -> str:
        back = request.query_params.get("post_logout_redirect_uri", "")
        return back if back.startswith("http://127.0.0.1") else ""

    async def put(request: Request) -> Response:
        content = await request.json()
        match request.url.path:
            case "/people":
                world.people = content
            case "/bend":
                world.bend = content
            case _:
                world.rotate()
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", description),
            Route("/jwks", jwks),
            Route("/authorize", authorize, methods=["GET", "POST"]),
            Route("/token", token, methods=["POST"]),
            Route("/end", end),
            *(Route(path, put, methods=["PUT"]) for path in ("/people", "/bend", "/rotate")),
        ]
    )


_FORM = """<!doctype html><html lang="en"><title>The organisation's sign-in</title><h1>Who are you?</h1>
<form method="post"><label>Name <input id="person" name="person"></label><button>Sign in</button></form></html>"""


if __name__ == "__main__":
    import uvicorn

    number, folder = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    files = {"ssl_certfile": f"{folder}/server.crt", "ssl_keyfile": f"{folder}/server.key"} if folder else {}
    served = application(f"{'https' if folder else 'http'}://127.0.0.1:{number}")
    uvicorn.run(served, host="127.0.0.1", port=number, log_level="warning", **files)  # type: ignore[arg-type]
