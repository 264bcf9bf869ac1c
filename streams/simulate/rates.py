"""How often what happens: every rate of the simulation, with its default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from streams.errors import UsageError


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of the story and of the faults; ratios are 0 to 1.

    Attributes:
        stock: people already inside when the simulation starts; their past comes first, as an initial load.
        citizens: people who are residents moving (inside the country, out of it, abroad for work) or ethnic returnees.
        notified_late: arrivals of which the host gives notice only after the term.
        notified_never: arrivals of which the host never gives notice.
        minor: foreigners who are children travelling with a notice of their age.
        dispute: people with a breach who dispute a record.
        inspected: visits of inspectors to an employer in 30 days.
        checked: long stays with an in-country check.
        outage: outages of a post in 30 days.
        late: events that reach the log hours to weeks after they were recorded.
        out_of_order: events that reach the log minutes to hours late, after later ones of the same person.
        duplicate: events sent again, with the same id.
        corrected: crossings and notices first typed wrongly, then corrected.
        corrupt: messages garbled on their way, each followed by the good one.
        tick_hours: hours between ticks.
        heartbeat_hours: hours between the heartbeats of a post.
    """

    stock: float = 0.25
    citizens: float = 0.08
    notified_late: float = 0.06
    notified_never: float = 0.05
    minor: float = 0.02
    dispute: float = 0.03
    inspected: float = 0.5
    checked: float = 0.10
    outage: float = 0.15
    late: float = 0.01
    out_of_order: float = 0.03
    duplicate: float = 0.01
    corrected: float = 0.005
    corrupt: float = 0.002
    tick_hours: int = 6
    heartbeat_hours: int = 12

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_hours"):
                if not 1 <= value <= 24 or 24 % value:
                    raise UsageError(f"The rate {field.name} is {value}; expected a number of hours that divides 24.")
            elif not 0 <= value <= 1:
                raise UsageError(f"The rate {field.name} is {value}; expected a ratio from 0 to 1.")

    def changed(self, assignments: Iterable[str]) -> Rates:
        """Returns these rates with some of them set.

        Args:
            assignments: ``name=value``, as on the command line.

        Raises:
            UsageError: no such rate, or no such value.
        """
        known = {field.name: field.type for field in fields(self)}
        changes: dict[str, float | int] = {}
        for assignment in assignments:
            name, sign, text = assignment.partition("=")
            name = name.strip()
            if not sign or name not in known:
                raise UsageError(f"There is no rate '{assignment}'.", f"Write name=value, with a name of: {', '.join(known)}.")
            try:
                changes[name] = int(text) if name.endswith("_hours") else float(text)
            except ValueError:
                raise UsageError(f"The rate {name} is '{text}'; expected a number.") from None
        return replace(self, **changes)  # type: ignore[arg-type]

    def without_faults(self) -> Rates:
        """Returns these rates with a perfect way to the log: nothing late, twice, wrong or garbled, no post ever down."""
        return replace(self, late=0, out_of_order=0, duplicate=0, corrected=0, corrupt=0, outage=0)
