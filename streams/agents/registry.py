"""Every agent of the worker: one for each topic that is read, all of the same few lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from streams.agents.door import Decodes
from streams.agents.employers import EmployersCore
from streams.agents.labour import LabourCore
from streams.agents.people import PeopleCore, PersonSteps
from streams.agents.posts import PostsCore
from streams.agents.quotas import QuotasCore
from streams.policy.model import Policy
from streams.runtime.ownership import Ownership
from streams.runtime.partition import Core, Lane
from streams.runtime.store import Store
from streams.wire.topics import (
    EMPLOYERS,
    EMPLOYERS_CHANGELOG,
    LABOUR_LINKS,
    LABOUR_LINKS_CHANGELOG,
    PEOPLE,
    PEOPLE_CHANGELOG,
    POSTS,
    POSTS_CHANGELOG,
    QUOTAS,
    QUOTAS_CHANGELOG,
)


def lanes(
    *,
    decoder: Decodes,
    person: PersonSteps,
    policy: Policy,
    namespace: str,
    partitions: Callable[[str], int],
    reads: str = "",
) -> tuple[Lane, ...]:
    """Returns how every topic is processed that is read.

    Args:
        decoder: decodes raw records.
        person: the steps of one person.
        policy: decides.
        namespace: prefix of every topic that is written.
        partitions: how many a topic has; asked once Kafka has answered.
        reads: prefix of the input topics, where it is another one.
    """

    def people(partition: int, store: Store) -> Core:
        return PeopleCore(
            partition,
            store,
            decoder=decoder,
            person=person,
            policy=policy,
            namespace=namespace,
            partitions=partitions(PEOPLE.name(reads or namespace)),
        )

    def posts(partition: int, store: Store) -> Core:
        return PostsCore(partition, store, decoder=decoder, namespace=namespace)

    def employers(_: int, store: Store) -> Core:
        return EmployersCore(store, decoder=decoder, policy=policy, namespace=namespace)

    def quotas(_: int, __: Store) -> Core:
        return QuotasCore(decoder=decoder, namespace=namespace)

    def labour(partition: int, store: Store) -> Core:
        return LabourCore(
            partition, store, policy=policy, namespace=namespace, partitions=partitions(PEOPLE.name(reads or namespace))
        )

    source = reads or namespace
    return (
        Lane(PEOPLE.name(source), PEOPLE_CHANGELOG.name(namespace), people),
        Lane(POSTS.name(source), POSTS_CHANGELOG.name(namespace), posts),
        Lane(EMPLOYERS.name(source), EMPLOYERS_CHANGELOG.name(namespace), employers),
        Lane(QUOTAS.name(source), QUOTAS_CHANGELOG.name(namespace), quotas),
        # What people's partitions, employers and quotas tell of workers is our own, and lies where we write.
        Lane(LABOUR_LINKS.name(namespace), LABOUR_LINKS_CHANGELOG.name(namespace), labour),
    )


def register(app: Any, ownership: Ownership, *, batch_records: int) -> None:
    """Adds one agent for each lane to a Faust app.

    The body only hands over: acknowledging is the partition's business, once everything is committed. Faust
    acknowledges an event when a body raises, so nothing here can raise.

    Args:
        app: the Faust app.
        ownership: takes the batches.
        batch_records: records in a batch, at most.
    """
    from streams.runtime.transport import Batches

    for topic in ownership.lanes:
        name = topic.rpartition(".")[2]
        app.agent(app.topic(topic, schema=Batches(max_records=batch_records)), name=name)(_hand_over(ownership))


def _hand_over(ownership: Ownership) -> Any:
    async def hand_over(stream: Any) -> None:
        events: AsyncIterator[Any] = stream.noack().events()
        async for event in events:
            ownership.submit(event)

    return hand_over
