"""What ``shekara simulate`` says it sent is what lies in the topics."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import DependencyError
from streams.publish import Publisher
from streams.simulate import Corrupt, Rates, Simulation, publish
from tests.conftest import Kafka
from tests.recompute.counts import recompute
from tests.recompute.raw import INPUTS, read
from tests.recompute.wire import RefusedError, Schemas

pytestmark = pytest.mark.integration


def test_every_message_arrives_ticks_in_every_partition_and_corrupt_ones_as_they_are(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=3)
    simulation = Simulation(200, 10, 4, rates=Rates(corrupt=0.05))
    seen: list[tuple[int, int]] = []
    with Publisher(settings) as publisher:
        sent = publish(simulation, publisher, settings.namespace, progress=lambda count, at_ms: seen.append((count, at_ms)))
    counts = recompute(settings.kafka, settings.namespace)
    by_topic: Counter[str] = Counter()
    for (topic, _), number in counts.produced.items():
        by_topic[topic] += number
    assert dict(by_topic) == sent.by_topic
    assert dict(counts.refused_codes) == sent.dead_letters == simulation.totals.dead_letters
    assert sum(sent.dead_letters.values()) > 10
    assert sent.messages == simulation.totals.messages + 2 * simulation.totals.by_kind["tick"]
    assert seen[-1] == (simulation.totals.messages, simulation.world.end_ms)


def test_a_persons_events_lie_in_one_partition_in_the_order_they_were_sent(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=4)
    with Publisher(settings) as publisher:
        publish(Simulation(150, 10, 4), publisher, settings.namespace)
    sent = [m.event_id for m in Simulation(150, 10, 4).events() if not isinstance(m, Corrupt) and m.subject.startswith("p1-")]
    schemas = Schemas()
    home: dict[str, int] = {}
    order: dict[int, list[bytes]] = {}
    for raw in read(settings.kafka, settings.namespace, "people"):
        try:
            _, event = schemas.decode(raw.value)
        except RefusedError:
            continue
        if event["subject"].startswith("p1-"):
            assert home.setdefault(event["subject"], raw.partition) == raw.partition
            order.setdefault(raw.partition, []).append(event["event_id"])
    assert len(order) == 4
    for found in order.values():
        inside = set(found)
        assert found == [event_id for event_id in sent if event_id in inside]


def test_the_command_publishes_and_tells_what_it_sent(kafka: Kafka) -> None:
    settings = kafka.settings()
    where = ["--bootstrap", settings.kafka, "--namespace", settings.namespace]
    result = CliRunner().invoke(build(), ["simulate", "--people", "40", "--days", "3", *where, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    lying = {suffix: sum(1 for _ in read(settings.kafka, settings.namespace, suffix)) for suffix in INPUTS}
    assert told["by_topic"] == {suffix: count for suffix, count in lying.items() if count}
    assert told["sent"] == sum(lying.values())


def test_without_topics_it_is_one_sentence_with_a_next_step(kafka: Kafka) -> None:
    settings = kafka.settings(create=False)
    where = ["--bootstrap", settings.kafka, "--namespace", settings.namespace]
    result = CliRunner().invoke(build(), ["simulate", "--people", "5", "--days", "1", *where])
    assert isinstance(result.exception, DependencyError)
    assert "shekara init" in result.exception.next_step
