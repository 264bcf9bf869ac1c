"""What is, held against what must be: the one check every scenario ends with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from streams.agents.people import PersonSteps
from streams.agents.timetable import TIME_KEY
from streams.policy.load import load
from streams.records import BatchMarker, DeadLetter
from streams.runtime.store import MARKER_KEY
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import LABOUR_LINKS, TOPICS
from tests.chaos.oracle import Truth, judge, raw_log

Select = Callable[[str], list[tuple[Any, ...]]]
"""Takes a query of the warehouse, returns its rows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        events: records of the input topics.
        processed: records the ledger says were processed.
        alerts: alerts, each counted once.
        dead_letters: records that were refused.
        people: dossiers compared.
        differences: where what is differs from what must be; empty when all is well.
    """

    events: int
    processed: int
    alerts: int
    dead_letters: int
    people: int
    differences: list[str]


def read_topic(settings: Settings, suffix: str) -> list[Any]:
    """Returns every committed record of a topic, partition by partition in their order."""
    return read_topics(settings, [suffix])[suffix]


def read_topics(settings: Settings, suffixes: Iterable[str]) -> dict[str, list[Any]]:
    """Returns every committed record of some topics, partition by partition in their order; one consumer reads them all."""
    found: dict[str, list[Any]] = {suffix: [] for suffix in suffixes}
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": f"{settings.namespace}-checker",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
            "receive.message.max.bytes": 100_000_000,
        }
    )
    try:
        known = consumer.list_topics(timeout=20).topics
        names = {f"{settings.namespace}.{suffix}": suffix for suffix in found}
        unread = {(name, partition) for name in names for partition in known[name].partitions}
        consumer.assign([TopicPartition(name, partition, 0) for name, partition in unread])
        while unread:
            for message in consumer.consume(10_000, timeout=0.1):
                error = message.error()
                if error is not None:
                    assert error.name() == "_PARTITION_EOF", error
                    unread.discard((message.topic(), message.partition()))
                else:
                    found[names[str(message.topic())]].append(message)
    finally:
        consumer.close()
    for messages in found.values():
        messages.sort(key=lambda message: (message.partition(), message.offset()))
    return found


def check(
    settings: Settings,
    *,
    person: PersonSteps | None = None,
    select: Select | None = None,
    outputs_once: bool = True,
    refused: Mapping[tuple[str, int, int], str] = MappingProxyType({}),
) -> Verdict:
    """Compares everything the workers and the sink left behind with the pure core over the raw log.

    Args:
        settings: broker, namespace and number of partitions.
        person: the steps of one person the workers ran with; the real rules if not given.
        select: asks the warehouse; it is not looked at if not given.
        outputs_once: whether every output must be there once. If not, all was decided a second time: repetitions of the same
            version are forgiven, and of the ledger the last time counts.
        refused: by place of a record whose row ClickHouse refuses, the code of its letter.
    """
    topics = read_topics(settings, [topic.suffix for topic in TOPICS])
    log = raw_log(topics.__getitem__, settings.partitions)
    truth = judge(log, load(settings.policy), person)
    differences = [
        *topic_differences(truth, topics, outputs_once=outputs_once, refused=refused),
        *(_warehouse(truth, settings.namespace, select, len(refused), ledger=outputs_once) if select is not None else ()),
    ]
    lines = [line for message in topics["ledger"] if isinstance(line := avro.decode(message.value()), BatchMarker)]
    return Verdict(
        events=sum(truth.produced.values()),
        processed=sum(line.processed for line in (lines if outputs_once else _last_time(lines))),
        alerts=len(_last(truth, "alerts")),
        dead_letters=len(truth.refused) + len(refused),
        people=sum(len(states) for states in truth.states.values()),
        differences=differences,
    )


def topic_differences(
    truth: Truth,
    topics: Mapping[str, list[Any]],
    *,
    outputs_once: bool = True,
    refused: Mapping[tuple[str, int, int], str] = MappingProxyType({}),
) -> list[str]:
    """Returns where the topics differ from what must be.

    Args:
        truth: what must be.
        topics: by suffix of every output and changelog, its committed messages.
        outputs_once: whether every output must be there once.
        refused: by place of a record whose row ClickHouse refuses, the code of its letter.
    """
    lines = [line for message in topics["ledger"] if isinstance(line := avro.decode(message.value()), BatchMarker)]
    letters = [letter for message in topics["dead-letters"] if isinstance(letter := avro.decode(message.value()), DeadLetter)]
    if not outputs_once:
        lines, letters = _last_time(lines), list({(one.topic, one.partition, one.offset): one for one in letters}.values())
    return [
        *_outputs(truth, topics, outputs_once=outputs_once),
        *_ledger(truth, lines),
        *_letters({**truth.refused, **refused}, letters),
        *_states(truth, topics),
    ]


def _last_time(lines: list[BatchMarker]) -> list[BatchMarker]:
    """Returns of every partition the lines since it was last begun."""
    runs: dict[tuple[str, int], list[BatchMarker]] = defaultdict(list)
    for line in lines:
        if line.first_offset == 0:
            runs[line.topic, line.partition] = []
        runs[line.topic, line.partition].append(line)
    return [line for run in runs.values() for line in run]


def _outputs(truth: Truth, topics: Mapping[str, list[Any]], *, outputs_once: bool) -> Iterator[str]:
    """Alerts, findings, cases and links on their topics: the same records, in the order of each one, and each once."""
    for suffix, by_key in truth.outputs.items():
        expected: dict[bytes, list[bytes]] = defaultdict(list)
        for key, values in by_key.items():
            for value in values:
                expected[_line(key, value)].append(value)
        found: dict[bytes, list[bytes]] = defaultdict(list)
        for message in topics[suffix]:
            found[_line(message.key(), message.value())].append(message.value())
        for key in sorted({*expected, *found}):
            must, have = expected.get(key, []), found.get(key, [])
            if not outputs_once:
                have = list(dict.fromkeys(have))
            if must != have:
                yield f"{suffix}: {len(have)} of {len(must)} records of one line, {_first_difference(must, have)}"


def _line(key: bytes, value: bytes) -> bytes:
    """Returns what keeps its order: an alert, a case; several lanes write about one employer, in no order among them."""
    record: Any = avro.decode(value)
    return key + b"/" + (getattr(record, "alert_id", None) or getattr(record, "case_id", None) or b"")


def _first_difference(must: list[bytes], have: list[bytes]) -> str:
    counts = Counter(have)
    doubled = [value for value, count in counts.items() if count > 1]
    if doubled:
        return f"{len(doubled)} of them more than once"
    for number, (one, other) in enumerate(zip(must, have, strict=False)):
        if one != other:
            return f"the first that differs is number {number}: {avro.decode(one)} / {avro.decode(other)}"
    return "the others agree"


def _ledger(truth: Truth, lines: list[BatchMarker]) -> Iterator[str]:
    """The ledger's runs of offsets: unbroken, from the first record to the last, and every record accounted for."""
    runs: dict[tuple[str, int], list[BatchMarker]] = defaultdict(list)
    for line in lines:
        runs[line.topic.rpartition(".")[2], line.partition].append(line)
    refused = Counter((suffix, number) for suffix, number, _ in truth.refused)
    for place, produced in truth.produced.items():
        run = sorted(runs.get(place, []), key=lambda line: line.first_offset)
        for one, following in pairwise(run):
            if following.first_offset != one.last_offset + 1:
                yield f"ledger of {place}: {one.last_offset} is followed by {following.first_offset}"
        if run and run[0].first_offset != 0:
            yield f"ledger of {place}: begins at {run[0].first_offset}"
        processed, dead = sum(line.processed for line in run), sum(line.dead_letters for line in run)
        if (processed, dead) != (produced - refused[place], refused[place]):
            yield f"ledger of {place}: {processed} processed, {dead} dead; produced {produced}, to be refused {refused[place]}"


def _letters(refused: Mapping[tuple[str, int, int], str], letters: list[DeadLetter]) -> Iterator[str]:
    """The dead letters: exactly the records that must be refused, each once, for the right reason."""
    found = Counter((letter.topic.rpartition(".")[2], letter.partition, letter.offset, letter.code) for letter in letters)
    expected = Counter((*place, code) for place, code in refused.items())
    if found != expected:
        missing, many = sorted((expected - found).elements()), sorted((found - expected).elements())
        yield f"dead letters: {missing[:5]} missing, {many[:5]} too many"


def _states(truth: Truth, topics: Mapping[str, list[Any]]) -> Iterator[str]:
    """The digest of every dossier, as the changelog keeps it."""
    for (suffix, number), expected in truth.states.items():
        kept: dict[bytes, bytes] = {}
        for message in topics[f"{suffix}-changelog"]:
            if message.partition() != number or message.key() in (MARKER_KEY, TIME_KEY):
                continue
            if message.value() is None:
                kept.pop(message.key(), None)
            else:
                kept[message.key()] = message.value()
        must, have = _digests(expected), _digests(kept)
        if must != have:
            wrong = sum(1 for key in {*must, *have} if must.get(key) != have.get(key))
            yield f"dossiers of {suffix} {number}: {wrong} of {len(must)} differ"


def _digests(states: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: sha256(value).digest() for key, value in states.items()}


def _last(truth: Truth, suffix: str) -> dict[str, tuple[int, str]]:
    """Returns by alert id its last version and state."""
    last: dict[str, tuple[int, str]] = {}
    for values in truth.outputs[suffix].values():
        for value in values:
            record: Any = avro.decode(value)
            last[record.alert_id.hex()] = max(last.get(record.alert_id.hex(), (0, "")), (record.version, record.state))
    return last


def _warehouse(truth: Truth, namespace: str, select: Select, refused: int, *, ledger: bool) -> Iterator[str]:
    """ClickHouse: every alert and finding as it stands now, every version once; dead letters and ledger complete."""
    for suffix in ("alerts", "findings"):
        expected = _last(truth, suffix)
        rows = select(
            f"SELECT replaceAll(toString(alert_id), '-', ''), max(version), argMax(toString(state), version), "  # noqa: S608
            f"count(), uniqExact(version) "
            f"FROM {suffix} FINAL GROUP BY alert_id"
        )
        found = {row[0]: (row[1], row[2]) for row in rows}
        if found != expected:
            wrong = [one for one in {*expected, *found} if expected.get(one) != found.get(one)]
            examples = [(expected.get(one), found.get(one)) for one in wrong[:3]]
            yield f"warehouse, {suffix}: {len(wrong)} of {len(expected)} differ, e.g. {examples}"
        versions = sum(row[3] for row in rows)
        written = sum(len(values) for values in truth.outputs[suffix].values())
        if versions != written or any(row[3] != row[4] for row in rows):
            yield f"warehouse, {suffix}: {versions} versions of {written}"
    (letters,) = select("SELECT count() FROM dead_letters FINAL")[0]
    if letters != len(truth.refused) + refused:
        yield f"warehouse, dead letters: {letters} of {len(truth.refused) + refused}"
    if not ledger:
        return
    lines = select("SELECT topic, partition, processed, dead_letters, balanced, missing FROM mart_ledger")
    accounted = {(row[0].removeprefix(f"{namespace}."), row[1]): row[2] + row[3] for row in lines if row[4] and not row[5]}
    # What workers tell each other is not carried to the warehouse: its ledger is looked at on the topic only.
    accounted = {place: count for place, count in accounted.items() if place[0] != LABOUR_LINKS.suffix}
    expected_lines = {place: count for place, count in truth.produced.items() if count and place[0] != LABOUR_LINKS.suffix}
    if accounted != expected_lines:
        yield f"warehouse, ledger: {accounted} instead of {expected_lines}"
