"""From items to results: publishes each event once, as far as memory goes back, and says of every item what became of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from streams import metrics
from streams.gateway.delivery import Delivery, Landed
from streams.gateway.intake import Item, Message, Refusal
from streams.wire.jsonform import instant_text

REMEMBERED = 200_000
"""Events whose delivery is remembered, so that sending them again publishes nothing; beyond it the worker knows them by id."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item.

    Attributes:
        status: accepted (Kafka has it), duplicate (Kafka has had it before), refused, or failed (send it again).
        item: the item.
        landed: where it lies, if it does.
        detail: Kafka's word for a failure.
    """

    status: str
    item: Item
    landed: Landed | None = None
    detail: str = ""

    def plain(self, index: int) -> dict[str, Any]:
        """Returns it as JSON."""
        answer: dict[str, Any] = {"index": index, "status": self.status}
        if self.item.event_id is not None:
            answer["event_id"] = str(UUID(bytes=self.item.event_id))
        if isinstance(self.item, Refusal):
            answer["code"] = self.item.code
            answer["message"] = self.item.message
            if self.item.field:
                answer["field"] = self.item.field
        elif self.landed is not None:
            answer["topic"] = self.landed.topic
            answer["partition"] = self.landed.partition
            answer["offset"] = self.landed.offset
            answer["arrived_at"] = instant_text(self.landed.arrived_at)
        else:
            answer["code"] = "not_delivered"
            answer["message"] = f"Kafka did not acknowledge it in time ({self.detail}). Send the same again."
        return answer


class Publishing:
    """Publishes items.

    Args:
        delivery: to Kafka.
        remembered: events whose delivery is remembered.
    """

    def __init__(self, delivery: Delivery, *, remembered: int = REMEMBERED) -> None:
        self._delivery = delivery
        self._remembered = remembered
        self._known: OrderedDict[bytes, tuple[bytes, Landed]] = OrderedDict()

    async def publish(self, items: Sequence[Item]) -> list[Result]:
        """Returns the results, in the order of the items, once Kafka has answered for all.

        Raises:
            BusyError: too much is under way; nothing was published.
        """
        results: list[Result | None] = [None] * len(items)
        first: dict[bytes, int] = {}
        to_send: list[int] = []
        for index, item in enumerate(items):
            if isinstance(item, Refusal):
                results[index] = Result("refused", item)
            elif (known := self._known.get(item.event_id)) is not None:
                same = known[0] == _digest(item)
                results[index] = Result("duplicate", item, known[1]) if same else Result("refused", _reused(item))
            elif (earlier := first.setdefault(item.event_id, index)) == index:
                to_send.append(index)
            elif items[earlier].value != item.value:  # type: ignore[union-attr]  # only messages are in first
                results[index] = Result("refused", _reused(item))
        outcomes = await self._delivery.send([items[index] for index in to_send])  # type: ignore[misc]
        for index, outcome in zip(to_send, outcomes, strict=True):
            item = items[index]
            assert isinstance(item, Message)  # noqa: S101  # by construction
            if isinstance(outcome, Landed):
                self._remember(item, outcome)
                results[index] = Result("accepted", item, outcome)
            else:
                results[index] = Result("failed", item, None, outcome)
        # The same event twice in one request shares the fate of its first.
        final = [result or _shared(items[i], results[first[items[i].event_id or b""]]) for i, result in enumerate(results)]
        for result in final:
            metrics.GATEWAY_EVENTS.labels(result.status).inc()
        return final

    def _remember(self, item: Message, landed: Landed) -> None:
        self._known[item.event_id] = (_digest(item), landed)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)


def _shared(item: Item, result: Result | None) -> Result:
    assert result is not None  # noqa: S101  # the first of an id always has a result
    return Result("duplicate" if result.status == "accepted" else result.status, item, result.landed, result.detail)


def _digest(item: Message) -> bytes:
    return sha256(item.value).digest()[:16]


def _reused(item: Message) -> Refusal:
    message = "event_id: expected an id of its own for each fact; it stands for another event already."
    return Refusal("event_id_reused", message, "event_id", item.event_id)
