"""What a border system has put into the sandbox, held against the facts it was given and against the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import fastavro

from streams.conformance.scenarios import Scenario
from streams.decode import Codes, Decoder, Rejected
from streams.decode.signatures import Headers
from streams.decode.sources import Source, Sources
from streams.publish.pseudonym import Pseudonyms
from streams.records import Record
from streams.wire import avro
from streams.wire.avro import CONFLUENT_HEADER, SINGLE_OBJECT_HEADER, codecs
from streams.wire.jsonform import FieldError, from_json, to_json
from streams.wire.partition import partition_of
from streams.wire.topics import Topic, topic_of

MAX_FAULTS = 20
"""Faults told of one scenario; all of a kind look alike."""

_OWN = frozenset({"type", "event_id", "source_seq", "recorded_at"})
"""Fields a system may fill by itself; ``recorded_at`` must then not lie before ``occurred_at``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One message of the sandbox.

    Attributes:
        topic: it was found on.
        partitions: how many that topic has.
        partition: it lies in.
        offset: its place.
        arrived_at: the broker's timestamp, UTC epoch ms.
        key: as it came.
        value: as it came.
        headers: as they came.
    """

    topic: Topic
    partitions: int
    partition: int
    offset: int
    arrived_at: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def place(self) -> str:
        """Where it lies, for a sentence."""
        return f"{self.topic.suffix}/{self.partition}/{self.offset}"


class Judge:
    """Judges scenario by scenario; remembers what earlier ones have brought.

    Args:
        codes: of the policy the kit was started with.
        pseudonyms: under the kit's key.
        source: the system's name.
        entry: its entry in a register of sources, if it must sign.
    """

    def __init__(self, codes: Codes, pseudonyms: Pseudonyms, source: str, entry: Source | None = None) -> None:
        self._decoder = Decoder(codes, None if entry is None else Sources({source: entry}))
        self._pseudonyms = pseudonyms
        self._source = source
        self._ids: dict[str, bytes] = {}
        self._numbers: dict[int, bytes] = {}
        self._refused = 0
        self._values: list[tuple[str, bytes]] = []

    def judge(self, scenario: Scenario, seen: Sequence[Seen]) -> list[str]:
        """Returns what is wrong; nothing if the scenario was acted out as the contract says.

        Args:
            scenario: the facts the system was given.
            seen: the messages that came of them, in the order of each partition.
        """
        faults: list[str] = []
        records: list[tuple[Seen, Record]] = []
        refused: list[Rejected] = []
        for message in seen:
            outcome = self._decoder.decode(
                message.value, received_at=message.arrived_at, topic=message.topic, headers=message.headers
            )
            if isinstance(outcome, Rejected):
                refused.append(outcome)
                if len(refused) > scenario.bad * scenario.runs or outcome.code != "unknown_post":
                    faults.append(f"{message.place}: {outcome.code}: {outcome.reason}")
            else:
                records.append((message, outcome))
                self._values.append((message.place, message.value or b""))
                faults += self._contract(message, outcome)
        faults += self._facts(scenario, records)
        self._refused += scenario.bad
        return faults[:MAX_FAULTS]

    def numbering(self) -> list[str]:
        """Returns what is wrong with the numbers of the whole run; a bad event may leave a hole."""
        if not self._numbers:
            return ["source_seq: nothing came that has a number"]
        holes = max(self._numbers) - len(self._numbers)
        if min(self._numbers) != 1 or holes > self._refused:
            return [f"source_seq: expected 1, 2, 3, … without gaps; came {len(self._numbers)} up to {max(self._numbers)}."]
        return []

    def upgrade(self) -> list[str]:
        """Returns which messages could not be read once a schema has one more field, as BACKWARD_TRANSITIVE lets it have."""
        faults = []
        for place, value in self._values:
            codec = codecs().by_header.get(value[:SINGLE_OBJECT_HEADER])
            start = SINGLE_OBJECT_HEADER if codec is not None else CONFLUENT_HEADER
            codec = codec or codecs().by_id[int.from_bytes(value[1:CONFLUENT_HEADER], "big")]
            now = codec.version.document
            later = now | {"fields": [*now["fields"], {"name": "added_later", "type": ["null", "string"], "default": None}]}
            try:
                source = BytesIO(value[start:])
                fastavro.schemaless_reader(source, fastavro.parse_schema(now), fastavro.parse_schema(later))
            except Exception as error:  # fastavro raises whatever the bytes lead it to
                faults.append(f"{place}: not readable with the next version of {codec.version.name} ({type(error).__name__})")
        return faults[:MAX_FAULTS] if self._values else ["nothing came that could be read"]

    def _contract(self, message: Seen, record: Record) -> Iterable[str]:
        if message.key != record.subject.encode():
            yield f"{message.place}: key: expected the event's subject; came another."
        elif message.partition != partition_of(message.key, message.partitions):
            yield f"{message.place}: partition: expected murmur2 of the key; came {message.partition}."
        if record.source != self._source:
            yield f"{message.place}: source: expected {self._source}; came another."
        if record.recorded_at < record.occurred_at:
            yield f"{message.place}: recorded_at: expected occurred_at or later; came earlier."
        if topic_of(record.NAME) is not message.topic:
            yield f"{message.place}: topic: expected {topic_of(record.NAME).suffix}."
        before = self._numbers.setdefault(record.source_seq, record.event_id)
        if before != record.event_id:
            yield f"{message.place}: source_seq: {record.source_seq} stands for another event already."

    def _facts(self, scenario: Scenario, records: list[tuple[Seen, Record]]) -> Iterable[str]:
        found: list[list[tuple[Seen, Record]]] = [[] for _ in scenario.facts]
        wanted: list[dict[str, Any] | None] = []
        left = [(message, record, _content(record)) for message, record in records]
        # Fact by fact, so that a correction is compared once it is known which id the system gave what it withdraws.
        for fact, came in zip(scenario.facts, found, strict=True):
            want = self._wanted(fact)
            wanted.append(want)
            came += [(message, record) for message, record, content in left if content == want]
            left = [one for one in left if one[2] != want]
            if want is None:
                continue  # the bad one: it must not come as an event, and if it had, it would be another
            if not came:
                yield f"fact {fact['source_seq']} ({fact['type']}) did not arrive."
                continue
            if len({record.event_id for _, record in came}) > 1:
                yield f"fact {fact['source_seq']}: event_id: expected one id however often it is sent; came several."
            self._ids[str(fact["event_id"])] = came[0][1].event_id
        for message, _, content in left:
            yield f"{message.place}: expected one of the scenario's facts; came another: {self._nearest(content, wanted)}."
        yield from _order(found)

    def _wanted(self, fact: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns a fact as its record must read; none if no record may come of it."""
        row = dict(fact)
        number, country = str(row.pop("document_number")), str(row.pop("issuing_country"))
        row["subject"] = self._pseudonyms.person(country, number)
        supersedes = row.get("supersedes")
        if supersedes in self._ids:
            row["supersedes"] = self.seen_id(supersedes)
        try:
            record = from_json(str(row["type"]), row)
        except FieldError:
            return None
        assert isinstance(record, Record)  # noqa: S101  # facts are inputs
        value = avro.encode(record)
        outcome = self._decoder.decode(value, received_at=record.recorded_at, topic=topic_of(record.NAME), headers=None)
        if isinstance(outcome, Rejected):
            return None
        return _content(record)

    def seen_id(self, event_id: str) -> str:
        """Returns the id a system has given the event that the kit calls so."""
        known = self._ids.get(event_id)
        return event_id if known is None else str(UUID(bytes=known))

    def _nearest(self, plain: Mapping[str, Any], wanted: Sequence[Mapping[str, Any] | None]) -> str:
        differing = [
            sorted(name for name in plain if want.get(name) != plain[name])
            for want in wanted
            if want is not None and want["type"] == plain["type"]
        ]
        best = min(differing, key=len, default=[])
        return f"{', '.join(best)} differ{'s' if len(best) == 1 else ''}" if best else f"no {plain['type']} was asked for"


def _content(record: Record) -> dict[str, Any]:
    """Returns what a record says, without what its system gives by itself."""
    return {name: value for name, value in to_json(record).items() if name not in _OWN} | {"type": record.NAME}


def _order(found: list[list[tuple[Seen, Record]]]) -> Iterable[str]:
    """Yields where a later fact of a person arrived before an earlier one."""
    last: dict[str, tuple[int, str]] = {}
    for came in found:
        if came:
            message, record = min(came, key=lambda one: one[0].offset)
            before = last.get(record.subject)
            if before is not None and before[0] > message.offset:
                yield f"{message.place}: order: expected after {before[1]}, as it happened later to the same person."
            last[record.subject] = (message.offset, message.place)
