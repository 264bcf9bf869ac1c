"""Acting the scenarios out: a sandbox in Kafka, the border system's own command, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from kafka import KafkaConsumer, TopicPartition

from streams.clock import monotonic_s
from streams.conformance.judge import Judge, Seen
from streams.conformance.report import Finding
from streams.conformance.scenarios import Scenario
from streams.errors import UsageError
from streams.local import admin, topics
from streams.settings import Settings
from streams.wire import connection
from streams.wire.topics import TOPICS, Topic

PARTITIONS = 3
_QUIET_S = 2.0
"""Nothing new for so long after everything has come: then no repeats are under way either."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a border system says of itself.

    Attributes:
        source: its name.
        post: its border post.
        country: that issued the documents of the kit's people.
        command: run once for each scenario, with the facts as JSON lines on its standard input and at the path ``{facts}``;
            empty: somebody enters the facts by hand.
        public: its key, if it must sign.
        kid: the key's name.
        offline_s: how long Kafka is away.
        give_up_s: how long a scenario may take.
    """

    source: str
    post: str
    country: str = "UZB"
    command: tuple[str, ...] = ()
    public: bytes | None = None
    kid: str = ""
    offline_s: float = 10.0
    give_up_s: float = 120.0


def read_config(path: Path) -> Config:
    """Reads a configuration.

    Raises:
        UsageError: it cannot be read, or is not of the form docs/conformance.md has.
    """
    known = {"source", "post", "country", "command", "key", "offline_s", "give_up_s"}
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        if not isinstance(content, dict) or not {"source", "post"} <= content.keys() or not content.keys() <= known:
            raise ValueError(f"source and post, and of {', '.join(sorted(known))}")  # noqa: TRY301  # one sentence for all
        key = content.pop("key", None) or {}
        command = content.pop("command", None) or []
        if not isinstance(command, list) or not isinstance(key, dict):
            raise ValueError("a list as command, kid and public as key")  # noqa: TRY301, TRY004
        times = {name: float(content.pop(name)) for name in ("offline_s", "give_up_s") if name in content}
        public = bytes.fromhex(str(key["public"])) if key else None
        texts = {name: str(value) for name, value in content.items()}
        given: dict[str, Any] = texts | times | {"command": tuple(map(str, command)), "public": public}
        return Config(**given, kid=str(key.get("kid", "")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"The configuration {path} cannot be used; expected {error}.", "See docs/conformance.md.") from error


class Stops(Protocol):
    """A broker of the kit's own, that can be taken away; ``streams.local.broker.Broker`` is one."""

    def start(self) -> None:
        """Starts it."""

    def stop(self) -> bool:
        """Stops it; its data stay."""

    def wait_ready(self, settings: Settings) -> None:
        """Returns when it answers."""


class Sandbox:
    """A namespace of its own.

    Args:
        settings: of Kafka, with the sandbox's namespace.
        broker: the kit's own, if it is.
        pseudonym_key: the kit's, for the system's documents.
        folder: for the facts.
        tell: told what to do by hand.
    """

    def __init__(
        self, settings: Settings, broker: Stops | None, *, pseudonym_key: bytes, folder: Path, tell: Callable[[str], None]
    ) -> None:
        self.settings = settings
        self.broker = broker
        self._key = pseudonym_key
        self._folder = folder
        self._tell = tell
        self._read: dict[tuple[str, int], int] = {}
        with admin.connect(settings.kafka, settings) as client:
            topics.create(client, settings.namespace, partitions=PARTITIONS, replication=1)

    def close(self) -> None:
        """Deletes the sandbox's topics."""
        names = [topic.name(self.settings.namespace) for topic in TOPICS]
        with admin.connect(self.settings.kafka, self.settings) as client:
            client.delete_topics(names)

    def act(self, scenario: Scenario, config: Config, judge: Judge) -> Finding:
        """Lets the system act a scenario out, and judges what came."""
        began = monotonic_s()
        offline = scenario.name == "offline_day"
        if offline and (self.broker is None or not config.command):
            why = "It needs a Kafka of the kit's own and a command: run without --bootstrap." if config.command else "No command."
            return Finding(scenario.name, scenario.says, "not_run", 0, 0.0, (why,))
        deadline = began + config.give_up_s
        facts = self._write(scenario, judge)
        trouble = ""
        if offline and self.broker is not None:
            trouble = self._without_kafka(facts, config, deadline, scenario, self.broker)
        else:
            for _ in range(scenario.runs):
                trouble = self._run(facts, config, deadline, scenario)
        seen = self._seen(scenario, deadline)
        faults = judge.judge(scenario, seen)
        if trouble and faults:
            faults.append(trouble)
        state = "failed" if faults else "passed"
        return Finding(scenario.name, scenario.says, state, len(seen), round(monotonic_s() - began, 1), tuple(faults))  # type: ignore[arg-type]

    def _write(self, scenario: Scenario, judge: Judge) -> Path:
        path = self._folder / f"{scenario.name}.jsonl"
        rows: Iterator[Mapping[str, Any]] = (
            dict(fact) | ({"supersedes": judge.seen_id(fact["supersedes"])} if "supersedes" in fact else {})
            for fact in scenario.facts
        )
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    def _run(self, facts: Path, config: Config, deadline: float, scenario: Scenario) -> str:
        """Runs the command once; returns what it said last if it failed."""
        if not config.command:
            self._tell(f"{scenario.name}: enter the facts in {facts}. {scenario.says}")
            return ""
        command = [part.replace("{facts}", str(facts)) for part in config.command]
        with facts.open("rb") as source:
            try:
                done = subprocess.run(
                    command,
                    stdin=source,
                    capture_output=True,
                    text=True,
                    env=self._environment(scenario),
                    timeout=max(1.0, deadline - monotonic_s()),
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"the command did not end within {config.give_up_s:.0f} s"
            except OSError as error:
                raise UsageError(
                    f"The command {command[0]!r} cannot be run: {error.strerror}.", "See its configuration."
                ) from error
        if done.returncode == 0:
            return ""
        said = (done.stderr or done.stdout).strip().splitlines()
        return f"the command ended with {done.returncode}: {said[-1][:300] if said else 'it said nothing'}"

    def _without_kafka(self, facts: Path, config: Config, deadline: float, scenario: Scenario, broker: Stops) -> str:
        """Takes Kafka away, runs the command as a supervisor would until it ends well, and brings Kafka back meanwhile."""
        from concurrent.futures import ThreadPoolExecutor
        from time import sleep

        def until_it_ends_well() -> str:
            trouble = "it was never run"
            while trouble and monotonic_s() < deadline:
                trouble = self._run(facts, config, deadline, scenario)
            return trouble

        broker.stop()
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(until_it_ends_well)
            # Here, not beside: a broker dies with the thread that started it (ADR 0041).
            sleep(config.offline_s)
            broker.start()
            broker.wait_ready(self.settings)
            return running.result()

    def _environment(self, scenario: Scenario) -> dict[str, str]:
        return os.environ | {
            "SHEKARA_KAFKA": self.settings.kafka,
            "SHEKARA_NAMESPACE": self.settings.namespace,
            "SHEKARA_PSEUDONYM_KEY": self._key.hex(),
            "SHEKARA_PSEUDONYM_KEY_VERSION": "1",
            "SHEKARA_CONFORMANCE_SCENARIO": scenario.name,
        }

    def _seen(self, scenario: Scenario, deadline: float) -> list[Seen]:
        """Returns what has come since the last scenario, once it is enough and nothing more comes."""
        enough = len(scenario.facts) - scenario.bad
        found: list[Seen] = []
        inputs = {topic.name(self.settings.namespace): topic for topic in TOPICS if topic.role == "input"}
        consumer = KafkaConsumer(
            **connection.kafka_python(self.settings), group_id=None, enable_auto_commit=False, allow_auto_create_topics=False
        )
        try:
            places = [
                TopicPartition(name, number) for name in inputs for number in sorted(consumer.partitions_for_topic(name) or ())
            ]
            counts = {name: sum(place.topic == name for place in places) for name in inputs}
            consumer.assign(places)
            for place in places:
                consumer.seek(place, self._read.get((place.topic, place.partition), 0))
            last = monotonic_s()
            while monotonic_s() < deadline:
                for place, messages in consumer.poll(timeout_ms=200).items():
                    last = monotonic_s()
                    found += [_seen(inputs[place.topic], counts[place.topic], message) for message in messages]
                if len(found) >= enough and monotonic_s() - last > _QUIET_S:
                    break
            for place in places:
                self._read[place.topic, place.partition] = consumer.position(place)
        finally:
            with suppress(Exception):
                consumer.close()
        return sorted(found, key=lambda one: (one.topic.suffix, one.partition, one.offset))


def _seen(topic: Topic, partitions: int, message: Any) -> Seen:
    return Seen(
        topic,
        partitions,
        message.partition,
        message.offset,
        message.timestamp,
        message.key,
        message.value,
        tuple(message.headers or ()),
    )
