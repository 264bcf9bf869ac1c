"""Metamorphic: whoever a person is, by sex, religion, ethnicity, name or birthplace, the same facts lead to the same conclusions.

Requirement C15 of the Concept: none of these is an input of any rule. Documents shown at a border say some of them; they end
at the door, where a pseudonym takes their place, and an event that says any other is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.detect.codec import FACTS
from streams.documents.reading import FIELDS
from streams.person import START, Cause, LogTime, revisit, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.publish.completion import Completion
from streams.publish.pseudonym import Pseudonyms
from streams.records import Alert, Case, Finding, PersonEvent
from streams.wire.jsonform import FieldError, to_json
from tests.property.person_histories import histories, number
from tests.property.strategies import records_of

QUICK = settings(max_examples=max(settings().max_examples // 4, 1), deadline=None, suppress_health_check=list(HealthCheck))

SAID_BY_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "sex": st.sampled_from(["F", "M", "X", "Ж"]),
        "surname": st.sampled_from(["KARIMOV", "Каримова", "MÜLLER", "O'BRIEN", "ӘБДІРАХМАНОВ"]),
        "given_names": st.sampled_from(["ANNA MARIA", "Дмитрий", "FATIMA", "LI"]),
        "born_on": st.dates().map(lambda day: day.isoformat()),
    },
)
"""What a travel document says of a person that no rule may know."""

NO_FIELD = (
    "religion", "ethnicity", "ethnic_origin", "race", "language", "name", "birthplace", "place_of_birth", "gender", "views",
)  # fmt: skip


@cache
def kz() -> Policy:
    return load("kz")


def published(event: PersonEvent, person: Mapping[str, str], without: tuple[str, ...] = ()) -> PersonEvent:
    """Returns the record of an event told with a document of one number, and what else it says, in place of a subject."""
    row = {name: value for name, value in to_json(event).items() if name not in ("subject", *without)}
    row |= {"document_number": "AB1234567", "issuing_country": "UZB"} | dict(person)
    door = Completion("", "", lambda _: None, frozenset(kz().codes.countries), lambda: Pseudonyms(1, bytes(range(32))))
    record = door.record(row)
    assert isinstance(record, PersonEvent)
    return record


def concluded(events: Iterable[PersonEvent]) -> list[Alert | Finding | Case]:
    """Returns everything that is told of a person while the events come, and half a year after the last."""
    told: list[Alert | Finding | Case] = []
    state: bytes | None = None
    latest, subject = 0, ""
    for event in events:
        step = take(state, event, START, Cause(event.event_id, event.recorded_at), kz())
        state = step.state or state
        told += [*step.alerts, *step.findings, *step.cases]
        latest, subject = max(latest, event.occurred_at), event.subject
    assert state is not None
    later = latest + 180 * 86_400_000
    step = revisit(state, subject, LogTime(later, later, ()), Cause(number(1), later), kz())
    return [*told, *step.alerts, *step.findings, *step.cases]


@given(st.data())
@QUICK
def test_sex_name_and_birth_date_in_any_event_change_nothing(data: st.DataObject) -> None:
    events = data.draw(histories())
    plain = [published(event, {}) for event in events]
    told = [published(event, data.draw(SAID_BY_DOCUMENTS)) for event in events]
    assert told == plain
    assert concluded(told) == concluded(plain)


@given(event=st.sampled_from(FACTS).flatmap(records_of), person=SAID_BY_DOCUMENTS)
@QUICK
def test_an_event_named_by_its_content_has_the_same_name_whoever_the_person_is(event: Any, person: Mapping[str, str]) -> None:
    left_out = ("event_id", "source_seq")
    assert published(event, person, left_out) == published(event, {}, left_out)


@pytest.mark.parametrize("attribute", NO_FIELD)
@given(event=st.sampled_from(FACTS).flatmap(records_of))
@QUICK
def test_an_event_that_says_anything_else_about_who_a_person_is_is_refused(attribute: str, event: Any) -> None:
    assert attribute not in FIELDS
    with pytest.raises(FieldError, match=attribute):
        published(event, {attribute: "anything"})
