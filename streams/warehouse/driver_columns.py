"""Columns of clickhouse-driver that are replaced, because the driver's own look at every cell in Python.

Here ids are 16 bytes and days and instants are integers from the wire to the block, and a code of few values is put into its
dictionary by C. What is read stays the driver's own. ``install`` makes the driver use these for every block of this process,
to a server too.
"""

from __future__ import annotations

import sys
from array import array
from typing import Any
from uuid import UUID

from clickhouse_driver.columns import service
from clickhouse_driver.columns.datecolumn import Date32Column
from clickhouse_driver.columns.datetimecolumn import DateTime64Column
from clickhouse_driver.columns.lowcardinalitycolumn import LowCardinalityColumn
from clickhouse_driver.columns.uuidcolumn import UUIDColumn
from clickhouse_driver.writer import write_binary_int64

_NO_ID = bytes(16)

_drivers_own_word = service.create_low_cardinality_column
_drivers_own_instant = service.create_datetime_column


class IdColumn(UUIDColumn):  # type: ignore[misc]  # the driver has no type information
    """UUIDs given as 16 bytes, written without making an object of each."""

    def _write_nulls_map(self, items: list[Any], buf: Any) -> None:
        buf.write(bytes([item is None for item in items]))

    def prepare_items(self, items: list[Any]) -> list[bytes]:
        """Returns the ids as bytes; none becomes zeroes under the null map."""
        return [item if type(item) is bytes else _id_bytes(item) for item in items]

    def write_items(self, items: list[bytes], buf: Any) -> None:
        """Writes each id as two little-endian words."""
        joined = b"".join(items)
        if len(joined) != 16 * len(items):
            wrong = next(len(item) for item in items if len(item) != 16)
            raise ValueError(f"expected an id of 16 bytes, got {wrong}")
        words = array("Q")
        words.frombytes(joined)
        if sys.byteorder == "little":
            words.byteswap()
        buf.write(words.tobytes())


class DayColumn(Date32Column):  # type: ignore[misc]  # the driver has no type information
    """Days given as integers since 1970-01-01."""

    before_write_items = None


class WordColumn(LowCardinalityColumn):  # type: ignore[misc]  # the driver has no type information
    """Codes out of few: a dictionary of the block's different words, and each cell's place in it."""

    def _write_data(self, items: Any, buf: Any) -> None:
        if not items:
            return
        different = dict.fromkeys(items)
        nullable = self.nested_column.nullable
        if nullable:  # no value stands first, whether there is one or not
            different.pop(None, None)
        places = {word: place for place, word in enumerate(different, 1 if nullable else 0)}
        words = list(different)
        if nullable:
            places[None] = 0
            words.insert(0, self.nested_column.null_value)
        width = next(number for number, most in enumerate((1 << 8, 1 << 16, 1 << 32)) if len(words) <= most)
        cells = array("BHI"[width], map(places.__getitem__, items))
        if sys.byteorder != "little":
            cells.byteswap()
        write_binary_int64(self.serialization_type | width, buf)
        write_binary_int64(len(words), buf)
        self.nested_column.nullable = False  # a dictionary has no null map
        self.nested_column.write_data(words, buf)
        write_binary_int64(len(items), buf)
        buf.write(cells.tobytes())


def _word(spec: str, by_spec: Any, options: dict[str, Any]) -> Any:
    return WordColumn(by_spec(spec[15:-1]), **options)


def _instant(spec: str, options: dict[str, Any]) -> Any:
    column = _drivers_own_instant(spec, options)
    if isinstance(column, DateTime64Column):
        column.before_write_items = None  # integers already, in the column's unit
    return column


def _id_bytes(item: object) -> bytes:
    if item is None:
        return _NO_ID
    if isinstance(item, UUID):
        return item.bytes
    raise ValueError(f"expected an id as bytes or UUID, got {type(item).__name__}")


def install(*, ours: bool = True) -> None:
    """Makes the driver use these columns, or its own again.

    Args:
        ours: these; else the driver's own, to measure against.
    """
    service.column_by_type["UUID"] = IdColumn if ours else UUIDColumn
    service.column_by_type["Date32"] = DayColumn if ours else Date32Column
    service.create_low_cardinality_column = _word if ours else _drivers_own_word
    service.create_datetime_column = _instant if ours else _drivers_own_instant
