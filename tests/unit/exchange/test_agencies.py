"""An agency is told what its entry names, and not a byte more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import UsageError
from streams.exchange.agencies import KINDS, Agency, Shared, View, load_agencies
from streams.records import Alert, Case, Finding
from streams.wire.jsonform import fields_of
from tests.property.strategies import records_of
from tests.unit.warehouse.made import make

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "exchange" / "agencies.yaml"
SUBJECT = "p1-00112233445566778899aabbccddeeff"


@given(st.sampled_from([Alert, Finding, Case]).flatmap(records_of), st.data())
def test_no_field_leaves_that_is_not_named(record: Shared, data: st.DataObject) -> None:
    names = [field.name for field in fields_of(type(record))]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    agency = Agency("a", {record.NAME: View(tuple(chosen))})
    made = agency.message(record, "n")
    if made is None:
        assert getattr(record, "family", "") == "protective"
        return
    event = json.loads(made[1])
    assert list(event["data"]) == chosen
    assert set(event) == {"specversion", "id", "type", "source", "time", "datacontenttype", "data"}


def test_the_person_is_in_neither_key_nor_value_unless_named() -> None:
    alert = make(Alert, subject=SUBJECT, family="breach", rule="work_without_permit", oblast="KZ-75")
    for agency in load_agencies(EXAMPLE):
        made = agency.message(alert, "n")
        if made is not None:
            assert (SUBJECT.encode() in b"".join(made)) == ("subject" in agency.views["alert"].fields)
            assert SUBJECT.encode() not in made[0]


def test_each_agency_of_the_example_hears_what_is_its_own() -> None:
    def heard(record: Shared) -> set[str]:
        return {agency.name for agency in load_agencies(EXAMPLE) if agency.message(record, "n") is not None}

    work = make(Alert, family="breach", rule="work_without_permit", oblast="KZ-61")
    overstay = make(Alert, family="breach", rule="overstay_visa_exempt", oblast="KZ-75")
    trafficking = make(Alert, family="protective", rule="trafficking_indicators", oblast="KZ-75")
    assert heard(work) == {"labour-inspectorate", "migration-service"}
    assert heard(overstay) == {"migration-service", "almaty-akimat"}
    assert heard(trafficking) == {"victims-support"}
    assert heard(make(Case, oblast="KZ-75")) == {"migration-service"}
    assert heard(make(Finding, family="reminder")) == set()


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("alert: {fields: [alert_id, passport]}", "came passport"),
        ("alert: {rules: [x]}", "came none"),
        ("dead_letter: {fields: [value]}", "expected tables of some of alert, finding, case"),
        ("case: {fields: [case_id], rules: [x]}", "of alerts and findings"),
        ("alert: {fields: alert_id}", "expected lists"),
        ("alert: {fields: [alert_id], post: [x]}", "expected lists called"),
    ],
)
def test_a_wrong_register_is_refused_by_agency(tmp_path: Path, entry: str, wrong: str) -> None:
    path = tmp_path / "agencies.yaml"
    path.write_text(f"agencies: {{labour: {{{entry}}}}}\n")
    with pytest.raises(UsageError, match=wrong) as error:
        load_agencies(path)
    assert "labour" in str(error.value)


def test_only_conclusions_are_shared() -> None:
    assert set(KINDS) == {"alert", "finding", "case"}
