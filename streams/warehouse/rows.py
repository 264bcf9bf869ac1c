"""Records to columns: pure, the same rows for the same records on any machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple, cast

from streams.policy.model import Policy
from streams.records import INPUTS, OUTPUTS, RELAYED, Gap
from streams.warehouse.block import Block
from streams.warehouse.columns import OUTPUT_TABLES, Table, table_of
from streams.wire.avro import KINDS, Message, schema_of


class Position(NamedTuple):
    """Where a record stands in the log: the last columns of its row, in their order.

    Attributes:
        topic: full name of the topic.
        partition: its partition.
        offset: its offset.
        received_at: the broker's timestamp, UTC epoch ms.
    """

    topic: str
    partition: int
    offset: int
    received_at: int


Delivery = tuple[Position, Message]
"""A record with its position."""


def tables() -> dict[str, Table]:
    """Returns the fact table of every event type, by the record's ``NAME``."""
    return {kind.NAME: table_of(schema_of(kind), kind.NAME) for kind in (*INPUTS, *RELAYED, *OUTPUTS)}


class Layout:
    """Turns deliveries of one event type into a block of its table."""

    def __init__(self, table: Table, policy: Policy) -> None:
        self.table = table
        kind = KINDS[table.event_type]
        names = [field.name for field in fields(kind)]
        self._fields = cast("Callable[[Message], tuple[Any, ...]]", attrgetter(*names))
        self._gaps = names.index("gaps") if "gaps" in names else None
        self._output = table.event_type in OUTPUT_TABLES
        self._policy = policy
        self._place = attrgetter(table.place) if table.place else None
        self._oblast = any(column.name == "oblast" for column in table.derived)

    def block(self, deliveries: Sequence[Delivery]) -> Block:
        """Returns the block of some deliveries, in their order.

        Args:
            deliveries: at least one, all of this layout's event type.
        """
        records = [record for _, record in deliveries]
        columns: list[Sequence[Any]] = list(zip(*map(self._fields, records), strict=True))
        if self._gaps is not None:
            columns[self._gaps] = [_plain(gaps) for gaps in columns[self._gaps]]
        if self.table.derived:
            columns.extend(self._derive(records))
        place: list[Sequence[Any]] = list(zip(*(position for position, _ in deliveries), strict=True))
        columns.extend(place[1:] if self._output else place)
        return Block(self.table.columns, columns)

    def _derive(self, records: Sequence[Any]) -> list[list[Any]]:
        zones = self._policy.zones
        country = zones[""]
        if self._place is None:
            return [[country.local_day(record.occurred_at) for record in records]]
        places = [self._place(record) or "" for record in records]
        # A block has few places: their zones are looked up once each.
        days_of = {place: zones.get(place, country).local_day for place in set(places)}
        days = [days_of[place](record.occurred_at) for place, record in zip(places, records, strict=True)]
        return [days, self._oblasts(places, days)] if self._oblast else [days]

    def _oblasts(self, posts: list[str], days: list[int]) -> list[str]:
        """Returns the oblast each post lay in on its day; a block has few different pairs of the two."""
        codes = self._policy.codes
        found = {
            (post, day): codes.oblast_on(codes.posts[post].oblast if post in codes.posts else "", day)
            for post, day in set(zip(posts, days, strict=True))
        }
        return [found[pair] for pair in zip(posts, days, strict=True)]


def _plain(gaps: Sequence[Gap]) -> list[tuple[str, int, int | None]]:
    return [(gap.post, gap.from_at, gap.until_at) for gap in gaps]


def layouts(policy: Policy) -> dict[type[Message], Layout]:
    """Returns the layout of every event type, by record class."""
    return {KINDS[name]: Layout(table, policy) for name, table in tables().items()}
