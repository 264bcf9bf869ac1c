"""Whatever is done to a policy's files: it is refused with a sentence, or it is a policy. Never a traceback, never a guess."""

from __future__ import annotations

import copy
import re
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import streams.policy
from streams.errors import PolicyError
from streams.policy.document import Faults, read_document
from streams.policy.load import load
from streams.policy.model import Policy

SHIPPED = Path(streams.policy.__file__).parent / "kz"
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in sorted(SHIPPED.glob("*.yaml"))}
PLAIN = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
KEY_LINE = re.compile(r"^(\s*)([A-Za-z][\w.-]*|\"\d+\"|[a-z]+ \d{4}):")
KEY_LINES = [
    (name, number) for name, text in TEXTS.items() for number, line in enumerate(text.splitlines()) if KEY_LINE.match(line)
]
SOUND = load("kz")
EXAMPLES = max(settings().max_examples // 4, 1)  # each of them writes and loads a whole policy


def paths_of(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every way to a key of a mapping or an item of a list."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in ((*path, key), *paths_of(child, (*path, key)))]


PATHS = [(name, path) for name, content in PLAIN.items() for path in paths_of(content)]


def outcome(changed: dict[str, str]) -> Policy | str:
    """Loads the shipped files with some replaced: a policy, or the first fault in words."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in (TEXTS | changed).items():
            (Path(directory) / name).write_text(text, encoding="utf-8")
        try:
            return load(directory)
        except PolicyError as error:
            return error.what


def dumped(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS))
def test_any_key_deleted_is_a_refusal_or_another_sound_policy(where: tuple[str, tuple[Any, ...]]) -> None:
    name, path = where
    content = copy.deepcopy(PLAIN[name])
    node = content
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    found = outcome({name: dumped(content)})
    if isinstance(found, Policy):
        assert found.version.rpartition("-")[2] != SOUND.version.rpartition("-")[2]
        assert set(found.parameters) <= set(SOUND.parameters)
    else:
        assert re.match(r"[^\s:]+\.yaml:\d+: expected .+|.*expected a (mapping of sections|section 'policy').+", found), found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KEY_LINES))
def test_any_key_written_twice_is_refused_with_its_line(where: tuple[str, int]) -> None:
    name, number = where
    lines = TEXTS[name].splitlines()
    match = KEY_LINE.match(lines[number])
    assert match
    lines.insert(number, f"{match[1]}{match[2]}: null")
    found = outcome({name: "\n".join(lines) + "\n"})
    assert isinstance(found, str)
    assert f"{name}:{number + 2}: expected the key {match[2].strip(chr(34))!r} once, got it again" in found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PATHS),
    st.none()
    | st.booleans()
    | st.integers(-5, 5000)
    | st.dates()
    | st.text(max_size=8)
    | st.just([])
    | st.just({})
    | st.just([{}]),
)
def test_any_value_replaced_is_a_refusal_or_a_sound_policy(where: tuple[str, tuple[Any, ...]], value: object) -> None:
    name, path = where
    content = copy.deepcopy(PLAIN[name])
    node = content
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    found = outcome({name: dumped(content)})
    if isinstance(found, Policy):
        for day in (13_514, 18_272, 19_783, 22_279):  # 2007-01-01, 2020-01-11, 2024-03-01, 2030-12-31
            found.at(day)
            found.group_of("UZB", day)
            found.working_days.add(day, 3)
    else:
        assert "expected" in found


@given(st.binary(max_size=400))
def test_bytes_that_are_no_policy_are_faults_not_errors(content: bytes) -> None:
    faults = Faults()
    document = read_document(content, "x.yaml", faults)
    assert document is not None or faults.found


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@,?\n \t0129"), max_size=60))
def test_anything_that_looks_like_yaml_is_read_or_refused(content: str) -> None:
    faults = Faults()
    document = read_document(content.encode(), "x.yaml", faults)
    assert document is not None or faults.found
    if document is not None:
        document.plain()
