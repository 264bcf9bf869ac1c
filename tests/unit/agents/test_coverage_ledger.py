"""How far every post vouches: independent of order and repeats, never more than was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.detect.coverage_ledger import SILENT_AFTER_MS, CoverageLedger
from streams.records import Gap, PostHeartbeat, PostOutage
from streams.wire import avro
from streams.wire.topics import MAX_EVENT_BYTES

HOUR = 3_600_000
NOW = 1_000 * HOUR


def heartbeat(post: str, through: int, number: int = 1) -> PostHeartbeat:
    return PostHeartbeat(number.to_bytes(16, "big"), post, through, through, f"post:{post}", number, through, 0, 0, 0)


def outage(post: str, kind: str, start: int, end: int | None, name: int = 1) -> PostOutage:
    recorded = (end or 0) % 7
    event_id = f"{kind[:4]}{start % 997:04d}{name:08d}".encode()
    return PostOutage(event_id, post, recorded, recorded, f"post:{post}", 1, name.to_bytes(16, "big"), kind, start, end)  # type: ignore[arg-type]


def ledger_of(records: list[PostHeartbeat | PostOutage]) -> CoverageLedger:
    ledger = CoverageLedger()
    for record in records:
        ledger.take(record)
    return ledger


posts = st.sampled_from(["A", "B", "C"])
hours = st.integers(980, 1_000).map(lambda hour: hour * HOUR)
heartbeats = st.builds(heartbeat, posts, hours, st.integers(1, 9))
outages = st.builds(
    outage,
    posts,
    st.sampled_from(["started", "ended", "backfilled"]),
    hours,
    st.one_of(st.none(), hours),
    st.integers(1, 3),
)
histories = st.lists(st.one_of(heartbeats, outages), max_size=15)


@given(histories.flatmap(lambda records: st.tuples(st.just(records), st.permutations(records + records))))
def test_order_and_repeats_change_nothing(
    both: tuple[list[PostHeartbeat | PostOutage], list[PostHeartbeat | PostOutage]],
) -> None:
    told, shuffled = both
    assert ledger_of(told).tick(NOW) == ledger_of(shuffled).tick(NOW)


@given(histories)
def test_what_was_kept_comes_back(records: list[PostHeartbeat | PostOutage]) -> None:
    ledger, back = ledger_of(records), CoverageLedger()
    for code in ledger:
        back.unpack(code, ledger.pack(code))
    assert back.tick(NOW) == ledger.tick(NOW)


@given(histories)
def test_taking_says_whether_anything_new_was_said(records: list[PostHeartbeat | PostOutage]) -> None:
    ledger = CoverageLedger()
    for record in records:
        before = ledger.pack(record.subject) if record.subject in set(ledger) else None
        assert ledger.take(record) == (ledger.pack(record.subject) != before)


@given(histories)
def test_coverage_never_says_more_than_a_post_has_vouched_for(records: list[PostHeartbeat | PostOutage]) -> None:
    complete, gaps = ledger_of(records).coverage(NOW)
    assert complete <= NOW
    through: dict[str, int] = {}
    for record in records:
        if isinstance(record, PostHeartbeat):
            through[record.subject] = max(through.get(record.subject, 0), record.complete_through_at)
    for post, vouched in through.items():
        if complete > vouched:
            assert any(gap.post == post and gap.from_at <= vouched and gap.until_at is None for gap in gaps)


def test_the_slowest_post_holds_the_others_back() -> None:
    ledger = ledger_of([heartbeat("A", NOW - HOUR), heartbeat("B", NOW - 2 * HOUR)])
    assert ledger.coverage(NOW) == (NOW - 2 * HOUR, ())


def test_a_silent_post_becomes_a_gap_and_holds_nobody_back() -> None:
    silent = NOW - SILENT_AFTER_MS - 1
    ledger = ledger_of([heartbeat("A", NOW - HOUR), heartbeat("B", silent)])
    assert ledger.coverage(NOW) == (NOW - HOUR, (Gap("B", silent, None),))
    ledger.take(heartbeat("B", NOW - 2 * HOUR, 2))
    assert ledger.coverage(NOW) == (NOW - 2 * HOUR, ())


def test_before_any_heartbeat_nothing_is_covered() -> None:
    assert CoverageLedger().coverage(NOW) == (0, ())


def test_an_outage_is_a_gap_until_it_is_backfilled() -> None:
    start, end = NOW - 5 * HOUR, NOW - 4 * HOUR
    ledger = ledger_of([heartbeat("A", NOW), outage("A", "started", start, None)])
    assert ledger.coverage(NOW)[1] == (Gap("A", start, None),)
    ledger.take(outage("A", "ended", start, end))
    assert ledger.coverage(NOW)[1] == (Gap("A", start, end),)
    ledger.take(outage("A", "backfilled", start, end))
    assert ledger.coverage(NOW)[1] == ()


def test_ten_thousand_outages_still_fit_into_one_event_and_cover_all_of_them() -> None:
    ledger = CoverageLedger()
    spans = [(n * HOUR, n * HOUR + 60_000) for n in range(1, 10_001)]
    for name, (start, end) in enumerate(spans):
        ledger.take(outage(f"KZ-75-A{name % 7}", "ended", start, end, name))
    record = ledger.tick(NOW * 20)
    assert len(avro.encode(record)) < MAX_EVENT_BYTES
    by_post: dict[str, list[Gap]] = {}
    for gap in record.gaps:
        by_post.setdefault(gap.post, []).append(gap)
    for name, (start, end) in enumerate(spans):
        assert any(gap.from_at <= start and (gap.until_at or end) >= end for gap in by_post[f"KZ-75-A{name % 7}"])


def test_the_same_instant_gives_the_same_tick() -> None:
    assert CoverageLedger().tick(NOW) == CoverageLedger().tick(NOW)
    assert CoverageLedger().tick(NOW).event_id != CoverageLedger().tick(NOW + 1).event_id
    assert CoverageLedger().tick(NOW).event_id[6] >> 4 == 5
