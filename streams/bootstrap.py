"""The one place where the parts are put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams import clock
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.agents.people import PersonSteps
    from streams.policy.model import Policy
    from streams.runtime.clients import KafkaClients
    from streams.runtime.headless import HeadlessApp
    from streams.runtime.ownership import Place
    from streams.runtime.partition import Lane
    from streams.runtime.store import Store
    from streams.warehouse.refusals import Refusals
    from streams.wire.letter import Received

SESSION_S = 10.0
"""Short, because a wrong guess costs little: state is kept over a rebalance, and who lost a partition is fenced."""

NAMED_SESSION_S = 20.0
"""Of a worker with a name: long enough to be started again under it."""


def worker(
    settings: Settings,
    *,
    person: PersonSteps | None = None,
    failpoint: str = "",
    name: str = "",
    session_s: float | None = None,
) -> HeadlessApp:
    """Builds the worker: a Faust app whose agents decide the input topics' records.

    Args:
        settings: must name a Kafka (see :func:`with_kafka`).
        person: the steps of one person; those of ``streams.person`` if not given.
        failpoint: where a test wants the process killed, see ``streams.runtime.failpoints``.
        name: under which the group knows this worker (static membership): one that comes back under its name within the
            session gets its partitions back, and nobody else is disturbed. Nobody else may have it. None if empty.
        session_s: seconds without a sign of life after which the group takes this worker for dead.

    Raises:
        SetupError: the settings do not fit together.
        PolicyError: the policy cannot be loaded.
    """
    import streams.person
    from streams.agents import posts, registry
    from streams.decode import Decoder, load_sources
    from streams.policy.load import load
    from streams.runtime import failpoints
    from streams.runtime.clients import KafkaClients
    from streams.runtime.ownership import Ownership
    from streams.wire import connection
    from streams.wire.topics import MAX_DEAD_LETTER_BYTES, PEOPLE

    if session_s is None:
        session_s = NAMED_SESSION_S if name else SESSION_S
    policy = load(settings.policy)
    group = f"{settings.namespace}-worker"
    clients = KafkaClients(connection.librdkafka(settings), group=group, message_max_bytes=MAX_DEAD_LETTER_BYTES)
    app = headless(settings, group, name=name, session_s=session_s)
    ownership = Ownership(
        registry.lanes(
            decoder=Decoder(policy.codes, load_sources(settings.sources) if settings.sources else None),
            person=person or streams.person,
            policy=policy,
            namespace=settings.namespace,
            partitions=clients.partitions,
        ),
        clients,
        open_store=_stores(settings, clients, {PEOPLE.name(settings.namespace)}),
        rewind=app.rewind,
        fatal=app.halt,
        batch_records=settings.batch_records,
        reach=failpoints.kill_at(failpoint),
    )
    app.ownership = ownership
    topics = {lane.topic: lane.changelog for lane in ownership.lanes.values()}

    async def require_topics() -> None:
        await asyncio.get_running_loop().run_in_executor(None, clients.require, topics)

    app.beforehand.append(require_topics)
    registry.register(app, ownership, batch_records=settings.batch_records)
    if settings.ticks == "wall":
        writer = posts.TickWriter(clients.plain_producer, PEOPLE.name(settings.namespace), settings.tick_interval_s, app.halt)
        posts.write_ticks(ownership, writer)
        app.afterwards.append(writer.stop)
    return app


def refusals(settings: Settings) -> Refusals:
    """Builds what writes rows ClickHouse refuses to the dead letters, but for those the worker writes there by itself.

    Args:
        settings: must name a Kafka.

    Raises:
        PolicyError: the policy cannot be loaded.
    """
    from streams.decode import Decoder, Rejected, load_sources
    from streams.policy.load import load
    from streams.warehouse.refusals import Refusals
    from streams.wire.topics import PEOPLE, TOPICS

    decoder = Decoder(load(settings.policy).codes, load_sources(settings.sources) if settings.sources else None)
    inputs = {topic.name(settings.namespace): topic for topic in TOPICS if topic.role == "input"}

    def worker_refuses(received: Received) -> bool:
        topic = inputs.get(received.topic)
        if topic is None:
            return False  # written by a worker, or never read by one
        outcome = decoder.decode(received.value, received_at=received.timestamp, topic=topic, headers=received.headers)
        if isinstance(outcome, Rejected):
            return True
        return topic is PEOPLE and outcome.SUBJECT == "person" and received.key != outcome.subject.encode()

    return Refusals(settings, worker_refuses)


def replay_lanes(settings: Settings, namespace: str, policy: Policy) -> tuple[list[Lane], KafkaClients]:
    """Builds what decides all history again: the live inputs, everything else in another namespace.

    Args:
        settings: must name a Kafka; its namespace is that of the inputs.
        namespace: prefix of everything that is written.
        policy: decides.

    Returns:
        How the topics that can raise an alert are processed, and what connects to Kafka.
    """
    import streams.person
    from streams.agents import registry
    from streams.decode import Decoder, load_sources
    from streams.runtime.clients import KafkaClients
    from streams.wire import connection
    from streams.wire.topics import EMPLOYERS, LABOUR_LINKS, MAX_DEAD_LETTER_BYTES, PEOPLE, QUOTAS

    clients = KafkaClients(connection.librdkafka(settings), group=f"{namespace}-replay", message_max_bytes=MAX_DEAD_LETTER_BYTES)
    lanes = registry.lanes(
        decoder=Decoder(policy.codes, load_sources(settings.sources) if settings.sources else None),
        person=streams.person,
        policy=policy,
        namespace=namespace,
        partitions=clients.partitions,
        reads=settings.namespace,
    )
    raising = {topic.name(settings.namespace) for topic in (PEOPLE, EMPLOYERS, QUOTAS)} | {LABOUR_LINKS.name(namespace)}
    chosen = [lane for lane in lanes if lane.topic in raising]
    clients.require({lane.topic: lane.changelog for lane in chosen})
    return chosen, clients


def _stores(settings: Settings, clients: KafkaClients, topics: set[str]) -> Callable[[Place], Store]:
    """Returns what opens a partition's state: on the disk for the topics named if the settings say so, else in memory."""
    from streams.runtime.store import MemoryStore

    def open_store(place: Place) -> Store:
        if settings.store == "memory" or place.topic not in topics:
            return MemoryStore()
        from streams.runtime.rocks import open_patiently

        # Workers of one machine share the directory, so that who takes over a partition finds its state.
        path = settings.home / "worker" / place.topic / str(place.partition)
        identity = clients.identity(f"{place.topic}-changelog")
        store = open_patiently(path, identity=identity, now_ms=clock.now_ms())
        return MemoryStore() if store is None else store

    return open_store


def headless(settings: Settings, group: str, *, name: str = "", session_s: float = SESSION_S) -> HeadlessApp:
    """Builds a Faust app with nothing in it: no agents and no partitions.

    Args:
        settings: must name a Kafka.
        group: its consumer group.
        name: of this member in the group; none if empty.
        session_s: seconds without a sign of life after which the group takes it for dead.

    Raises:
        SetupError: the settings do not fit together.
    """
    from streams.runtime import transport
    from streams.runtime.headless import HeadlessApp
    from streams.wire import connection

    return HeadlessApp(
        group,
        broker=connection.faust_urls(settings, transport.SCHEME),
        broker_credentials=connection.faust_credentials(settings),
        datadir=str(settings.home / "worker"),
        # Offsets are a hint: the marker in the changelog is what recovery goes by.
        broker_commit_every=1_000_000,
        broker_commit_interval=1.0,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 5,
        broker_request_timeout=60.0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=name or None,
        consumer_max_fetch_size=4 * 1024 * 1024,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_replication_factor=settings.replication,
        stream_wait_empty=False,
        stream_buffer_maxsize=64,
        stream_recovery_delay=0.0,
        worker_redirect_stdouts=False,
        autodiscover=False,
    )


def with_kafka(settings: Settings) -> Settings:
    """Returns settings that name a Kafka: the one given, or that of the stack running in this home.

    Raises:
        SetupError: neither is there.
    """
    if settings.kafka:
        return settings
    from streams.local.stack import find_stack

    return find_stack(settings).settings(settings)
