"""Document data at the gateway: a pseudonym goes on, the document goes to the vault, and nothing else of it anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.decode import Decoder
from streams.documents import TravelDocument
from streams.errors import DependencyError
from streams.gateway import cloudevents, restproxy
from streams.gateway.intake import JSON, LINES, Intake, Item, Message, Refusal
from streams.publish.holder import Holders
from streams.publish.pseudonym import Pseudonyms
from streams.records import BorderCrossing, PostHeartbeat
from streams.wire.jsonform import to_json
from streams.wire.topics import PEOPLE
from tests.unit.decode.lawful import SomeCodes, lawful
from tests.unit.documents.zones import MRV_A, TD3, passport
from tests.unit.gateway.test_intake import ALL
from tests.unit.vault.vaults import vault_in

KEYED = Pseudonyms(1, bytes(range(32)))
ZONE = passport("AB1234567", names="KARIMOV<<ANVAR")


def intake(keep: Any = None) -> Intake:
    return Intake(Decoder(SomeCodes()), Holders(lambda: KEYED, SomeCodes().countries), keep)


def row(**document: Any) -> dict[str, Any]:
    found = to_json(lawful(BorderCrossing)) | document
    del found["subject"]
    return found


def read(body: Any, media: str = JSON) -> list[Item]:
    return intake().read(json.dumps(body).encode(), media, {}, ALL)


def test_a_zone_and_the_typed_number_are_one_subject_in_every_form_an_event_may_have() -> None:
    expected = KEYED.person("UZB", "AB1234567").encode()
    zone, typed = row(mrz=ZONE), row(document_number="АВ 1234567", issuing_country="uzb", surname="Каримов")
    cloud = {"specversion": "1.0", "type": "border_crossing", "id": zone["event_id"], "source": zone["source"], "data": zone}
    items = [
        *read([zone, typed, row(mrz=ZONE.split("\n"))]),
        *intake().read(json.dumps(zone).encode() + b"\n" + json.dumps(typed).encode(), LINES, {}, ALL),
        *read(cloud, cloudevents.ONE),
        *restproxy.items(json.dumps({"records": [{"value": zone}]}).encode(), restproxy.JSON, PEOPLE, intake(), ALL),
    ]
    assert len(items) == 7
    for item in items:
        assert isinstance(item, Message)
        assert item.key == expected
        assert b"KARIMOV" not in item.value
        assert b"1234567" not in item.value
        assert "KARIMOV" not in repr(item)
        assert "1234567" not in repr(item)


@pytest.mark.parametrize(
    ("document", "field", "said"),
    [
        ({"mrz": ZONE.replace("AB1234567", "AB1234568")}, "mrz", "check digit of the document number to be"),
        ({"mrz": MRV_A}, "mrz", "a visa's"),
        ({"mrz": TD3}, "issuing_country", "a country's code of the policy"),
        ({"mrz": ZONE, "subject": KEYED.person("UZB", "AB1234567")}, "mrz", "both"),
        ({"document_number": "AB1234567"}, "issuing_country", "nothing"),
        ({"issuing_country": "UZB"}, "issuing_country", "it alone"),
        ({"document_number": "AB1234567", "issuing_country": "KAZ", "iin": "791028302727"}, "iin", "check digit 8"),
        (
            {"document_number": "AB1234567", "issuing_country": "UZB", "passport_number": "AB1234567"},
            "passport_number",
            "no such",
        ),
    ],
)
def test_what_is_wrong_is_said_by_field_and_nothing_is_repeated(document: dict[str, Any], field: str, said: str) -> None:
    changed = to_json(lawful(BorderCrossing))
    del changed["subject"]
    [item] = read(changed | document)
    assert isinstance(item, Refusal)
    assert item.field == field
    assert said in item.message or field == "passport_number"
    for value in ("AB1234567", "AB1234568", "KARIMOV", "ERIKSSON", "791028302727", "L898902C3", "L8988901C"):
        assert value not in repr(item)


def test_an_event_that_is_about_no_person_takes_no_document() -> None:
    beat = to_json(lawful(PostHeartbeat)) | {"document_number": "AB1234567", "issuing_country": "UZB"}
    [item] = read(beat)
    assert isinstance(item, Refusal)
    assert "AB1234567" not in repr(item)


def test_only_what_will_be_published_is_kept_and_before_it_is(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, lines=[])
    made = intake(vault.keep)
    good, bad = row(mrz=ZONE), row(mrz=passport("AB7654321"), post="NOWHERE")
    items = made.read(json.dumps([good, bad, to_json(lawful(BorderCrossing))]).encode(), JSON, {}, ALL)
    assert [type(item) for item in items] == [Message, Refusal, Message]
    assert made.has_to_keep(items)
    assert not made.has_to_keep(items[1:])
    assert not intake().has_to_keep(items), "where there is no vault"
    made.keep(items)
    assert vault.store.count() == 1
    kept = vault.read(KEYED.person("UZB", "AB1234567"), "what is kept", officer="o")
    assert kept is not None
    assert (kept.surname, kept.kind) == ("KARIMOV", "passport")


def test_a_vault_that_takes_nothing_stops_the_request() -> None:
    def full(held: list[tuple[str, TravelDocument]]) -> None:
        raise DependencyError("disk full")

    made = intake(full)
    with pytest.raises(DependencyError):
        made.keep(made.read(json.dumps(row(mrz=ZONE)).encode(), JSON, {}, ALL))
    made.keep(made.read(json.dumps(to_json(lawful(BorderCrossing))).encode(), JSON, {}, ALL))  # no document, nothing to keep
