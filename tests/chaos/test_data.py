"""Data nobody should send: doubled, shuffled, from 1970 and 2106, too long, random, cut off; and poison."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from streams.records import DeadLetter
from streams.settings import Settings
from streams.wire import avro
from streams.wire.topics import EMPLOYERS, MAX_MESSAGE_BYTES, PEOPLE, POSTS, QUOTAS
from tests.chaos.checker import read_topic
from tests.chaos.conftest import ROOT, Judge
from tests.chaos.crew import crew_of
from tests.chaos.feed import Feed
from tests.chaos.profile import SEED
from tests.chaos.worker import POISON, Poisoned
from tests.conftest import Kafka
from tests.integration.rig import BASE_MS, ask, crossing, person

pytestmark = pytest.mark.integration

HOUR_MS = 3_600_000
IN_2106_MS = 4_294_967_295_000
"""Where 32 bits of seconds end."""


def letters(settings: Settings) -> list[DeadLetter]:
    """Returns the dead letters."""
    found = [avro.decode(message.value()) for message in read_topic(settings, "dead-letters")]
    return [letter for letter in found if isinstance(letter, DeadLetter)]


def test_doubled_shuffled_and_impossible_data_are_decided_or_refused_each_once(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings = kafka.settings(partitions=3)
    dice = random.Random(SEED)
    feed = Feed(settings, seed=SEED, doubled=0.1, shuffled=600)
    feed.everything()
    topics = [topic.name(settings.namespace) for topic in (PEOPLE, POSTS, EMPLOYERS, QUOTAS)]
    instants = [0, 1, -1, BASE_MS, IN_2106_MS, 2**62, *(BASE_MS + dice.randint(-9, 9) * HOUR_MS for _ in range(40))]
    for number, at_ms in enumerate(instants):
        event = crossing(500_000 + number, person(number % 7), at_ms=at_ms)
        feed.raw(topics[0], avro.encode(event), event.subject.encode())
    valid = avro.encode(crossing(600_000, person(1)))
    for length in range(len(valid)):
        feed.raw(topics[0], valid[:length], person(1).encode())
    for _ in range(200):
        feed.raw(dice.choice(topics), dice.randbytes(dice.randint(0, 400)), dice.randbytes(dice.randint(0, 40)))
        flipped = bytearray(valid)
        flipped[dice.randrange(len(valid))] ^= 1 << dice.randrange(8)
        feed.raw(dice.choice(topics), bytes(flipped), person(1).encode())
    for length in (5_000_000, MAX_MESSAGE_BYTES - 1_000):
        feed.raw(topics[0], dice.randbytes(length), b"long")
    feed.raw(topics[0], None, person(1).encode())
    feed.flush()
    with crew_of(settings, tmp_path) as crew:
        crew.start("one")
        crew.finish(feed)
    verdict = judged(settings, bad_messages=len(valid) + 400, longest_bytes=MAX_MESSAGE_BYTES - 1_000)
    assert verdict.dead_letters > len(valid) + 200
    assert {letter.code for letter in letters(settings)} >= {"over_long", "empty", "unknown_framing", "truncated"}


def test_poison_goes_to_the_dead_letters_alone_with_its_traceback_and_fires_the_alert(
    kafka: Kafka, tmp_path: Path, judged: Judge
) -> None:
    settings = kafka.settings(partitions=1)
    feed = Feed(settings, seed=SEED)
    victims = [person(number) for number in range(900, 905)]
    feed.send(300)
    for number, subject in enumerate(victims):
        event = crossing(700_000 + number, subject, source=POISON)
        feed.raw(PEOPLE.name(settings.namespace), avro.encode(event), subject.encode())
        feed.send(100)
    feed.everything()
    with crew_of(settings, tmp_path) as crew:
        worker = crew.start("one", "--poisoned")
        crew.finish(feed)
        metrics = ask(f"{worker.url()}/metrics")[1]
        said = worker.log.read_text(encoding="utf-8")
    judged(settings, person=Poisoned(), poison=len(victims))
    failed = [letter for letter in letters(settings) if letter.code == "rule_failed"]
    assert [letter.key for letter in failed] == [subject.encode() for subject in victims]
    for letter in failed:
        assert "ZeroDivisionError" in letter.reason
        assert "tests.chaos.worker._divide:" in letter.reason.replace("__main__", "tests.chaos.worker")
        assert "no days of" not in letter.reason, "the error's message may quote the record"
    assert not any(subject in said for subject in victims)
    assert f'shekara_rule_failures_total{{error="ZeroDivisionError"}} {len(victims)}.0' in metrics
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    [alert] = [rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == "ShekaraRuleFailed"]
    # That it fires on the first failure is tested with promtool (tests/unit/deploy); here, that it reads this metric.
    assert "shekara_rule_failures_total" in alert["expr"]
