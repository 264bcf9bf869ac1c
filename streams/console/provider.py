"""An organisation's own sign-in: OpenID Connect, authorization code with PKCE (ADR 0141).

What a browser must bring back lies in its cookie alone: state, nonce and the PKCE verifier are derived from one random token, of
which the store keeps a digest, so that an attempt can be finished once and on any console of the store.

**Source**: OpenID Connect Core 1.0 (3.1), Discovery 1.0; RFC 7636 (PKCE), RFC 9207 (issuer in the answer), RFC 9700 (security).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc.jwk import KeySet

from streams.console.accounts import digest_of
from streams.console.id_token import Expected, NotAccepted, claims_of, key_set
from streams.console.provider_roles import Post, post_of, posts
from streams.console.store import Store
from streams.errors import DependencyError, SetupError
from streams.settings import Settings

ATTEMPT_MS = 10 * 60_000
"""So long a sign-in at the provider may take."""
_METADATA_MS = 3_600_000
_KEYS_AGAIN_MS = 30_000
"""A signature by an unknown key makes us ask for the keys again, not more often."""
_ANSWER_S = 8.0
_LONGEST_CODE = 2_048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NEXT = "Look at SHEKARA_CONSOLE_OIDC_ISSUER and at the provider."


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says somebody is.

    Attributes:
        issuer: who says so.
        subject: under which name that never changes.
        name: what they are called; may change, proves nothing.
        post: what they may be here; a key of the texts says why nothing.
    """

    issuer: str
    subject: str
    name: str
    post: Post | str


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What we use of the provider's description of itself."""

    authorization: str
    token: str
    keys: str
    end_session: str
    by_post: bool
    names_issuer: bool


class Provider:
    """One provider.

    Args:
        settings: issuer, client, mapping of roles.
        store: where attempts are kept.
        oblasts: codes of the oblasts there are.

    Raises:
        SetupError: the settings will not do. Whether the provider answers is not asked here: local accounts must work without it.
    """

    def __init__(self, settings: Settings, store: Store, oblasts: Iterable[str]) -> None:
        self.issuer = settings.console_oidc_issuer
        self._client_id = settings.console_oidc_client_id
        if not is_safe(self.issuer):
            raise SetupError(
                "SHEKARA_CONSOLE_OIDC_ISSUER: expected https://… without a question mark.", "Only on loopback http will do."
            )
        if not self._client_id:
            raise SetupError("SHEKARA_CONSOLE_OIDC_CLIENT_ID is missing.", "It is the name the provider knows this console by.")
        self._secret = _secret(settings)
        self._scope = settings.console_oidc_scope
        self._claim = settings.console_oidc_claim
        self._posts = posts(settings.console_oidc_roles, oblasts)
        self._store = store
        self._lock = threading.Lock()
        self._metadata: tuple[_Metadata, int] | None = None
        self._keys: tuple[KeySet, int] | None = None
        self._http = httpx.Client(timeout=_ANSWER_S, follow_redirects=False, headers={"accept": "application/json"})

    @property
    def host(self) -> str:
        """Returns what the provider is called on our pages."""
        return urlsplit(self.issuer).netloc

    def begin(self, return_to: str, at: int) -> tuple[str, str]:
        """Begins a sign-in.

        Args:
            return_to: our address the provider sends the browser back to.
            at: UTC epoch ms.

        Returns:
            The browser's token, and where to send it.

        Raises:
            DependencyError: the provider does not answer.
            NotAccepted: what it says of itself will not do.
        """
        found = self._described(at)
        token = secrets.token_urlsafe(32)
        with self._store.writing() as writer:
            writer.run("DELETE FROM provider_attempt WHERE until_at <= ?", at)
            writer.run("INSERT INTO provider_attempt VALUES (?, ?)", digest_of(token), at + ATTEMPT_MS)
        question = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": return_to,
            "scope": self._scope,
            "state": _derived(token, "state"),
            "nonce": _derived(token, "nonce"),
            "code_challenge": _url64(sha256(_derived(token, "verifier").encode()).digest()),
            "code_challenge_method": "S256",
        }
        return token, f"{found.authorization}{'&' if '?' in found.authorization else '?'}{urlencode(question)}"

    def finish(self, token: str, answer: Mapping[str, str], return_to: str, at: int) -> Person:
        """Ends a sign-in; an attempt can be ended once.

        Args:
            token: the browser's.
            answer: what the provider sent the browser back with.
            return_to: as it was given to `begin`.
            at: UTC epoch ms.

        Raises:
            DependencyError: the provider does not answer.
            NotAccepted: anything about its answer does not hold.
        """
        if not token or not hmac.compare_digest(answer.get("state", "").encode(), _derived(token, "state").encode()):
            raise NotAccepted("state")
        with self._store.writing() as writer:
            if not writer.run("DELETE FROM provider_attempt WHERE digest = ? AND until_at > ?", digest_of(token), at):
                raise NotAccepted("state")
        found = self._described(at)
        named = answer.get("iss", "")
        if (named or found.names_issuer) and named != self.issuer:
            raise NotAccepted("issuer")
        if answer.get("error"):
            raise NotAccepted("denied")
        code = answer.get("code", "")
        if not 0 < len(code) <= _LONGEST_CODE:
            raise NotAccepted("code")
        id_token = self._exchange(found, code, _derived(token, "verifier"), return_to)
        claims = self._claims(found, id_token, Expected(self.issuer, self._client_id, _derived(token, "nonce"), at // 1000), at)
        name = next((claims[one] for one in ("preferred_username", "email", "name") if isinstance(claims.get(one), str)), "")
        return Person(self.issuer, claims["sub"], name, post_of(claims, self._claim, self._posts))

    def end_session_url(self, return_to: str) -> str:
        """Returns where a browser signs out at the provider too; empty if the provider has no such place or was not asked yet."""
        with self._lock:
            kept = self._metadata
        if kept is None or not kept[0].end_session:
            return ""
        question = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": return_to})
        return f"{kept[0].end_session}{'&' if '?' in kept[0].end_session else '?'}{question}"

    def close(self) -> None:
        """Gives back the connections."""
        self._http.close()

    def _described(self, at: int) -> _Metadata:
        with self._lock:
            if self._metadata is not None and at - self._metadata[1] < _METADATA_MS:
                return self._metadata[0]
        content = self._asked(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if content.get("issuer") != self.issuer:
            raise NotAccepted("issuer")
        end = _place(content, "end_session_endpoint")
        ways = content.get("token_endpoint_auth_methods_supported")
        found = _Metadata(
            _place(content, "authorization_endpoint"),
            _place(content, "token_endpoint"),
            _place(content, "jwks_uri"),
            end,
            isinstance(ways, list) and "client_secret_basic" not in ways,
            content.get("authorization_response_iss_parameter_supported") is True,
        )
        if not (found.authorization and found.token and found.keys):
            raise NotAccepted("description")
        with self._lock:
            self._metadata = (found, at)
        return found

    def _exchange(self, found: _Metadata, code: str, verifier: str, return_to: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": return_to,
            "code_verifier": verifier,
        }
        basic: httpx.Auth = httpx.Auth()  # none
        if self._secret and not found.by_post:
            basic = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret))
        else:
            form["client_id"] = self._client_id
            if self._secret:
                form["client_secret"] = self._secret
        try:
            answer = self._http.post(found.token, data=form, auth=basic)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if answer.status_code >= 500:
            raise self._away(None)
        content = _json(answer)
        if answer.status_code != 200:
            # The code was used, is too old, or another browser's: what the provider says of it.
            raise NotAccepted("client" if content.get("error") in ("invalid_client", "unauthorized_client") else "code")
        id_token = content.get("id_token")
        if not isinstance(id_token, str):
            raise NotAccepted("form")
        return id_token

    def _claims(self, found: _Metadata, id_token: str, expected: Expected, at: int) -> Mapping[str, Any]:
        keys, asked_at = self._keys_of(found, at)
        try:
            return claims_of(id_token, keys, expected)
        except NotAccepted as error:
            if error.why != "unknown_key" or at - asked_at < _KEYS_AGAIN_MS:
                raise
        with self._lock:
            self._keys = None
        return claims_of(id_token, self._keys_of(found, at)[0], expected)

    def _keys_of(self, found: _Metadata, at: int) -> tuple[KeySet, int]:
        with self._lock:
            kept = self._keys
        if kept is None or at - kept[1] > _METADATA_MS:
            kept = (key_set(self._asked(found.keys)), at)
            with self._lock:
                self._keys = kept
        return kept

    def _asked(self, url: str) -> dict[str, Any]:
        try:
            answer = self._http.get(url)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if answer.status_code != 200:
            raise self._away(None)
        return _json(answer)

    def _away(self, error: Exception | None) -> DependencyError:
        how = f" ({type(error).__name__})" if error is not None else ""
        return DependencyError(f"The sign-in provider {self.host} did not answer{how}.", _NEXT)


def is_safe(url: str, *, question: bool = False) -> bool:
    """Returns whether a provider's URL is https, or http on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment or (parts.query and not question):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def furnished(settings: Settings, store: Store, oblasts: Iterable[str]) -> Provider | None:
    """Returns the provider the settings name; none if they name none.

    Raises:
        SetupError: they will not do.
    """
    return Provider(settings, store, oblasts) if settings.console_oidc_issuer else None


def _secret(settings: Settings) -> str:
    path = settings.console_oidc_client_secret_file
    if path is None:
        return settings.console_oidc_client_secret.get_secret_value()
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"Others can read the client's secret in {path}.", f"Run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SetupError(f"The client's secret in {path} cannot be read: {type(error).__name__}.") from None


def _place(content: Mapping[str, Any], name: str) -> str:
    """Returns one of the provider's addresses; empty if it has none or it is not safe to go there."""
    found = content.get(name)
    return found if isinstance(found, str) and is_safe(found, question=True) else ""


def _derived(token: str, what: str) -> str:
    return _url64(hmac.digest(token.encode(), what.encode(), sha256))


def _url64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}
