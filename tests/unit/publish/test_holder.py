"""Rows with document data, from files and at the edge: the subject goes on, the document to the vault."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from streams.documents import TravelDocument
from streams.documents.reading import FIELDS
from streams.policy.load import load
from streams.publish.completion import KINDS, Completion, zone_by
from streams.publish.files import open_events
from streams.publish.inbox import Ready, Refused, Rows
from streams.publish.mapping import ColumnMapping
from streams.publish.pseudonym import Pseudonyms
from streams.publish.sealing import Keys
from streams.publish.sending import Sending
from streams.publish.spool import Spool
from streams.wire.jsonform import fields_of
from tests.unit.documents.zones import passport
from tests.unit.publish.test_completion import ROW

RULES = load("kz")
KEYED = Pseudonyms(1, bytes(range(32)))


def completion() -> Completion:
    codes = RULES.codes
    return Completion("border_crossing", "", zone_by(codes.posts, codes.oblasts, ""), frozenset(codes.countries), lambda: KEYED)


def test_no_event_has_a_field_that_is_document_data() -> None:
    for kind in KINDS.values():
        assert {field.name for field in fields_of(kind)}.isdisjoint(FIELDS), kind


def test_a_zone_in_a_row_fills_in_the_citizenship_it_says() -> None:
    row = {name: value for name, value in ROW.items() if name not in {*FIELDS, "citizenship"}}
    zone = passport("AB1234567", issuer="RUS", citizenship="UZB", names="KARIMOV<<ANVAR")
    record, document = completion().read(row | {"mrz": zone})
    assert record.subject == KEYED.person("RUS", "AB1234567")
    assert getattr(record, "citizenship", "") == "UZB"
    assert document is not None
    assert document.surname == "KARIMOV"


def test_the_same_row_gives_the_same_event_however_the_document_is_written() -> None:
    row = {name: value for name, value in ROW.items() if name not in FIELDS}
    typed, _ = completion().read(row | {"document_number": "АВ 1234567", "issuing_country": "UZB", "surname": "Каримов"})
    zone, _ = completion().read(row | {"mrz": passport("AB1234567")})
    assert typed == zone


def test_the_edge_keeps_documents_before_events_and_only_of_what_it_takes(tmp_path: Path) -> None:
    kept: list[tuple[str, TravelDocument]] = []
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool:
        rows = Rows(completion, lambda record, value: None, spool, kept.extend)
        ready = [rows.record(completion(), one) for one in (dict(ROW), dict(ROW) | {"document_number": "?"})]
        assert isinstance(ready[0], Ready)
        assert isinstance(ready[1], Refused)
        assert kept == []
        rows.keep([ready[0]])
        assert [(name, document.number) for name, document in kept] == [(KEYED.person("UZB", "AB1234567"), "AB1234567")]
        assert spool.state().waiting == 1

        def full(held: list[tuple[str, TravelDocument]]) -> None:
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            Rows(completion, lambda record, value: None, spool, full).keep([ready[0]])
        assert spool.state().waiting == 1


class Sink:
    """Takes what a file's rows become."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def publish_encoded(self, topic: str, key: bytes, value: bytes) -> None:
        self.sent.append(key)

    def flush(self) -> None:
        pass


def test_a_file_keeps_the_documents_of_what_it_sends(tmp_path: Path) -> None:
    table = (
        "occurred_at,direction,post,document_number,issuing_country,surname\n"
        "2025-05-01T10:15:00,entry,KZ-61-R1,AB1234567,UZB,Каримов\n"
        "2025-05-01T10:15:00,entry,NOWHERE,AB7654321,UZB,Каримов\n"
    )
    kept: list[tuple[str, TravelDocument]] = []
    sink = Sink()
    door = lambda record, value: ("unknown_post", "post: no") if record.post == "NOWHERE" else None  # noqa: E731
    sending = Sending(
        completion(), door, sink, "t", None, lambda error: None, lambda read: None, keep=kept.extend  # type: ignore[arg-type]
    )  # fmt: skip
    outcome = sending.send(open_events(io.BytesIO(table.encode()), "csv", "border_crossing", ColumnMapping()))
    assert (outcome.published, outcome.refused) == (1, 1)
    assert [document.surname for _, document in kept] == ["KARIMOV"]
    assert [name.encode() for name, _ in kept] == sink.sent
