"""The time a booklet is about: a year, a quarter or a month of the calendar. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from streams.errors import UsageError

_FORM = re.compile(r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the calendar in the country's zone.

    Attributes:
        name: as it was asked for, e.g. ``2026-Q3``.
        first: first day.
        last: last day.
    """

    name: str
    first: date
    last: date

    @property
    def months(self) -> list[str]:
        """Returns every month of it, as ``2026-07``."""
        return [f"{self.first.year}-{month:02d}" for month in range(self.first.month, self.last.month + 1)]

    @property
    def quarter(self) -> int:
        """Returns the quarter it is; 0 if it is none."""
        return self.first.month // 3 + 1 if "Q" in self.name else 0


def period_of(text: str) -> Period:
    """Returns the period of a text: ``2026``, ``2026-Q3`` or ``2026-07``.

    Raises:
        UsageError: it is none of these.
    """
    found = _FORM.fullmatch(text)
    if found is None or found["year"] < "1991":
        raise UsageError(f"--period {text}: expected a year, a quarter or a month, e.g. 2026, 2026-Q3 or 2026-07.")
    year = int(found["year"])
    if found["quarter"]:
        first_month, count = int(found["quarter"]) * 3 - 2, 3
    elif found["month"]:
        first_month, count = int(found["month"]), 1
    else:
        first_month, count = 1, 12
    after = date(year + (first_month + count > 12), (first_month + count - 1) % 12 + 1, 1)
    return Period(text, date(year, first_month, 1), after - timedelta(days=1))
