"""What one employer declared: a set of declarations, never a mutated record.

Adding a declaration twice, in any order, or years late gives the same set.

**Source**: docs/rules.md, Employers; ADR 0065.
"""

from __future__ import annotations

import json
from typing import Literal, get_args

from streams.detect.packing import Strings, put_int, put_uint, take_int, take_uint
from streams.records import EmployerDeclaration

Size = Literal["small", "medium", "large"]
_SIZES: tuple[Size, ...] = get_args(Size)


class Headcounts:
    """An employer's declarations by ``event_id``.

    What is kept carries no ``source`` and no ``source_seq``: they decide nothing.

    Args:
        subject: the employer's pseudonym.
        declarations: each id once, in order of ``(as_of_on, recorded_at, event_id)``.
    """

    __slots__ = ("declarations", "subject")

    def __init__(self, subject: str, declarations: tuple[EmployerDeclaration, ...] = ()) -> None:
        self.subject = subject
        self.declarations = declarations

    def add(self, record: EmployerDeclaration) -> Headcounts:
        """Returns the set with one more declaration: the very same object when that changes nothing.

        Args:
            record: a declaration of this employer. If its id is known with other contents, the one with the smaller
                ``(recorded_at, canonical bytes)`` holds.

        Raises:
            ValueError: it is another employer's.
        """
        if record.subject != self.subject:
            raise ValueError(f"A declaration of another employer came to these: {record.event_id.hex()}.")
        kept = [one for one in self.declarations if one.event_id != record.event_id]
        if len(kept) < len(self.declarations):
            [known] = [one for one in self.declarations if one.event_id == record.event_id]
            if (known.recorded_at, canonical_bytes(known)) <= (record.recorded_at, canonical_bytes(record)):
                return self
        kept.append(_bare(record))
        kept.sort(key=_order)
        return Headcounts(self.subject, tuple(kept))

    def effective(self) -> list[EmployerDeclaration]:
        """Returns the declaration that holds for each day there is one of, in order of days: the one recorded last."""
        by_day = {one.as_of_on: one for one in self.declarations}
        return [by_day[day] for day in sorted(by_day)]

    def put(self, out: bytearray, strings: Strings) -> None:
        """Appends the declarations, as `take_headcounts` reads them."""
        put_uint(out, len(self.declarations))
        for one in self.declarations:
            out += one.event_id
            put_int(out, one.occurred_at)
            put_int(out, one.recorded_at - one.occurred_at)
            put_int(out, one.as_of_on)
            put_uint(out, strings.code(one.oblast))
            put_uint(out, strings.code(one.sector))
            put_uint(out, _SIZES.index(one.size))
            for count in (one.citizens_12, one.citizens_34, one.foreigners_12, one.foreigners_34):
                put_int(out, count)


def take_headcounts(data: bytes, at: int, strings: Strings, subject: str) -> tuple[Headcounts, int]:
    """Reads what `Headcounts.put` wrote; returns the declarations and the position behind them."""
    number, at = take_uint(data, at)
    declarations: list[EmployerDeclaration] = []
    for _ in range(number):
        event_id = data[at : at + 16]
        occurred_at, at = take_int(data, at + 16)
        recorded_after, at = take_int(data, at)
        as_of_on, at = take_int(data, at)
        oblast, at = take_uint(data, at)
        sector, at = take_uint(data, at)
        size, at = take_uint(data, at)
        counts: list[int] = []
        for _ in range(4):
            count, at = take_int(data, at)
            counts.append(count)
        declarations.append(
            EmployerDeclaration(
                event_id,
                subject,
                occurred_at,
                occurred_at + recorded_after,
                "",
                0,
                as_of_on,
                strings.text(oblast),
                strings.text(sector),
                _SIZES[size],
                *counts,
            )
        )
    return Headcounts(subject, tuple(declarations)), at


def canonical_bytes(one: EmployerDeclaration) -> bytes:
    """Returns the bytes that decide between two contents sent under one id: JSON of type, time and own fields."""
    content = [
        one.NAME, one.occurred_at, one.as_of_on, one.oblast, one.sector, one.size,
        one.citizens_12, one.citizens_34, one.foreigners_12, one.foreigners_34,
    ]  # fmt: skip
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _order(one: EmployerDeclaration) -> tuple[int, int, bytes]:
    return one.as_of_on, one.recorded_at, one.event_id


def _bare(one: EmployerDeclaration) -> EmployerDeclaration:
    """Returns the declaration without what decides nothing: its source and the source's sequence number."""
    return EmployerDeclaration(
        one.event_id,
        one.subject,
        one.occurred_at,
        one.recorded_at,
        "",
        0,
        one.as_of_on,
        one.oblast,
        one.sector,
        one.size,
        one.citizens_12,
        one.citizens_34,
        one.foreigners_12,
        one.foreigners_34,
    )
