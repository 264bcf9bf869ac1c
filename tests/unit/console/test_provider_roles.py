"""Roles from a claim: exactly one, from where the settings say, and nothing from anything strange."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.console.provider import is_safe
from streams.console.provider_roles import Post, post_of, posts

ROLES = '{"a": "operator", "b": "supervisor", "c": "oblast_operator KZ-23", "also-a": "operator"}'
MAPPING = posts(ROLES, ["KZ-23"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "b", "c"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "groups", "roles"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("claims", "path", "expected"),
    [
        ({"groups": ["x", "a"]}, "groups", Post("operator", "")),
        ({"groups": "a"}, "groups", Post("operator", "")),
        ({"groups": ["a", "also-a"]}, "groups", Post("operator", "")),
        ({"groups": ["c"]}, "groups", Post("oblast_operator", "KZ-23")),
        ({"realm_access": {"roles": ["b"]}}, "realm_access.roles", Post("supervisor", "")),
        ({"https://x.example/roles": ["b"]}, "https://x.example/roles", Post("supervisor", "")),
        ({"groups": ["a", "b"]}, "groups", "provider.several_roles"),
        ({"groups": []}, "groups", "provider.no_role"),
        ({}, "groups", "provider.no_role"),
        ({"groups": ["A"]}, "groups", "provider.no_role"),
    ],
)
def test_one_role_or_a_reason(claims: dict[str, Any], path: str, expected: Post | str) -> None:
    assert post_of(claims, path, MAPPING) == expected


@given(
    claims=st.dictionaries(st.sampled_from(["groups", "realm_access"]), JSON),
    path=st.sampled_from(["groups", "realm_access.roles"]),
)
def test_whatever_the_provider_says_the_answer_is_a_role_of_the_mapping_or_a_reason(claims: dict[str, Any], path: str) -> None:
    found = post_of(claims, path, MAPPING)
    assert found in MAPPING.values() or found in ("provider.no_role", "provider.several_roles")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example.kz/realms/x", True),
        ("http://127.0.0.1:9", True),
        ("http://localhost:9/x", True),
        ("http://[::1]:9", True),
        ("http://login.example.kz", False),
        ("http://127.0.0.1.example.kz", False),
        ("https://user@login.example.kz", False),
        ("https://login.example.kz/#x", False),
        ("https://login.example.kz/?x=1", False),
        ("https://", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_https_or_this_machine(url: str, safe: bool) -> None:
    assert is_safe(url) == safe
