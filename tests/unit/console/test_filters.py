"""The URL is the whole filter, and nothing else gets into a question."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.console.conditions import Scope, condition
from streams.console.filters import FAMILIES, GRADES, ORDERS, SEVERITIES, SLAS, STATES, Filter, read
from streams.console.store import Row
from streams.console.texts import VOICES
from streams.console.wording import title_of
from streams.console.work import Held, Moment, Mute
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
    sla=either(SLAS),
    owner=either(["me", "none", "o1-0123456789abcdef"]),
    text=either(["permit", "Алматы қаласы", "Art. 517"]),
    same_employer=st.one_of(st.just(""), st.uuids().map(str)),
    same_person=st.one_of(st.just(""), st.uuids().map(str)),
    same_address=st.one_of(st.just(""), st.uuids().map(str)),
    order=st.sampled_from(ORDERS),
    before=st.one_of(st.just(""), st.builds("{}.{}".format, st.integers(0, 10**13), st.uuids())),
)


@given(FILTERS)
def test_a_filter_is_its_url(wanted: Filter) -> None:
    assert read(dict(parse_qsl(wanted.query)), POLICY) == wanted


@given(st.sampled_from([*Filter.__dataclass_fields__]), st.text(min_size=1, alphabet=st.characters(codec="utf-8")))
def test_a_value_that_does_not_exist_is_refused_and_never_asked(name: str, value: str) -> None:
    wanted = read({name: f"{value}'"}, POLICY)
    assert wanted is None


def scope(oblast: str, moment: Moment | None = None) -> Scope:
    return Scope(oblast, moment or Moment(at=1_000), POLICY, EmptyStore())


class EmptyStore:
    """A store without notes."""

    def rows(self, statement: str, *values: object) -> list[Row]:
        return []

    def writing(self) -> Any:
        raise AssertionError("a filter writes nothing")

    def alone(self, name: str) -> Any:
        raise AssertionError("a filter is never alone")

    def close(self) -> None:
        """Holds nothing."""


@given(FILTERS)
def test_every_question_of_an_oblast_operator_carries_the_oblast(wanted: Filter) -> None:
    asked = condition(wanted, scope("KZ-23"))
    assert "(oblast = 'KZ-23')" in asked
    assert asked.count("FROM alerts_now WHERE alert_id") == asked.count("' AND oblast = 'KZ-23'"), "an alert beyond tells nothing"


def test_another_oblasts_filter_shows_an_oblast_operator_nothing() -> None:
    assert condition(Filter(oblast="KZ-75"), scope("KZ-23")).count("oblast = ") == 2


@pytest.mark.parametrize("text", ["p1-0123", "N12345678", "12345", "a'b\"c", "x;--", "%", "_"])
def test_what_looks_like_a_key_or_a_trick_is_no_text_filter(text: str) -> None:
    assert read({"text": text}, POLICY) is None


@pytest.mark.parametrize("text", ["Алматы", "шекара қызметі", "work permit", "Art. 517"])
def test_words_in_any_language_are_a_text_filter(text: str) -> None:
    wanted = read({"text": text}, POLICY)
    assert wanted is not None
    assert wanted.text == text


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
    assert wanted.shows(alert(1), Moment(at=1_000, officer="o1-a")) is shown


def test_a_live_alert_that_rests_or_is_muted_does_not_come_into_the_queue() -> None:
    one = alert(1)
    key = str(UUID(bytes=one.alert_id))
    resting = Moment(at=1_000, held={key: Held(snoozed_until_at=2_000)})
    muted = Moment(at=1_000, mutes=(Mute("m", "o1-a", "outage", "", "", one.post, 0, 2_000),))
    assert not Filter().shows(one, resting)
    assert Filter(state="snoozed").shows(one, resting)
    assert Filter().shows(one, Moment(at=3_000, held=resting.held)), "rest ends"
    assert not Filter().shows(one, muted)
    assert Filter(state="muted").shows(one, muted)
    assert Filter().shows(alert(1, family="protective"), muted), "what may need protection is never muted"


def test_a_live_alert_follows_its_owner() -> None:
    key = str(UUID(bytes=alert(1).alert_id))
    moment = Moment(officer="o1-a", held={key: Held(owner="o1-a")})
    assert Filter(owner="me").shows(alert(1), moment)
    assert not Filter(owner="none").shows(alert(1), moment)
    assert Filter(owner="none").shows(alert(2), moment)


@pytest.mark.parametrize("language", VOICES)
@pytest.mark.parametrize("rule", [rule for rule in POLICY.rule_texts if rule.startswith("overstay")])
def test_who_merely_has_no_exit_is_never_said_to_have_overstayed(rule: str, language: str) -> None:
    say = VOICES[language]
    own = say.of(POLICY.rule_texts[rule][0])
    assert title_of(rule, "established", POLICY, say) == own
    for grade in ("presumed", "uncertain"):
        assert title_of(rule, grade, POLICY, say) == say("rule.no_exit")
        assert own not in say("rule.no_exit")
