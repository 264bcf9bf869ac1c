"""Files dropped into a folder: every row is kept or refused with its reason, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.publish import door_of
from streams.errors import UsageError
from streams.policy.load import load
from streams.publish.completion import Completion, zone_by
from streams.publish.inbox import Inbox, Rows, parsed
from streams.publish.pseudonym import Pseudonyms
from streams.publish.sealing import Keys
from streams.publish.spool import Spool, SpoolFullError
from streams.settings import Settings
from streams.wire import avro

CROSSINGS = """occurred_at,direction,post,citizenship,document_number,issuing_country,purpose
2025-05-01T10:15:00,entry,KZ-61-R1,UZB,AB1234567,UZB,work
2025-05-20T18:00:00,sideways,KZ-61-R1,UZB,AB1234567,UZB,work
2025-05-20T18:00:00,exit,KZ-61-R1,UZB,AB1234567,UZB,work
2025-05-02T09:00:00,entry,NOWHERE,KGZ,AC7654321,KGZ,private
"""
RULES = load("kz")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool:
        yield spool


def rows(spool: Spool) -> Rows:
    def completion() -> Completion:
        codes = RULES.codes
        zones = zone_by(codes.posts, codes.oblasts, "")
        return Completion("", "", zones, frozenset(codes.countries), lambda: Pseudonyms(1, bytes(32)))

    return Rows(completion, door_of(RULES, Settings()), spool)


def inbox(tmp_path: Path, spool: Spool) -> Inbox:
    return Inbox(tmp_path / "inbox", rows(spool), settled_ms=0)


def drop(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / "inbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_good_rows_are_kept_numbered_and_bad_rows_come_back_with_their_reasons(tmp_path: Path, spool: Spool) -> None:
    drop(tmp_path, "night.csv", CROSSINGS)
    (taken,) = inbox(tmp_path, spool).sweep()
    assert (taken.kept, taken.refused, taken.trouble) == (2, 2, "")
    records = [avro.decode(event.value) for event in spool.next_events(10)]
    assert [record.source_seq for record in records] == [1, 2]  # type: ignore[union-attr]
    refused = (tmp_path / "inbox" / "refused" / "night.csv").read_text()
    assert refused.splitlines() == [CROSSINGS.splitlines()[line] for line in (0, 2, 4)]
    reasons = (tmp_path / "inbox" / "refused" / "night.csv.reason.txt").read_text()
    assert "line 3: unreadable: direction: expected one of entry" in reasons
    assert "line 5: unreadable: post:" in reasons or "line 5: unknown_post" in reasons
    assert "1234567" not in reasons
    assert "7654321" not in reasons
    assert (tmp_path / "inbox" / "done" / "night.csv").read_text() == CROSSINGS
    assert inbox(tmp_path, spool).sweep() == []


def test_the_same_file_again_takes_nothing_twice(tmp_path: Path, spool: Spool) -> None:
    watched = inbox(tmp_path, spool)
    drop(tmp_path, "a.csv", CROSSINGS)
    watched.sweep()
    drop(tmp_path, "a.csv", CROSSINGS)
    (again,) = watched.sweep()
    assert (again.kept, again.repeated, again.refused) == (0, 2, 2)
    assert spool.state().waiting == 2
    assert sorted(path.name for path in (tmp_path / "inbox" / "done").iterdir()) == ["a.2.csv", "a.csv"]


def test_a_file_that_still_grows_or_is_not_ours_is_left_alone(tmp_path: Path, spool: Spool) -> None:
    watched = Inbox(tmp_path / "inbox", rows(spool), settled_ms=3_600_000)
    drop(tmp_path, "a.csv", CROSSINGS)
    assert watched.sweep() == []
    for name in ("notes.txt", ".hidden.csv", "a.csv.part"):
        drop(tmp_path, name, CROSSINGS)
    (tmp_path / "inbox" / "a.csv").unlink()
    assert inbox(tmp_path, spool).sweep() == []


def test_a_file_that_cannot_be_read_is_set_aside_with_the_reason(tmp_path: Path, spool: Spool) -> None:
    drop(tmp_path, "broken.avro", "no container")
    (taken,) = inbox(tmp_path, spool).sweep()
    assert taken.trouble
    assert (tmp_path / "inbox" / "refused" / "broken.avro").exists()
    assert (tmp_path / "inbox" / "refused" / "broken.avro.reason.txt").read_text().strip() == taken.trouble


def test_when_the_spool_is_full_the_file_stays_and_is_taken_later(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", CROSSINGS)
    with Spool(tmp_path / "s.db", Keys([bytes(32)]), max_bytes=200) as small, pytest.raises(SpoolFullError):
        inbox(tmp_path, small).sweep()
    assert path.exists()
    with Spool(tmp_path / "s.db", Keys([bytes(32)])) as enough:
        (taken,) = inbox(tmp_path, enough).sweep()
        assert (taken.kept, taken.refused) == (2, 2)


@pytest.mark.parametrize(("body", "count"), [(b'{"a": 1}', 1), (b'[{"a": 1}, {"b": 2}]', 2), (b'{"a": 1}\n{"b": 2}\n\n', 2)])
def test_bodies_are_an_object_a_list_or_lines(body: bytes, count: int) -> None:
    assert len(parsed(body)) == count


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}\n{'])
def test_other_bodies_are_refused_in_one_sentence(body: bytes) -> None:
    with pytest.raises(UsageError, match="Expected"):
        parsed(body)
