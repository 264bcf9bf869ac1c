"""The second program's door and the first one's agree on every message of a spoilt country."""

from __future__ import annotations

from collections import Counter

from streams.clock import now_ms
from streams.decode import Decoder, Rejected
from streams.policy.model import Policy
from streams.simulate import Corrupt, Rates, Simulation
from streams.wire.avro import encode
from streams.wire.topics import topic_of
from tests.recompute.door import Door
from tests.recompute.registers import Registers
from tests.recompute.wire import RefusedError, Schemas


def test_both_doors_refuse_the_same_messages_for_the_same_reasons(policy: Policy) -> None:
    decoder, schemas, door = Decoder(policy.codes), Schemas(), Door(Registers())
    received_ms = now_ms()
    codes: Counter[str] = Counter()
    for message in Simulation(200, 20, 9, rates=Rates(corrupt=0.5), policy=policy).events():
        topic = message.topic if isinstance(message, Corrupt) else topic_of(type(message))
        value = message.value if isinstance(message, Corrupt) else encode(message)
        ours = decoder.decode(value, received_at=received_ms, topic=topic)
        try:
            theirs = door.refuses(topic.suffix, *schemas.decode(value), received_ms)
        except RefusedError as refused:
            theirs = refused.code
        assert theirs == (ours.code if isinstance(ours, Rejected) else None)
        codes[theirs or "taken"] += 1
    assert codes["taken"] > 1_000
    assert len(codes) > 8
