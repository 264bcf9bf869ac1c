"""One encoding for both engines: clickhouse-driver's column blocks, to a socket or to bytes in ``FORMAT Native``.

Ids are 16 bytes and days and instants are integers from the wire to the block: a ``datetime`` costs 20 times an ``int``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.errors import Error as DriverError
from clickhouse_driver.streams.native import BlockInputStream, BlockOutputStream

from streams.warehouse import driver_columns
from streams.warehouse.columns import Column
from streams.warehouse.errors import RefusedError

_BUFFER = 1 << 20

driver_columns.install()


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one table, column by column.

    Attributes:
        columns: names and types.
        data: one sequence per column, all of one length; instants are UTC epoch ms, days are days since 1970-01-01, ids 16 bytes.
    """

    columns: tuple[Column, ...]
    data: Sequence[Sequence[Any]]

    @property
    def rows(self) -> int:
        """Returns the number of rows."""
        return len(self.data[0]) if self.data else 0

    @property
    def names(self) -> str:
        """Returns the column list as it stands in an INSERT."""
        return ", ".join(f"`{column.name}`" for column in self.columns)

    def copy_of_data(self) -> list[list[Any]]:
        """Returns fresh lists: the driver's encoder writes into the lists it is given, and a retry must send the same rows."""
        return [list(values) for values in self.data]

    def slice(self, start: int, stop: int) -> Block:
        """Returns some of the rows."""
        return Block(self.columns, [values[start:stop] for values in self.data])


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a query.

    Attributes:
        names: column names.
        types: ClickHouse types.
        rows: Python values: ``date``, ``datetime``, ``UUID``, …
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class _Memory:
    """A socket that is a piece of memory, for the driver's buffers."""

    def __init__(self, content: bytes = b"") -> None:
        self.written = bytearray()
        self._left = memoryview(content)

    def sendall(self, piece: Any) -> None:
        self.written += piece

    def recv_into(self, target: bytearray) -> int:
        piece = self._left[: len(target)]
        target[: len(piece)] = piece
        self._left = self._left[len(piece) :]
        return len(piece)


def _context() -> Context:
    """Returns the driver's context of a file: revision 0, so no block info and no later extensions of the protocol."""
    context = Context()
    context.server_info = SimpleNamespace(used_revision=0, get_timezone=lambda: "UTC")
    context.settings = {"use_client_time_zone": True}
    context.client_settings = {"use_numpy": False, "strings_as_bytes": False, "strings_encoding": "utf-8"}
    return context


def encode(block: Block) -> bytes:
    """Returns a block in ClickHouse's ``FORMAT Native``.

    Raises:
        RefusedError: a value does not fit its column.
    """
    memory = _Memory()
    columns = [(column.name, column.type) for column in block.columns]
    try:
        BlockOutputStream(BufferedSocketWriter(memory, _BUFFER), _context()).write(
            ColumnOrientedBlock(columns, block.copy_of_data())
        )
    except (DriverError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RefusedError(f"A value does not fit its column: {error}.") from error
    return bytes(memory.written)


def answer(sql: str, ask: Callable[[str], bytes]) -> Result:
    """Runs a query whose answer comes in ``FORMAT Native``; an answer without rows has its columns too.

    Args:
        sql: the query.
        ask: returns a query's answer in ``FORMAT Native``.

    Raises:
        RefusedError: it was refused.
    """
    content = ask(sql)
    if content:
        return decode(content)
    try:
        columns = decode(ask(f"DESCRIBE TABLE (\n{sql}\n)")).rows  # the engine writes no block where there are no rows
    except RefusedError:
        return Result((), (), [])  # not a SELECT
    return Result(tuple(str(row[0]) for row in columns), tuple(str(row[1]) for row in columns), [])


def decode(content: bytes) -> Result:
    """Reads an answer in ``FORMAT Native``: any number of blocks.

    Raises:
        RefusedError: a column's type is one the driver cannot read.
    """
    stream = BlockInputStream(BufferedSocketReader(_Memory(content), _BUFFER), _context())
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = []
    try:
        while True:
            block = stream.read(use_numpy=False)
            names = tuple(name for name, _ in block.columns_with_types)
            types = tuple(kind for _, kind in block.columns_with_types)
            rows.extend(block.get_rows())
    except EOFError:
        return Result(names, types, rows)
    except DriverError as error:
        raise RefusedError(f"The answer has a column that cannot be read here: {error}.", "CAST it, e.g. to String.") from error
