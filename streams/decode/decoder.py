"""Bytes to facts: the door of the system."""

from __future__ import annotations

from typing import Any, cast

from streams.decode.checks import Check, checks
from streams.decode.envelope import envelope_fault, is_source, subject_fault
from streams.decode.rejected import Codes, Rejected
from streams.decode.signatures import Headers, SignatureCheck
from streams.decode.sources import Sources
from streams.records import INPUTS, RELAYED, Record
from streams.wire.avro import SINGLE_OBJECT_HEADER, MalformedError, codecs
from streams.wire.topics import MAX_EVENT_BYTES, Topic, topic_of


class Decoder:
    """Decodes and checks the messages of the input topics.

    Args:
        codes: the registers of a policy, ``policy.codes``; read once, here.
        sources: who may write what; without it every source may write every type.
    """

    def __init__(self, codes: Codes, sources: Sources | None = None) -> None:
        self._codes = codes
        self._sources = sources
        self._signatures = SignatureCheck()
        self._codecs = codecs()
        bound = checks(codes)
        # One look-up per event; outputs are absent, so that none of them can come in as an input.
        self._doors: dict[type[Any], tuple[str, Check | None]] = {
            kind: (topic_of(kind).suffix, bound.get(kind)) for kind in (*INPUTS, *RELAYED)
        }

    def decode(self, value: bytes | None, *, received_at: int, topic: Topic, headers: Headers | None = ()) -> Record | Rejected:
        """Returns the fact in a message, or why there is none. Never raises.

        Args:
            value: the message's value as it came.
            received_at: the broker's timestamp of the message, UTC epoch ms; bounds how far ahead an event may lie.
            topic: the topic it came from.
            headers: the message's, where its signature stands; none: it has not been signed yet, signatures are not looked at.
        """
        if value is None:
            value = b""
        if len(value) > MAX_EVENT_BYTES:
            return self._over_long(value)
        try:
            record = cast("Record", self._codecs.decode(value))
        except MalformedError as error:
            return Rejected(error.code, error.reason, error.event_type, "")
        door = self._doors.get(type(record))
        if door is None or door[0] != topic.suffix:
            return _refused(record, "wrong_topic", self._elsewhere(record, topic))
        fault = envelope_fault(record, received_at) or subject_fault(record, self._codes)
        if fault is None and door[1] is not None:
            fault = door[1](record, received_at)
        if fault is None and self._sources is not None and type(record) not in RELAYED:
            fault = self._sources.fault(record)
            if fault is None and headers is not None:
                entry = self._sources.of(record.source)
                if entry is not None:
                    fault = self._signatures.fault(entry, value, headers, received_at)
        return record if fault is None else _refused(record, *fault)

    def _over_long(self, value: bytes) -> Rejected:
        codec = self._codecs.by_header.get(value[:SINGLE_OBJECT_HEADER])
        return Rejected(
            "over_long",
            f"Expected at most {MAX_EVENT_BYTES} bytes; came {len(value)}. An event is one fact: publish one message for each.",
            codec.version.name if codec else "",
            "",
        )

    def _elsewhere(self, record: Record, topic: Topic) -> str:
        if type(record) not in self._doors:
            return f"Expected an event on {topic.suffix}; came a {record.NAME}, which only this system writes."
        return f"Expected {record.NAME} on the topic {topic_of(record.NAME).suffix}; came on {topic.suffix}. Publish it there."


def _refused(record: Record, code: str, reason: str) -> Rejected:
    source = getattr(record, "source", "")
    return Rejected(code, reason, record.NAME, source if is_source(source) else "")
