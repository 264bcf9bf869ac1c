"""Reading and nothing but reading: what a query may be, and the connections that run it.

Three walls. The engine's ``readonly = 1`` refuses every write, every change of a setting and every table function that reaches
outside. Its limits bound time, memory and the size of an answer. What it lets through in an embedded engine (reading local
files by a scalar function, ``INTO OUTFILE``, several statements) is refused here, on the engine's own normal form of the query,
so that no trick of quoting, comments or escapes makes us read a query otherwise than the engine does.
"""

from __future__ import annotations

import queue
import re
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from streams.errors import DependencyError
from streams.warehouse.columns import quote
from streams.warehouse.embedded import Embedded
from streams.warehouse.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS: Mapping[str, int | str] = {
    "max_execution_time": 60,
    "timeout_overflow_mode": "throw",
    "max_result_rows": 1_000_000,
    "max_result_bytes": 256 * 1024 * 1024,
    "result_overflow_mode": "throw",
    "max_memory_usage": 1024 * 1024 * 1024,
    # What needs more than this goes through the disk instead of failing: slower, and an answer.
    "max_bytes_before_external_group_by": 400 * 1024 * 1024,
    "max_bytes_before_external_sort": 400 * 1024 * 1024,
    "max_threads": 2,
    "max_query_size": 256 * 1024,
    "allow_introspection_functions": 0,
}
"""Seconds, rows and bytes one query may take."""

READERS = 3
"""Queries that run at the same time; each has a connection of its own, because one connection runs one query."""

WAIT_S = 30.0
"""How long a query waits for a connection."""

READONLY_CODE = 164

_STATEMENTS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"})
_HARMLESS_TABLE_FUNCTIONS = frozenset(
    {
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "values",
        "view",
        "generateseries",
        "generate_series",
        "primes",
        "null",
        "merge",
    }
)
_SCALARS = re.compile(
    r"file|filesystem\w+|ai(classify|embed|extract|filter|generate|redact|similarity|translate)|getserversetting|catboostevaluate",
    re.IGNORECASE,
)
"""Functions that read local files or talk to the network although they look like plain expressions."""

_WORDS = re.compile(
    r"""
      '(?:[^'\\]|\\.)*'                       # string: skipped
    | `(?P<quoted>(?:[^`\\]|\\.)*)`
    | (?P<bare>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


class Reader:
    """Runs queries that only read; may be used from many threads.

    Args:
        owner: the connection that owns the data.
        limits: replaces the default limits by name.
    """

    def __init__(self, owner: Embedded, limits: Mapping[str, int | str] | None = None) -> None:
        self.database = owner.database
        self._all = [owner.reader({**LIMITS, **(limits or {})}) for _ in range(READERS)]
        self._free: queue.SimpleQueue[Embedded] = queue.SimpleQueue()
        for connection in self._all:
            self._free.put(connection)
        names = owner.select("SELECT lower(name) FROM system.table_functions").rows
        self._table_functions = {str(name) for (name,) in names} - _HARMLESS_TABLE_FUNCTIONS

    def answer(self, sql: str, output_format: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Runs one query.

        Args:
            sql: one statement that reads.
            output_format: ClickHouse format of the answer, unless the query names one.
            parameters: values of ``{name:Type}`` in the query.

        Raises:
            RefusedError: it is not one statement that reads, or the engine refuses it.
            DependencyError: a limit was reached, or every connection was busy for too long.
        """
        if not output_format.isalnum():
            raise RefusedError(f"There is no format {output_format!r}.", "E.g. TabSeparated, CSVWithNames, JSON, Parquet.", 73)
        with self._connection() as connection:
            content: bytes = connection.formatted(self.checked(connection, sql), output_format, parameters)
        return content

    def checked(self, connection: Embedded, sql: str) -> str:
        """Returns the engine's normal form of a query that may run.

        Raises:
            RefusedError: it may not.
        """
        normal = connection.select(f"SELECT formatQuerySingleLine({quote(sql)})").rows[0][0]
        if isinstance(normal, bytes):
            raise RefusedError("The query is not UTF-8.", code=62)
        before = ""
        for number, match in enumerate(_WORDS.finditer(normal)):
            word = match["bare"] or match["quoted"] or ""
            if number == 0 and (match["bare"] or "").upper() not in _STATEMENTS:
                raise _not_reading("only SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN are answered here")
            if match["bare"] and (word == "OUTFILE" or (before == "PARALLEL" and word == "WITH")):
                raise _not_reading(f"{word} is not possible here")
            if word and _SCALARS.fullmatch(word):
                raise _not_reading(f"the function {word} reaches outside the warehouse")
            if word.lower() in self._table_functions and normal[match.end() :].lstrip().startswith("("):
                raise _not_reading(f"the table function {word} reaches outside the warehouse")
            before = word
        return str(normal)

    def close(self) -> None:
        """Closes every connection."""
        for connection in self._all:
            connection.close()

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        try:
            connection = self._free.get(timeout=WAIT_S)
        except queue.Empty:
            raise DependencyError(
                f"{READERS} queries are running and none ended within {WAIT_S:.0f} s.", "Try again later."
            ) from None
        try:
            yield connection
        finally:
            self._free.put(connection)


def _not_reading(why: str) -> RefusedError:
    return RefusedError(f"This access reads and nothing else: {why}.", code=READONLY_CODE)
