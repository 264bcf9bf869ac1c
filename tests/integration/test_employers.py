"""Employers' declarations through real Kafka and a real worker, killed in the middle: alerts come once and hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.records import Alert, BatchMarker, DeadLetter
from streams.wire import avro
from streams.wire.topics import CASES, DEAD_LETTERS, EMPLOYERS, LEDGER
from tests.conftest import Kafka
from tests.integration.rig import Log, holes, until, workers
from tests.property.declarations import declared

pytestmark = pytest.mark.integration

ON = 19_000


def test_employers_alerts_come_exactly_once_across_a_kill_and_make_no_case(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    log, topic = Log(settings), EMPLOYERS.name(settings.namespace)

    def publish(number: int, employer: int, on: int, foreigners: int) -> None:
        subject = f"e1-{employer:032x}"
        log.put(avro.encode(declared(number, on, subject=subject, foreigners_12=foreigners)), subject.encode(), topic=topic)

    def lines() -> list[BatchMarker]:
        found = [avro.decode(message.value()) for message in log.read(LEDGER.name(settings.namespace))]
        return [line for line in found if isinstance(line, BatchMarker) and line.topic == topic]

    def done() -> int:
        return sum(line.processed + line.dead_letters for line in lines())

    for employer in range(20):
        publish(employer + 1, employer, ON, 31 if employer % 2 else 30)
    log.put(b"no declaration", b"e", topic=topic)
    log.flush()
    with workers(settings, tmp_path) as start:
        # Killed once the first batch is committed and before it is applied: what comes back must know it from the changelog.
        first = start("--failpoint", "after_commit:1")
        assert first.wait() != 0
        second = start()
        second.ready()
        for employer in range(20):
            publish(100 + employer, employer, ON + 90, 0)
            publish(100 + employer, employer, ON + 90, 0)  # the same fact again
        log.flush()
        until(lambda: done() == 61, "everything is processed")
        assert second.popen.poll() is None

    told: dict[str, list[tuple[int, str, int | None]]] = {}
    for alert in log.alerts():
        assert isinstance(alert, Alert)
        assert (alert.rule, alert.employer, alert.stay_on) == ("employer_citizen_share", alert.subject, ON)
        told.setdefault(alert.subject, []).append((alert.version, alert.state, alert.last_day_on))
    assert told == {
        f"e1-{employer:032x}": [(1, "raised", None), (2, "resolved", ON + 90)] for employer in range(20) if employer % 2
    }
    assert holes(lines()) == []
    assert sum(line.dead_letters for line in lines()) == 1
    letters = [avro.decode(message.value()) for message in log.read(DEAD_LETTERS.name(settings.namespace))]
    assert [letter.topic for letter in letters if isinstance(letter, DeadLetter)] == [topic]
    assert log.read(CASES.name(settings.namespace)) == []
