"""Which role the sign-in provider's word gives: a mapping from the values of one claim, as the settings have it. No I/O.

Nobody is given two roles: the auditor who is also an operator would see the people whose audit they read.

**Source**: issue of the console, People and safety; ADR 0141.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.console.rights import ROLES, sees_one_oblast
from streams.errors import SetupError

_EXPECTED = (
    'SHEKARA_CONSOLE_OIDC_ROLES is a JSON object: {"border-operators": "operator", "atyrau": "oblast_operator KZ-23"}; '
    f"roles are {', '.join(ROLES)}."
)


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody may be here.

    Attributes:
        role: one of `rights.ROLES`.
        oblast: of an oblast operator; else empty.
    """

    role: str
    oblast: str


def posts(text: str, oblasts: Iterable[str]) -> dict[str, Post]:
    """Returns the mapping as it is used.

    Args:
        text: JSON: from a claim's value to a role, an oblast operator's with its oblast behind a space.
        oblasts: codes of the oblasts there are.

    Raises:
        SetupError: it is no such JSON, is empty, or names a role or an oblast that does not exist.
    """
    try:
        mapping = json.loads(text or "{}")
    except ValueError:
        mapping = None
    if not isinstance(mapping, dict) or not all(isinstance(one, str) for one in mapping.values()):
        raise SetupError("SHEKARA_CONSOLE_OIDC_ROLES cannot be read.", _EXPECTED)
    if not mapping:
        raise SetupError("A sign-in provider is set and no role: nobody could come in through it.", _EXPECTED)
    known = set(oblasts)
    made = {}
    for value, wanted in mapping.items():
        role, _, oblast = wanted.strip().partition(" ")
        if role not in ROLES or bool(oblast) != sees_one_oblast(role) or (oblast and oblast not in known):
            raise SetupError(f"'{value}' is mapped to '{wanted}', which is no role here.", _EXPECTED)
        made[value] = Post(role, oblast)
    return made


def post_of(claims: Mapping[str, Any], path: str, mapping: Mapping[str, Post]) -> Post | str:
    """Returns the one role of whoever has these claims; why there is none, as a key of the texts, if there is none.

    Args:
        claims: of the ID token.
        path: the claim's name; a dot leads into an object (``realm_access.roles``) unless a claim has that very name.
        mapping: of `posts`.
    """
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    values = [found] if isinstance(found, str) else found
    if not isinstance(values, list):
        return "provider.no_role"
    given = {mapping[one] for one in values if isinstance(one, str) and one in mapping}
    if not given:
        return "provider.no_role"
    return given.pop() if len(given) == 1 else "provider.several_roles"
