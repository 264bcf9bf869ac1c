"""One partition against a Kafka made of a list: what is acknowledged, what stops the process, what is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from streams.errors import DependencyError, FencedError, IntegrityError
from streams.runtime.batch import Batch, Raw
from streams.runtime.checkpoint import Outcome
from streams.runtime.partition import Lane, Partition
from streams.runtime.store import MARKER_KEY, Store, pack_marker, unpack_marker


class BrokenError(Exception):
    """What the test's Kafka raises."""


class Kafka:
    """A changelog that is a list, a source from ``low`` to ``high``, and a commit that can fail."""

    def __init__(self, low: int = 0, high: int = 1_000) -> None:
        self.low, self.high = low, high
        self.changelog_low = 0
        self.changelog: list[tuple[bytes, bytes | None]] = []
        self.open: list[tuple[bytes, bytes | None]] = []
        self.fail_at: dict[int, BaseException] = {}
        self.commits = 0
        self.committed_offset = -1001

    def producer(self, _: str) -> Any:
        return self

    def reader(self) -> Any:
        return self

    def init_transactions(self, _: float) -> None:
        self.open = []

    def begin_transaction(self) -> None:
        self.open = []

    def produce(self, topic: str, value: bytes | None, key: bytes, partition: int, on_delivery: Any = None) -> None:
        self.open.append((key, value))

    def commit_transaction(self, _: float) -> None:
        self.commits += 1
        if self.commits in self.fail_at:
            raise self.fail_at[self.commits]
        self.changelog += self.open

    def purge(self) -> None: ...

    def flush(self, _: float) -> None: ...

    def close(self) -> None: ...

    def unassign(self) -> None: ...

    def assign(self, places: list[Any]) -> None:
        self.position = places[0].offset

    def get_watermark_offsets(self, place: Any, timeout: float) -> tuple[int, int]:
        return (self.changelog_low, len(self.changelog)) if place.topic == "changelog" else (self.low, self.high)

    def committed(self, places: list[Any], timeout: float) -> list[Any]:
        places[0].offset = self.committed_offset
        return places

    def consume(self, count: int, timeout: float) -> list[Any]:
        found = [Message(self.position + n, *pair) for n, pair in enumerate(self.changelog[self.position :])]
        self.position += len(found)
        return found


class Message:
    def __init__(self, offset: int, key: bytes, value: bytes | None) -> None:
        self.offset, self.key, self.value = (lambda: offset), (lambda: key), (lambda: value)

    def error(self) -> None:
        return None


class Sum:
    """Counts records in its state under one key."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def restore(self) -> None: ...

    def process(self, batch: Batch, now_ms: int) -> Outcome:
        so_far = int(self.store.get(b"n") or b"0") + len(batch.records)
        return Outcome(batch.next_offset - 1, [], {b"n": str(so_far).encode()}, processed=len(batch.records))


class Event:
    def __init__(self, first: int, following: int) -> None:
        self.value = Batch("source", 0, first, following, [Raw(offset, 0, None, b"") for offset in range(first, following)])
        self.acked = False

    def ack(self) -> bool:
        self.acked = True
        return True


class Rig:
    def __init__(self, kafka: Kafka, executor: ThreadPoolExecutor) -> None:
        self.rewound: list[int] = []
        self.fatal: list[BaseException] = []

        async def rewind(offset: int) -> None:
            self.rewound.append(offset)

        self.partition = Partition(
            Lane("source", "changelog", lambda _, store: Sum(store)),
            0,
            None,
            clients=kafka,
            executor=executor,
            decider=executor,
            transactional_id="x",
            rewind=rewind,
            fatal=self.fatal.append,
            batch_records=25,
        )

    async def play(self, events: list[Event], until: Callable[[], bool]) -> None:
        self.partition.start()
        for event in events:
            self.partition.submit(event)
        async with asyncio.timeout(5):
            while not until() and not self.fatal:  # noqa: ASYNC110 - looks at plain fields
                await asyncio.sleep(0.001)
        assert await self.partition.stop(5)


def play(kafka: Kafka, events: list[Event], until: Callable[[Rig], bool]) -> Rig:
    async def body() -> Rig:
        with ThreadPoolExecutor(1) as executor:
            rig = Rig(kafka, executor)
            await rig.play(events, lambda: until(rig))
            return rig

    return asyncio.run(body())


def total(kafka: Kafka) -> int:
    return int(dict(kafka.changelog)[b"n"] or b"0")


def test_events_are_acknowledged_after_their_transaction_and_counted_once() -> None:
    kafka = Kafka()
    events = [Event(0, 10), Event(10, 20), Event(20, 60)]
    play(kafka, events, lambda _: events[-1].acked)
    assert total(kafka) == 60
    assert all(event.acked for event in events)
    assert dict(kafka.changelog)[MARKER_KEY] == pack_marker(59)


def test_what_waits_shares_a_checkpoint_up_to_the_limit() -> None:
    kafka = Kafka()
    events = [Event(n, n + 10) for n in range(0, 100, 10)]
    play(kafka, events, lambda _: events[-1].acked)
    assert kafka.commits == 4  # three batches of ten reach the limit of 25
    assert total(kafka) == 100


@pytest.mark.parametrize("error", [FencedError("gone"), DependencyError("down"), BrokenError("?"), MemoryError()])
def test_whatever_fails_before_the_commit_stops_the_process_and_acknowledges_nothing(error: BaseException) -> None:
    kafka = Kafka()
    kafka.fail_at = {2: error}
    events = [Event(0, 30), Event(30, 60), Event(60, 90)]
    rig = play(kafka, events, lambda _: False)
    assert rig.fatal == [error]
    assert [event.acked for event in events] == [True, False, False]
    assert total(kafka) == 30


def test_a_group_that_is_ahead_of_an_empty_changelog_stops_the_process() -> None:
    kafka = Kafka()
    kafka.committed_offset = 30
    rig = play(kafka, [Event(30, 40)], lambda _: False)
    assert isinstance(rig.fatal[0], IntegrityError)
    assert kafka.changelog == []


def test_a_changelog_that_lost_its_end_is_made_good_from_the_log_and_the_log_says_so() -> None:
    kafka = Kafka()
    kafka.changelog = [(b"n", b"50"), (MARKER_KEY, pack_marker(49))]
    kafka.committed_offset = 60
    events = [Event(50, 80)]
    with capture_logs() as lines:
        play(kafka, events, lambda _: events[-1].acked)
    assert total(kafka) == 80
    assert [(line["from_offset"], line["to_offset"]) for line in lines if line["event"] == "deciding_again"] == [(50, 59)]


def test_a_changelog_whose_beginning_was_deleted_stops_the_process() -> None:
    kafka = Kafka()
    kafka.changelog = [(b"n", b"50"), (MARKER_KEY, pack_marker(49))]
    kafka.changelog_low = 1
    rig = play(kafka, [Event(50, 60)], lambda _: False)
    assert isinstance(rig.fatal[0], IntegrityError)
    assert "begins at offset 1" in str(rig.fatal[0])
    assert len(kafka.changelog) == 2


def test_batches_read_again_are_acknowledged_and_not_counted_again() -> None:
    kafka = Kafka()
    kafka.changelog = [(b"n", b"50"), (MARKER_KEY, pack_marker(49))]
    events = [Event(0, 30), Event(30, 70)]
    rig = play(kafka, events, lambda _: events[-1].acked)
    assert total(kafka) == 70
    assert all(event.acked for event in events)
    assert rig.rewound == []


def test_a_batch_that_lies_wholly_before_the_marker_makes_the_reader_jump() -> None:
    kafka = Kafka()
    kafka.changelog = [(b"n", b"50"), (MARKER_KEY, pack_marker(49))]
    rig = play(kafka, [Event(0, 30)], lambda rig: bool(rig.rewound))
    assert rig.rewound == [50]


def test_over_a_hole_nothing_goes_on_the_reader_goes_back() -> None:
    kafka = Kafka()
    events = [Event(0, 10), Event(12, 20)]
    rig = play(kafka, events, lambda rig: bool(rig.rewound))
    assert rig.rewound == [10]
    assert [event.acked for event in events] == [True, False]
    assert total(kafka) == 10


def test_a_hole_the_log_cannot_fill_any_more_stops_the_process() -> None:
    class Retention(Kafka):
        """Deletes what was not read yet after the first commit."""

        def commit_transaction(self, patience_s: float) -> None:
            super().commit_transaction(patience_s)
            self.low = 20

    events = [Event(0, 10), Event(20, 30)]
    rig = play(Retention(), events, lambda _: False)
    assert isinstance(rig.fatal[0], IntegrityError)
    assert "offsets 10 to 19" in str(rig.fatal[0])
    assert not events[1].acked


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_schedule_of_crashes_and_readings_again_counts_every_record_once(data: st.DataObject) -> None:
    kafka = Kafka()
    end = 60
    with ThreadPoolExecutor(1) as executor:
        for _ in range(40):
            done = unpack_marker(dict(kafka.changelog).get(MARKER_KEY) or pack_marker(-1)) + 1
            if done == end:
                break
            at = data.draw(st.integers(0, done))
            events = []
            while at < end:
                following = min(end, at + data.draw(st.integers(1, 25)))
                events.append(Event(at, following))
                at = following
            crash = data.draw(st.integers(0, 3))
            kafka.fail_at = {kafka.commits + crash: BrokenError()} if crash else {}
            rig = Rig(kafka, executor)
            last = events[-1]
            asyncio.run(rig.play(events, lambda last=last: last.acked))  # type: ignore[misc]
            marker = unpack_marker(dict(kafka.changelog).get(MARKER_KEY) or pack_marker(-1))
            assert all(event.value.next_offset - 1 <= marker for event in events if event.acked)
    assert total(kafka) == end
