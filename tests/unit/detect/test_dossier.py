"""A dossier is a set of facts; its bytes are small and say all of it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from streams.detect.codec import FACTS, FIELDS
from streams.detect.dossier import Dossier, bare, canonical_bytes
from streams.records import INPUTS, BorderCrossing, PersonEvent, Record
from tests.unit.detect.facts import SUBJECT, correction, entry, leave, notice, permit

ENVELOPE = [field.name for field in fields(Record)]


def _dossier(*facts: PersonEvent) -> Dossier:
    dossier = Dossier(SUBJECT)
    for fact in facts:
        dossier = dossier.add(fact)
    return dossier


def test_every_person_event_can_be_kept_with_every_field_it_has() -> None:
    assert set(FACTS) == {kind for kind in INPUTS if issubclass(kind, PersonEvent)}
    for kind in FACTS:
        assert list(FIELDS[kind]) == [field.name for field in fields(kind) if field.name not in ENVELOPE]


def test_a_known_fact_gives_the_very_same_object() -> None:
    dossier = _dossier(entry(1, "2024-05-01"))
    assert dossier.add(entry(1, "2024-05-01")) is dossier


def test_where_a_fact_came_from_decides_nothing() -> None:
    fact = entry(1, "2024-05-01")
    dossier = _dossier(replace(fact, source="post:KZ-75-A1", source_seq=7))
    assert dossier.facts == (fact,)
    assert bare(fact) is fact


def test_of_two_contents_under_one_id_the_one_recorded_first_holds_in_any_order() -> None:
    first = entry(1, "2024-05-01")
    second = replace(first, recorded_at=first.recorded_at + 1, post="KZ-27-R1")
    assert _dossier(first, second) == _dossier(second, first) == _dossier(first)


def test_of_two_contents_recorded_at_once_the_smaller_bytes_hold() -> None:
    one, other = entry(1, "2024-05-01", post="KZ-27-R1"), entry(1, "2024-05-01", post="KZ-75-A1")
    assert canonical_bytes(one) < canonical_bytes(other)
    assert _dossier(one, other) == _dossier(other, one) == _dossier(one)


def test_canonical_bytes_are_plain_json_of_type_time_and_fields() -> None:
    text = canonical_bytes(entry(1, "1970-01-01")).decode()
    assert text == ('["border_crossing",43200000,"entry","KZ-75-A1","UZB","private","passport","air",null,null]')


def test_a_correction_withdraws_and_a_correction_of_it_brings_back() -> None:
    fact, wrong, righted = entry(1, "2024-05-01"), correction(2, "2024-05-02", 1), correction(3, "2024-05-03", 2)
    assert _dossier(fact, wrong).active() == (wrong,)
    assert _dossier(righted, wrong, fact).active() == (fact, righted)


def test_a_correction_does_not_reach_what_was_recorded_after_it() -> None:
    early = correction(2, "2024-05-01", 1)
    assert fact_ids(_dossier(early, entry(1, "2024-05-02"))) == {1, 2}


def test_corrections_of_each_other_are_settled_by_the_greater() -> None:
    one, other = correction(1, "2024-05-01", 2), correction(2, "2024-05-02", 1)
    assert fact_ids(_dossier(one, other)) == {2}


def fact_ids(dossier: Dossier) -> set[int]:
    """Returns the ids of the active facts as numbers."""
    return {int.from_bytes(fact.event_id, "big") for fact in dossier.active()}


def test_the_event_of_another_person_is_refused() -> None:
    with pytest.raises(ValueError, match="another subject"):
        Dossier("someone-else").add(entry(1, "2024-05-01"))


def test_a_person_with_an_open_stay_a_notice_and_a_permit_takes_less_than_200_bytes() -> None:
    dossier = _dossier(entry(1, "2024-05-01"), notice(2, "2024-05-02"), permit(3, "2024-05-03", "2025-05-02", employer="e" * 32))
    assert len(dossier.pack()) < 200
    assert Dossier.unpack(dossier.pack(), SUBJECT) == dossier


@pytest.mark.parametrize(
    "fact",
    [
        replace(entry(1, "2024-05-01"), occurred_at=-5),
        replace(entry(1, "2024-05-01"), recorded_at=-(1 << 60)),
        replace(entry(1, "2024-05-01"), post="a post nobody knows"),
        replace(permit(1, "2024-05-01", "2024-06-01"), valid_until_on=2_932_896),
        replace(notice(1, "2024-05-01", "extension", "2024-06-01"), valid_until_on=65_535),
        replace(notice(1, "2024-05-01"), arrived_on=-1),
    ],
)
def test_values_out_of_the_usual_ranges_are_kept_exactly(fact: PersonEvent) -> None:
    dossier = _dossier(fact)
    assert Dossier.unpack(dossier.pack(), SUBJECT).facts == (fact,)


def test_bytes_written_once_are_read_for_good() -> None:
    """The storage form is a promise: these bytes were written by the first version."""
    dossier = _dossier(entry(1, "2024-05-01"), leave(2, "2024-05-03", post="KZ-27-R1"))
    written = bytes.fromhex(GOLDEN)
    assert dossier.pack() == written
    assert Dossier.unpack(written, SUBJECT) == dossier


def test_hundreds_of_strings_are_kept() -> None:
    facts = [entry(n, "2024-05-01", post=f"post {n}") for n in range(400)]
    dossier = Dossier(SUBJECT, tuple(facts))
    assert Dossier.unpack(dossier.pack(), SUBJECT) == dossier
    assert all(isinstance(fact, BorderCrossing) for fact in dossier.facts)


@pytest.mark.parametrize(
    "fact",
    [
        entry(1, "2024-05-01", post="a new post"),
        entry(1, "2024-05-01", who="NEW"),
        entry(1, "2024-05-01", post="a new post", who="NEW"),
        notice(1, "2024-05-01"),
        replace(notice(1, "2024-05-01"), host_subject="a new host"),
        replace(permit(1, "2024-05-01", "2024-06-01", employer=None), oblast="post 3", sector="a new sector"),
        replace(permit(1, "2024-05-01", "2024-06-01", employer="a new employer"), oblast="post 3", sector="post 4"),
        replace(permit(1, "2024-05-01", "2024-06-01", employer=None), oblast="a new oblast", sector="post 4"),
    ],
    ids=lambda fact: fact.NAME,
)
def test_the_string_that_needs_a_second_byte_is_kept_wherever_it_stands(fact: PersonEvent) -> None:
    for known in range(250, 260):
        fillers = [entry(n + 2, "2024-04-01", post=f"post {n}") for n in range(known)]
        dossier = Dossier(SUBJECT, (*fillers, fact))
        assert Dossier.unpack(dossier.pack(), SUBJECT).facts == (*fillers, fact)


GOLDEN = (
    "02084b5a2d37352d4131084b5a2d32372d5231028000000000000000000000000000000001009e06348f010000000064"
    "17000080000000000000000000000000000000020056533e8f010000000065170100"
)
