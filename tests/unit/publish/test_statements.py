"""A post's daily statements: together they cover every number once, whatever happens to the machine and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.publish import spool as spool_room
from streams.publish.publisher import Receipt
from streams.publish.sealing import Keys
from streams.publish.spool import Spool, SpoolFullError
from streams.publish.statements import Statements
from streams.publish.tally import Tally
from streams.records import BorderCrossing, CountStatement, PostOutage, Record, Visa
from streams.wire import avro
from streams.wire.signing import Signer, Verifier, statement_text
from tests.unit.decode.lawful import POST, lawful

SOURCE = f"post:{POST}"
HOUR = 3_600_000
DAY_MS = 24 * HOUR
NOON = 20_000 * DAY_MS + 7 * HOUR
"""Of the 20 000th day since 1970-01-01, in Almaty (five hours ahead of UTC)."""
SIGNER = Signer("a1-2026", bytes(range(32)))


@dataclass
class Clock:
    now: int = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(spool_room, "now_ms", found)
    return found


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as opened:
        yield opened


def event(number: int, kind: type[Record] = BorderCrossing, **changes: object) -> Record:
    return lawful(kind, **{"event_id": number.to_bytes(16, "big"), "source": SOURCE, "source_seq": 0} | changes)


def daily(spool: Spool, clock: Clock, signer: Signer | None = SIGNER) -> Statements:
    return Statements(spool, {POST: "Asia/Almaty"}, signer, clock)


def waiting(spool: Spool) -> list[Record]:
    found = [avro.decode(one.value) for one in spool.next_events(10_000)]
    assert all(isinstance(one, Record) for one in found)
    return found  # type: ignore[return-value]


def of(records: list[Record]) -> Tally:
    tally = Tally()
    for record in records:
        tally = tally.plus(record)
    return tally


def said(one: CountStatement) -> tuple[int, int, int, int, bytes]:
    return one.first_seq, one.last_seq, one.events, one.crossings, one.digest


def counted(records: list[Record]) -> tuple[int, int, int, int, bytes]:
    tally = of(records)
    return tally.first_seq, tally.last_seq, tally.events, tally.crossings, tally.digest.to_bytes(32, "big")


def test_a_day_is_stated_once_when_it_is_over_signed_with_what_was_numbered(spool: Spool, clock: Clock) -> None:
    statements = daily(spool, clock)
    spool.put_many([event(1), event(2), event(3, PostOutage)])
    before = waiting(spool)
    clock.now = NOON + 12 * HOUR - 1
    assert statements.make_due() == []
    clock.now += 1
    [made] = statements.make_due()
    assert (made.subject, made.source, made.day_on, made.source_seq) == (POST, SOURCE, 20_000, 4)
    assert said(made) == counted(before)
    assert made.crossings == 2
    assert made.signature is not None
    assert Verifier(SIGNER.public).fits(made.signature, statement_text(made))
    assert waiting(spool)[-1] == made
    assert statements.make_due() == []


def test_a_quiet_day_is_stated_too_and_covers_the_statement_before(spool: Spool, clock: Clock) -> None:
    statements = daily(spool, clock)
    spool.put(event(1))
    clock.now += DAY_MS
    [first] = statements.make_due()
    clock.now += DAY_MS
    [second] = statements.make_due()
    assert (second.day_on, second.first_seq, second.last_seq, second.events, second.crossings) == (20_001, 2, 2, 1, 0)
    assert said(second) == counted([first])


def test_days_on_which_the_machine_was_off_have_no_statement_and_nothing_is_forgotten(tmp_path: Path, clock: Clock) -> None:
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool:
        spool.put_many([event(1), event(2)])
    clock.now += 4 * DAY_MS
    with Spool(tmp_path / "spool.db", Keys([bytes(32)])) as spool:
        [made] = daily(spool, clock).make_due()
        assert (made.day_on, made.first_seq, made.last_seq, made.events) == (20_000, 1, 2, 2)
        assert daily(spool, clock).make_due() == []


def test_only_posts_of_the_policy_have_statements(spool: Spool, clock: Clock) -> None:
    spool.put_many([event(1, source="post:elsewhere"), event(2, Visa, source="register:visas")])
    clock.now += DAY_MS
    assert daily(spool, clock).make_due() == []


def test_an_event_put_again_is_counted_once(spool: Spool, clock: Clock) -> None:
    spool.put_many([event(1), event(1)])
    spool.settle([(one, Receipt("t", 0, 0, NOON)) for one in spool.next_events(10)])
    spool.put(event(1))
    clock.now += DAY_MS
    [made] = daily(spool, clock).make_due()
    assert (made.events, made.last_seq) == (1, 1)


def test_what_was_refused_for_want_of_room_is_not_counted_and_a_full_spool_states_later(tmp_path: Path, clock: Clock) -> None:
    with Spool(tmp_path / "spool.db", Keys([bytes(32)]), max_bytes=500) as spool:
        spool.put_many([event(1), event(2), event(3)])
        with pytest.raises(SpoolFullError):
            spool.put_many([event(4), event(5)])
        clock.now += DAY_MS
        with pytest.raises(SpoolFullError):
            daily(spool, clock).make_due()
        spool.settle([(one, Receipt("t", 0, 0, NOON)) for one in spool.next_events(2)])
        [made] = daily(spool, clock).make_due()
        assert (made.events, made.last_seq) == (3, 3)


def test_a_clock_that_was_years_ahead_and_set_right_does_not_stop_the_statements(spool: Spool, clock: Clock) -> None:
    clock.now += 3650 * DAY_MS
    spool.put(event(1))
    clock.now = NOON
    spool.put(event(2))
    clock.now += DAY_MS
    [made] = daily(spool, clock).make_due()
    assert (made.day_on, made.events) == (20_000, 2)


def test_a_clock_set_back_over_midnight_states_no_day_twice_and_forgets_nothing(spool: Spool, clock: Clock) -> None:
    statements = daily(spool, clock)
    spool.put(event(1))
    clock.now += DAY_MS
    [first] = statements.make_due()
    spool.settle([(one, Receipt("t", 0, 0, NOON)) for one in spool.next_events(10)])
    clock.now = NOON - HOUR
    spool.put(event(2))
    clock.now += DAY_MS
    assert statements.make_due() == []  # the day has its statement
    clock.now += DAY_MS
    [second] = statements.make_due()
    assert second.day_on == first.day_on + 1
    assert (second.first_seq, second.last_seq, second.events) == (2, 3, 2)


def test_without_a_key_a_statement_goes_unsigned(spool: Spool, clock: Clock) -> None:
    spool.put(event(1))
    clock.now += DAY_MS
    [made] = daily(spool, clock, None).make_due()
    assert (made.kid, made.signature) == (None, None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40), st.booleans()), min_size=1, max_size=25))
def test_statements_tile_the_numbers_of_a_source_over_any_days_and_restarts(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[int, int, bool]]
) -> None:
    path, clock, number = tmp_path_factory.mktemp("post") / "spool.db", Clock(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_room, "now_ms", clock)
        spool = Spool(path, Keys([bytes(32)]))
        for events, hours, restart in life:
            spool.put_many(event(number + one) for one in range(1, events + 1))
            number += events
            clock.now += hours * HOUR
            daily(spool, clock).make_due()
            if restart:
                spool.close()
                spool = Spool(path, Keys([bytes(32)]))
        records = waiting(spool)
        rest = [one.tally for one in spool.counted()]
        spool.close()
    stated = [one for one in records if isinstance(one, CountStatement)]
    assert [one.source_seq for one in records] == list(range(1, len(records) + 1))
    at = 0
    for one in stated:
        covered = records[at : one.last_seq]
        assert said(one) == counted(covered)
        at = one.last_seq
    assert rest == [of(records[at:])] or not records
    assert [one.day_on for one in stated] == sorted({one.day_on for one in stated})


def test_a_tally_of_parts_is_the_tally_of_the_whole() -> None:
    records = [replace(event(number), source_seq=number) for number in range(1, 20)]
    for cut in range(20):
        assert of(records[:cut]).and_then(of(records[cut:])) == of(records)
