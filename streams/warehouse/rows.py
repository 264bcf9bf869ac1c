"""Records to columns: pure, the same rows for the same records on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from streams.policy.model import Policy
from streams.records import INPUTS, OUTPUTS, RELAYED, Gap
from streams.warehouse.block import Block
from streams.warehouse.columns import OUTPUT_TABLES, Table, table_of
from streams.wire.avro import KINDS, Message, fields_of, schema_of


class Position(NamedTuple):
    """Where a record stands in the log: the last cells of its row, in their order.

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


Row = tuple[Any, ...]
"""One delivery: the record's fields in the schema's order, then its position's. No object of the record is made on the way."""


def row_of(position: Position, record: Message) -> Row:
    """Returns the row of a record that is at hand already."""
    return (*fields_of(record), *position)


def position_of(row: Row) -> Position:
    """Returns where a row's record stands in the log."""
    return Position(*row[-4:])


def tables() -> dict[str, Table]:
    """Returns the fact table of every event type, by the record's ``NAME``."""
    return {kind.NAME: table_of(schema_of(kind), kind.NAME) for kind in (*INPUTS, *RELAYED, *OUTPUTS)}


class Layout:
    """Turns deliveries of one event type into a block of its table."""

    def __init__(self, table: Table, policy: Policy) -> None:
        self.table = table
        kind = KINDS[table.event_type]
        self._names = tuple(field.name for field in fields(kind))
        self._gaps = self._names.index("gaps") if "gaps" in self._names else None
        self._output = table.event_type in OUTPUT_TABLES
        self._policy = policy
        self._occurred = self._names.index("occurred_at") if table.derived else None
        self._place = self._names.index(table.place) if table.place else None
        self._oblast = any(column.name == "oblast" for column in table.derived)

    def field(self, row: Row, name: str) -> Any:
        """Returns one field of a row's record; none if its records have no such field."""
        return row[self._names.index(name)] if name in self._names else None

    def block(self, rows: Sequence[Row]) -> Block:
        """Returns the block of some deliveries, in their order.

        Args:
            rows: at least one, all of this layout's event type.
        """
        cells: list[Sequence[Any]] = list(zip(*rows, strict=True))
        columns, place = cells[:-4], cells[-4:]
        if self._gaps is not None:
            columns[self._gaps] = [_plain(gaps) for gaps in columns[self._gaps]]
        if self._occurred is not None:
            columns.extend(self._derive(columns[self._occurred], None if self._place is None else columns[self._place]))
        columns.extend(place[1:] if self._output else place)
        return Block(self.table.columns, columns)

    def _derive(self, instants: Sequence[int], named: Sequence[str | None] | None) -> list[list[Any]]:
        zones = self._policy.zones
        country = zones[""]
        if named is None:
            return [[country.local_day(at) for at in instants]]
        places = [place or "" for place in named]
        # A block has few places: their zones are looked up once each.
        days_of = {place: zones.get(place, country).local_day for place in set(places)}
        days = [days_of[place](at) for place, at in zip(places, instants, strict=True)]
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
