"""Records become rows: every field in its column, local days by the place of the event."""

from __future__ import annotations

from dataclasses import fields

import pytest

from streams.policy.load import load
from streams.records import INPUTS, OUTPUTS, BorderCrossing, PostHeartbeat, StayRegistration, Tick
from streams.records.ticks import Gap
from streams.warehouse.block import encode
from streams.warehouse.columns import table_of
from streams.warehouse.rows import Layout, Position, layouts, row_of, tables
from streams.wire.avro import Message, schema_of
from tests.unit.warehouse.made import crossing, make

POLICY = load("kz")
LAYOUTS = layouts(POLICY)
AT = Position("t.people", 3, 77, 1_740_812_400_123)
NEW_YEAR_2024_ALMATY = 1_704_045_600_000 + 30 * 60_000
"""31 December 2023, 18:30 UTC: 00:30 of 1 January in Almaty (UTC+6 then), still 23:30 of 31 December in Atyrau (UTC+5)."""


def cells(record: Message) -> dict[str, object]:
    layout = LAYOUTS[type(record)]
    block = layout.block([row_of(AT, record)])
    return {column.name: values[0] for column, values in zip(block.columns, block.data, strict=True)}


@pytest.mark.parametrize("kind", [*INPUTS, *OUTPUTS], ids=lambda kind: kind.NAME)
def test_every_field_has_its_column_in_order_and_can_be_encoded(kind: type[Message]) -> None:
    table = tables()[kind.NAME]
    assert [column.name for column in table.fields] == [field.name for field in fields(kind)]
    assert len({column.name for column in table.columns}) == len(table.columns)
    assert all(column.comment.strip() for column in table.columns)
    assert table.comment.strip()
    record = make(kind)
    block = LAYOUTS[kind].block([row_of(AT, record), row_of(AT, record)])
    assert block.rows == 2
    assert len(encode(block)) > 0


def test_the_position_in_the_log_is_kept() -> None:
    row = cells(crossing(1))
    assert (row["topic"], row["partition"], row["offset"], row["received_at"]) == ("t.people", 3, 77, 1_740_812_400_123)


@pytest.mark.parametrize(("post", "oblast", "day"), [("KZ-75-A1", "KZ-75", 19723), ("KZ-23-A1", "KZ-23", 19722)])
def test_a_crossing_counts_on_the_local_day_of_its_post(post: str, oblast: str, day: int) -> None:
    row = cells(crossing(1, post=post, occurred_at=NEW_YEAR_2024_ALMATY))
    assert (row["occurred_on"], row["oblast"]) == (day, oblast)


def test_a_post_nobody_knows_is_counted_in_the_country_zone() -> None:
    row = cells(crossing(1, post="XX-9", occurred_at=NEW_YEAR_2024_ALMATY))
    assert (row["occurred_on"], row["oblast"]) == (POLICY.local_day(NEW_YEAR_2024_ALMATY, ""), "")


def test_an_event_with_an_oblast_counts_on_its_local_day() -> None:
    east = cells(make(StayRegistration, occurred_at=NEW_YEAR_2024_ALMATY, oblast="KZ-75"))
    west = cells(make(StayRegistration, occurred_at=NEW_YEAR_2024_ALMATY, oblast="KZ-23"))
    assert (east["occurred_on"], west["occurred_on"]) == (19723, 19722)


def test_a_heartbeat_is_of_the_post_that_sent_it() -> None:
    assert cells(make(PostHeartbeat, subject="KZ-23-A1"))["oblast"] == "KZ-23"


def test_gaps_of_a_tick_become_tuples() -> None:
    assert cells(make(Tick, gaps=(Gap("KZ-75-A1", 1, None),)))["gaps"] == [("KZ-75-A1", 1, None)]


def test_a_schema_with_a_type_nobody_chose_a_column_for_is_told() -> None:
    schema = {"doc": "d", "fields": [{"name": "x", "type": "double", "doc": "d"}]}
    with pytest.raises(TypeError, match="double"):
        table_of(schema, "border_crossing")


def test_a_layout_is_made_from_the_table_alone() -> None:
    layout = Layout(table_of(schema_of(BorderCrossing), BorderCrossing.NAME), POLICY)
    assert layout.block([row_of(AT, crossing(5))]).data[0] == (crossing(5).event_id,)
