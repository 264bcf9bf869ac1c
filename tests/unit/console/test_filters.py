"""The URL is the whole filter, and nothing else gets into a question."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.console.filters import FAMILIES, GRADES, SEVERITIES, STATES, Filter, read
from streams.console.texts import VOICES
from streams.console.wording import title_of
from streams.policy.load import load
from tests.unit.console.test_live import alert

POLICY = load("kz")


def either(values: object) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *values])  # type: ignore[misc]


FILTERS = st.builds(
    Filter,
    state=st.sampled_from(list(STATES)),
    rule=either(POLICY.rule_texts),
    grade=either(GRADES),
    severity=either(SEVERITIES),
    family=either(FAMILIES),
    oblast=either(POLICY.codes.oblasts),
    post=either(POLICY.codes.posts),
    same_employer=st.one_of(st.just(""), st.uuids().map(str)),
    before=st.one_of(st.just(""), st.builds("{}.{}".format, st.integers(0, 10**13), st.uuids())),
)


@given(FILTERS)
def test_a_filter_is_its_url(wanted: Filter) -> None:
    assert read(dict(parse_qsl(wanted.query)), POLICY) == wanted


@given(st.sampled_from([*Filter.__dataclass_fields__]), st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_a_value_that_does_not_exist_is_refused_and_never_asked(name: str, value: str) -> None:
    wanted = read({name: f"{value}'"}, POLICY)
    assert wanted is None


def test_an_oblast_operators_question_carries_the_oblast() -> None:
    assert "oblast = 'KZ-23'" in Filter().where("KZ-23")
    assert Filter(oblast="KZ-75").where("KZ-23").count("oblast = ") == 2, "another oblast's filter shows nothing"


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Filter(), True),
        (Filter(state="acknowledged"), False),
        (Filter(oblast="KZ-75", rule="overstay_visa_exempt"), True),
        (Filter(oblast="KZ-23"), False),
        (Filter(before="1.00000000-0000-0000-0000-000000000000"), False),
    ],
)
def test_live_alerts_obey_the_filter(wanted: Filter, shown: bool) -> None:
    assert wanted.shows(alert(1)) is shown


@pytest.mark.parametrize("language", VOICES)
@pytest.mark.parametrize("rule", [rule for rule in POLICY.rule_texts if rule.startswith("overstay")])
def test_who_merely_has_no_exit_is_never_said_to_have_overstayed(rule: str, language: str) -> None:
    say = VOICES[language]
    own = say.of(POLICY.rule_texts[rule][0])
    assert title_of(rule, "established", POLICY, say) == own
    for grade in ("presumed", "uncertain"):
        assert title_of(rule, grade, POLICY, say) == say("rule.no_exit")
        assert own not in say("rule.no_exit")
