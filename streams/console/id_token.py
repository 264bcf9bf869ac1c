"""Whether an ID token is what we asked the sign-in provider for: signature, issuer, audience, time, nonce. No I/O.

**Source**: OpenID Connect Core 1.0, 3.1.3.7 (ID token validation); RFC 8725 (an allow-list of algorithms, no symmetric ones).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What a token may be signed with: public keys only, so that the key everybody can read never makes a signature."""
LEEWAY_S = 60
"""So far two clocks may be apart."""
OLDEST_S = 600
"""A token is fresh: it was made for the sign-in that is going on."""
_LONGEST_SUBJECT = 255

_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class NotAccepted(Exception):  # noqa: N818  # an answer, not a fault of the program
    """The provider's answer is not accepted.

    Args:
        why: one word for the audit and the log: ``signature``, ``algorithm``, ``issuer``, ``audience``, ``expired``, …
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say.

    Attributes:
        issuer: exactly this.
        client_id: among the audience.
        nonce: exactly this: it belongs to the browser that began.
        now_s: UTC epoch seconds.
    """

    issuer: str
    client_id: str
    nonce: str
    now_s: int


def key_set(content: Any) -> KeySet:
    """Returns the provider's keys that make signatures; keys of a kind we do not know, or for encryption, are left out.

    Raises:
        NotAccepted: there is none (``keys``).
    """
    listed = content.get("keys") if isinstance(content, dict) else None
    keys = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP") or one.get("use", "sig") != "sig":
            continue
        try:
            keys += KeySet.import_key_set({"keys": [one]}).keys
        except (JoseError, ValueError, KeyError, TypeError):
            continue  # a key we cannot read signs nothing for us
    if not keys:
        raise NotAccepted("keys")
    return KeySet(keys)


def claims_of(token: str, keys: KeySet, expected: Expected) -> Mapping[str, Any]:
    """Returns what a token says, once everything about it holds.

    Args:
        token: the ID token in compact form.
        keys: of the provider.
        expected: what it must say.

    Raises:
        NotAccepted: so; ``unknown_key`` if it may only be that the provider has changed its keys.
    """
    try:
        claims: dict[str, Any] = jwt.decode(token, keys, registry=_REGISTRY).claims
    except InvalidKeyIdError:
        raise NotAccepted("unknown_key") from None
    except BadSignatureError:
        raise NotAccepted("signature") from None
    except UnsupportedAlgorithmError:
        raise NotAccepted("algorithm") from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise NotAccepted("form") from None
    _check(claims, expected)
    return claims


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    registry = jwt.JWTClaimsRegistry(
        now=expected.now_s,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
    )
    try:
        registry.validate(dict(claims))
    except ExpiredTokenError:
        raise NotAccepted("expired") from None
    except (InvalidClaimError, MissingClaimError) as error:
        named = {"iss": "issuer", "aud": "audience", "sub": "subject", "exp": "expired", "iat": "time", "nbf": "time"}
        claim = str(error.claim).split(",", maxsplit=1)[0]
        raise NotAccepted(named.get(claim, "nonce" if claim == "nonce" else "form")) from None
    nonce, subject = claims["nonce"], claims["sub"]
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise NotAccepted("nonce")
    if expected.now_s - claims["iat"] > OLDEST_S:
        raise NotAccepted("time")
    if len(subject) > _LONGEST_SUBJECT:
        raise NotAccepted("subject")
    # A token for several parties names the one it was made for; so it does whenever it names one at all.
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise NotAccepted("audience")
