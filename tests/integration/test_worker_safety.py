"""What a worker does with bad data, with poison, with a thief of its partition, with a log that lost records."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as ConfluentPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from streams.errors import FencedError, SetupError
from streams.records import Tick
from streams.runtime.checkpoint import Checkpoint, Outcome, Output
from streams.runtime.clients import KafkaClients
from streams.runtime.store import MemoryStore, recover
from streams.wire import avro
from streams.wire.partition import partition_of
from streams.wire.topics import (
    ALERTS,
    MAX_LETTER_VALUE_BYTES,
    MAX_MESSAGE_BYTES,
    PEOPLE,
    PEOPLE_CHANGELOG,
    POSTS_CHANGELOG,
)
from tests.conftest import Kafka
from tests.integration.rig import BASE_MS, ROOT, Log, Process, ask, assert_exactly_once, crossing, holes, person, until, workers

pytestmark = pytest.mark.integration


def clients(kafka: Kafka) -> KafkaClients:
    return KafkaClients({"bootstrap.servers": kafka.bootstrap, "log_level": 0}, group="unused", message_max_bytes=1_000_000)


def test_bad_messages_and_poison_go_whole_to_the_dead_letters_and_the_rest_goes_on(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    log.crossings(30)
    honest = crossing(1000, person(1))
    log.put(b"garbage", b"any")
    log.put(None, b"any")
    log.put(avro.encode(honest), person(2).encode())
    log.put(avro.encode(crossing(1001, person(3), source="poison")), person(3).encode())
    log.put(b"\x00" * 300_000, b"long")
    log.flush()
    log.crossings(30, seed=2)
    with workers(settings, tmp_path) as start:
        worker = start()
        until(lambda: log.done() == 65, "all are accounted for")
        metrics = ask(f"{worker.url()}/metrics")[1]
    letters = {letter.code: letter for letter in log.dead_letters()}
    assert set(letters) == {"unknown_framing", "empty", "wrong_key", "rule_failed", "over_long"}
    assert letters["unknown_framing"].value == b"garbage"
    assert letters["over_long"].value == b"\x00" * 300_000
    assert letters["wrong_key"].value == avro.encode(honest)
    failed = letters["rule_failed"]
    assert "ValueError" in failed.reason
    assert "__main__.take" in failed.reason
    assert person(3) not in failed.reason
    assert 'shekara_rule_failures_total{error="ValueError"} 1.0' in metrics
    assert f'shekara_dead_letters_total{{code="empty",topic="{log.people}"}} 1.0' in metrics
    assert person(3) not in worker.log.read_text(encoding="utf-8")
    assert_exactly_once(log, 60)


def test_the_longest_messages_go_whole_to_the_dead_letters_and_a_bomb_is_cut(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    dice = random.Random(8)
    noise = {b"8": dice.randbytes(MAX_MESSAGE_BYTES - 1_000), b"5": dice.randbytes(5_000_000)}  # what cannot be compressed
    bomb = bytes(2 * MAX_LETTER_VALUE_BYTES)  # what the broker takes because it came compressed
    producer = Producer({"bootstrap.servers": settings.kafka, "message.max.bytes": 100_000_000, "compression.type": "zstd"})
    for key, value in [*noise.items(), (b"bomb", bomb)]:
        producer.produce(log.people, value, key)
        assert producer.flush(30) == 0
    log.crossings(20)
    with workers(settings, tmp_path) as start:
        start()
        until(lambda: log.done() == 23, "all are accounted for")
    letters = {letter.key: letter for letter in log.dead_letters()}
    assert {key: letter.value for key, letter in letters.items() if key != b"bomb"} == noise
    assert {letter.code for letter in letters.values()} == {"over_long"}
    cut = letters[b"bomb"]
    assert MAX_LETTER_VALUE_BYTES // 2 < len(cut.value) < MAX_LETTER_VALUE_BYTES
    assert f"{len(bomb)} bytes" in cut.reason
    assert_exactly_once(log, 20)


def test_a_publisher_with_another_partitioner_is_refused_and_told_which_to_use(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    log = Log(settings)
    log.crossings(40)
    producer = Producer({"bootstrap.servers": settings.kafka})  # librdkafka's default: crc32 of the key
    for number in range(100, 140):
        event = crossing(number, person(number))
        producer.produce(log.people, avro.encode(event), event.subject.encode())
    assert producer.flush(20) == 0
    strangers = {person(number) for number in range(100, 140)}
    misplaced = {
        message.key().decode()
        for message in log.read(log.people)
        if message.partition() != partition_of(message.key(), 2) and message.key().decode() in strangers
    }
    assert 0 < len(misplaced) < 40
    with workers(settings, tmp_path) as start:
        start()
        until(lambda: log.done() == 80, "all are accounted for")
    letters = log.dead_letters()
    assert {(letter.key or b"").decode() for letter in letters} == misplaced
    assert {letter.code for letter in letters} == {"wrong_partition"}
    assert all("murmur2_random" in letter.reason for letter in letters)
    assert_exactly_once(log, 80 - len(misplaced))


def test_topics_and_changelogs_with_other_numbers_of_partitions_are_refused(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=2)
    namespace = settings.namespace
    make = clients(kafka)
    make.require({PEOPLE.name(namespace): PEOPLE_CHANGELOG.name(namespace)})
    assert make.partitions(PEOPLE.name(namespace)) == 2
    with pytest.raises(SetupError, match=r"has 2 partitions and .* has 1"):
        make.require({PEOPLE.name(namespace): POSTS_CHANGELOG.name(namespace)})


def test_a_tick_reaches_who_is_due_once_even_over_a_restart(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    for number in range(3):
        event = crossing(number, person(number), source="timer", at_ms=BASE_MS + number)
        log.put(avro.encode(event), event.subject.encode())
    log.flush()

    def tick(number: int, at_ms: int) -> None:
        record = Tick((9000 + number).to_bytes(16, "big"), "wall", at_ms, at_ms, "test", number, at_ms, ())
        log.put(avro.encode(record), b"tick", partition=0)
        log.flush()

    with workers(settings, tmp_path) as start:
        first = start()
        tick(1, BASE_MS + 1)
        until(lambda: log.done() == 4, "the first tick is processed")
        first.popen.send_signal(signal.SIGKILL)
        first.wait()
        tick(2, BASE_MS)  # older than the log's clock: changes nothing
        tick(3, BASE_MS + 2)
        start()
        until(lambda: log.done() == 6, "the other ticks are processed")
    counts = [(alert.subject, alert.version, alert.decided_at) for alert in log.alerts()]
    assert counts == [
        *[(person(number), 1, 0) for number in range(3)],
        (person(0), 2, BASE_MS + 1),
        (person(1), 2, BASE_MS + 1),
        (person(2), 2, BASE_MS + 2),
    ]


def test_wall_ticks_reach_every_partition_while_the_posts_log_is_owned(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=3)
    log = Log(settings)
    with workers(settings, tmp_path) as start:
        start("--ticks", "wall")

        def partitions() -> set[int]:
            return {message.partition() for message in log.read(log.people)}

        until(lambda: partitions() == {0, 1, 2}, "every partition has a tick")
        until(lambda: len(log.read(log.people)) >= 9, "ticks go on")
    ticks = [avro.decode(message.value()) for message in log.read(log.people)]
    assert all(isinstance(tick, Tick) for tick in ticks)
    assert log.dead_letters() == []


def test_transaction_marks_and_aborted_records_of_a_publisher_leave_no_hole(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    publisher = clients(kafka).producer(f"{settings.namespace}-publisher")
    publisher.init_transactions(10)
    number = 0
    for commit in (True, False, True, True, False):
        publisher.begin_transaction()
        for _ in range(3):
            publisher.produce(log.people, avro.encode(crossing(number, person(number))), person(number).encode())
            number += 1
        publisher.flush(10)
        publisher.commit_transaction(10) if commit else publisher.abort_transaction(10)
    with workers(settings, tmp_path) as start:
        start("--batch", "2")
        until(lambda: log.done() == 9, "the committed ones are processed")
        log.crossings(5)
        until(lambda: log.done() == 14, "and what came later")
    lines = log.ledger()
    assert holes(lines) == []
    assert len(log.alerts()) == 14
    # Behind the last record the marks of the last abort may or may not have been passed when the last line was written.
    assert sum(line.skipped_offsets for line in lines) == 3 + 6 + 2


def test_who_lost_a_partition_is_fenced_and_writes_nothing(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    changelog, alerts = PEOPLE_CHANGELOG.name(settings.namespace), ALERTS.name(settings.namespace)
    make = clients(kafka)
    name = f"{settings.namespace}.people.0"
    zombie = Checkpoint(make.producer(name), changelog, 0)
    zombie.open()
    zombie.commit(Outcome(4, [Output(alerts, b"k", b"one")], {b"k": b"1"}))
    owner = Checkpoint(make.producer(name), changelog, 0)
    owner.open()
    with pytest.raises(FencedError):
        zombie.commit(Outcome(9, [Output(alerts, b"k", b"zombie")], {b"k": b"9"}))
    owner.commit(Outcome(5, [Output(alerts, b"k", b"two")], {b"k": b"2"}))
    store = MemoryStore()
    assert recover(store, make.reader(), changelog, 0)
    assert (store.marker, store.get(b"k")) == (5, b"2")
    assert [message.value() for message in Log(settings).read(alerts)] == [b"one", b"two"]


def test_what_an_owner_left_open_is_aborted_and_invisible(kafka: Kafka) -> None:
    settings = kafka.settings(partitions=1)
    changelog = PEOPLE_CHANGELOG.name(settings.namespace)
    make = clients(kafka)
    name = f"{settings.namespace}.people.0"
    dead: Producer = make.producer(name)
    dead.init_transactions(10)
    dead.begin_transaction()
    dead.produce(changelog, b"torn", b"k", 0)
    dead.flush(10)
    owner = Checkpoint(make.producer(name), changelog, 0)
    owner.open()
    store = MemoryStore()
    assert recover(store, make.reader(), changelog, 0)
    assert (store.marker, len(store)) == (None, 0)


def test_a_worker_whose_partition_is_taken_over_stops_with_75(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    with workers(settings, tmp_path) as start:
        worker = start()
        worker.ready()
        log.crossings(10)
        until(lambda: log.done() == 10, "the first are processed")
        thief = Checkpoint(clients(kafka).producer(f"{log.people}.0"), PEOPLE_CHANGELOG.name(settings.namespace), 0)
        thief.open()
        log.crossings(10, seed=2)
        assert worker.wait() == FencedError.exit_code
        start()
        until(lambda: log.done() == 20, "a restart goes on")
    assert_exactly_once(log, 20)


def test_records_deleted_before_they_were_processed_stop_the_worker_with_5(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    log.crossings(20)
    with workers(settings, tmp_path) as start:
        first = start()
        until(lambda: log.done() == 20, "the first are processed")
        first.popen.send_signal(signal.SIGTERM)
        assert first.wait() == 0
        log.crossings(20, seed=2)
        admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        admin.delete_records({TopicPartition(log.people, 0): 30})
        admin.close()
        second = start()
        assert second.wait() == 5
        assert "Retention deleted offsets 20 to 29" in second.log.read_text(encoding="utf-8")
    assert log.done() == 20


def test_a_topic_made_anew_stops_the_worker_with_5(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    checkpoint = Checkpoint(clients(kafka).producer(f"{log.people}.0"), PEOPLE_CHANGELOG.name(settings.namespace), 0)
    checkpoint.open()
    checkpoint.commit(Outcome(99))
    log.crossings(5)
    with workers(settings, tmp_path) as start:
        worker = start()
        assert worker.wait() == 5
        assert "deleted and created again" in worker.log.read_text(encoding="utf-8")


def test_a_changelog_that_was_lost_stops_the_worker_with_5(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    log.crossings(5)
    group = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"{settings.namespace}-worker"})
    group.commit(offsets=[ConfluentPartition(log.people, 0, 5)], asynchronous=False)
    group.close()
    with workers(settings, tmp_path) as start:
        worker = start()
        assert worker.wait() == 5
        assert "the changelog topic was deleted or truncated" in worker.log.read_text(encoding="utf-8")
    assert log.done() == 0


def test_fausts_own_command_line_runs_the_worker_and_never_listens_for_the_web(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=1)
    log = Log(settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        "SHEKARA_KAFKA": kafka.bootstrap,
        "SHEKARA_NAMESPACE": settings.namespace,
        "SHEKARA_METRICS_PORT": str(port),
        "SHEKARA_TICKS": "log",
    }
    process = Process(["-m", "faust", "-A", "streams.app", "worker", "-l", "info", "--with-web"], tmp_path / "faust.log", env)
    try:
        until(lambda: ask(f"http://127.0.0.1:{port}/readyz")[0] == 200, "the worker is ready")
        log.put(b"garbage")
        log.flush()
        until(lambda: log.done() == 1, "the message is processed")
        assert listening(process.popen.pid) == {port}
        process.popen.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    finally:
        process.kill()


def listening(pid: int) -> set[int]:
    """Returns the TCP ports a process listens on."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(entry.readlink()))
        except OSError:
            continue
    ports = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def test_a_kafka_that_is_not_there_is_one_sentence_and_exit_code_4() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-m", "streams", "worker", "--bootstrap", f"127.0.0.1:{port}", "--log-level", "ERROR"],
        cwd=ROOT,
        env=os.environ | {"SHEKARA_KAFKA": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert PEOPLE.suffix not in done.stdout
