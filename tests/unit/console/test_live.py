"""No alert is lost on a feed and none is doubled, whatever falls out of the run and whenever a feed comes back."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from streams.console.live import AT_ONCE, Entry, Feed, Live, Position, Run, Stretch, read_position, write_position
from streams.records import Alert
from streams.settings import Settings
from streams.wire.avro import encode


def alert(number: int, **changes: object) -> Alert:
    """Returns a version of an alert, as the worker writes it."""
    values: dict[str, object] = {
        "alert_id": number.to_bytes(16, "big"),
        "version": 1,
        "subject": "p1-00000000000000000000000000000000",
        "rule": "overstay_visa_exempt",
        "family": "breach",
        "state": "raised",
        "grade": "presumed",
        "severity": "medium",
        "stay_on": 19_000,
        "deadline_on": 19_029,
        "first_day_on": 19_030,
        "last_day_on": None,
        "days": 1,
        "group": "visa_exempt_30",
        "oblast": "KZ-75",
        "post": "KZ-75-A1",
        "employer": "",
        "sector": "",
        "article": "",
        "policy_version": "kz-1",
        "options": (),
        "evidence": (),
        "reason": "raised",
        "caused_by": bytes(16),
        "caused_at": 0,
        "decided_at": 1_650_000_000_000,
    }
    return Alert(**(values | changes))  # type: ignore[arg-type]


def entry(partition: int, offset: int) -> Entry:
    return Entry(partition, offset, encode(alert(partition * 1_000 + offset)))


def walk(live: Live, position: Position) -> tuple[Feed, list[tuple[int, int]]]:
    async def once() -> tuple[Feed, list[tuple[int, int]]]:
        feed = Feed(live, position)
        found: list[tuple[int, int]] = []
        while True:
            stretch = await feed.next(0.0)
            assert stretch is not None
            if not stretch.entries:
                return feed, found
            found += [(one.partition, one.offset) for one in stretch.entries]

    return asyncio.run(once())


Batches = st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=12)


@given(Batches, Batches)
def test_a_feed_that_comes_back_gets_exactly_what_it_has_not_seen(before: list[list[int]], after: list[list[int]]) -> None:
    live = Live(Settings(), run=Run(kept=1_000))
    live.run.begin({0: -1, 1: -1, 2: -1})
    offsets = [0, 0, 0]
    written: list[tuple[int, int]] = []

    def write(batches: list[list[int]]) -> None:
        for batch in batches:
            entries = []
            for partition in batch:
                entries.append(entry(partition, offsets[partition]))
                written.append((partition, offsets[partition]))
                offsets[partition] += 2  # transactions leave marks between records
            live.run.append(entries)

    write(before)
    feed, first = walk(live, {})
    assert feed.is_complete()
    assert first == written
    write(after)
    again, second = walk(live, read_position(write_position(feed.position)) or {})
    assert again.is_complete()
    assert first + second == written


@given(st.integers(1, 8), st.integers(0, 20), st.integers(-1, 19))
def test_a_feed_is_told_to_reload_exactly_when_something_it_has_not_seen_is_gone(kept: int, count: int, seen: int) -> None:
    live = Live(Settings(), run=Run(kept=kept))
    live.run.begin({0: -1})
    live.run.append([entry(0, offset) for offset in range(count)])
    gone = max(count - kept, 0)
    assert Feed(live, {0: seen} if seen >= 0 else {}).is_complete() == (seen >= gone - 1)


def test_a_feed_left_behind_while_open_is_told_so() -> None:
    live = Live(Settings(), run=Run(kept=3))
    live.run.begin({0: -1})

    async def left_behind() -> object:
        feed = Feed(live, {})
        live.run.append([entry(0, offset) for offset in range(10)])
        return await feed.next(0.0)

    assert asyncio.run(left_behind()) is None


def test_a_feed_that_writes_slowly_stays_behind_alone_and_is_told_the_rest_piece_by_piece() -> None:
    live = Live(Settings(), run=Run(kept=5_000))
    live.run.begin({0: -1})

    async def follow() -> tuple[list[int], list[int], list[int]]:
        quick, slow = Feed(live, {}), Feed(live, {})
        seen: dict[str, list[int]] = {"quick": [], "slow": []}
        pieces = []
        for number in range(30):
            live.run.append([entry(0, number * 50 + step) for step in range(50)])
            found = await quick.next(0.0)
            assert found is not None
            seen["quick"] += [one.offset for one in found.entries]
            if number == 0:  # then its browser reads nothing for a while
                stretch = await slow.next(0.0)
                assert stretch is not None
                seen["slow"] += [one.offset for one in stretch.entries]
        while (stretch := await slow.next(0.0)) and stretch.entries:
            pieces.append(len(stretch.entries))
            seen["slow"] += [one.offset for one in stretch.entries]
        return seen["quick"], seen["slow"], pieces

    quick, slow, pieces = asyncio.run(follow())
    assert quick == slow == list(range(1_500))
    assert max(pieces) == AT_ONCE


def test_a_start_in_the_middle_of_the_log_is_no_beginning() -> None:
    live = Live(Settings())
    live.run.begin({0: 99})
    assert not Feed(live, {0: 98}).is_complete()
    assert Feed(live, {0: 99}).is_complete()


def test_a_waiting_feed_wakes_at_once() -> None:
    live = Live(Settings())
    live.run.begin({0: -1})

    async def wait() -> int:
        feed = Feed(live, {})
        waiting: asyncio.Task[Stretch | None] = asyncio.ensure_future(feed.next(30.0))
        await asyncio.sleep(0)
        await asyncio.to_thread(live._take, [_Message()])  # what the reading thread does
        found = await asyncio.wait_for(waiting, 5.0)
        return len(found.entries) if found else 0

    assert asyncio.run(wait()) == 1


class _Message:
    """What confluent-kafka hands over."""

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_650_000_000_000

    def value(self) -> bytes:
        return encode(alert(1))


def test_an_id_that_is_not_ours_is_refused() -> None:
    assert read_position("") == {}
    assert read_position("0:5_12:-1") == {0: 5, 12: -1}
    for text in ("x", "0:1_", "_0:1", "0:1;1:2", "0:", "9999999999:1", "0:1\n"):
        assert read_position(text) is None, text
