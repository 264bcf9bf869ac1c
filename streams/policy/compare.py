"""What two policies say differently, and from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.policy.document import date_of
from streams.policy.model import Allowance, Parameter, Policy, QuotaLine
from streams.policy.registers import year_end


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter that two policies answer differently.

    Attributes:
        parameter: its name; ``quota.…`` for a quota line, ``working_day`` for a day of the calendar.
        from_on: first day of the difference, days since 1970-01-01.
        until_on: last day of it; none if it lasts.
        before: what the first policy says; none where it says nothing.
        after: what the second policy says; none where it says nothing.
    """

    parameter: str
    from_on: int
    until_on: int | None
    before: object
    after: object


def plain(value: object) -> object:
    """Returns a value as JSON knows it: allowances as mappings, sets as sorted lists."""
    if isinstance(value, Allowance):
        return {
            "days_per_entry": value.days_per_entry,
            "days_in_window": value.days_in_window,
            "window_days": value.window_days,
            "anchor": value.anchor,
        }
    if isinstance(value, Mapping):
        return {str(key): plain(child) for key, child in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(child) for child in value]
    return value


def compare(first: Policy, second: Policy) -> tuple[Difference, ...]:
    """Returns every difference in what two policies decide, by parameter and day.

    Codes (countries, oblasts, posts, …) are not compared: they decide nothing by themselves.
    """
    found: list[Difference] = []
    for name in dict.fromkeys([*first.parameters, *second.parameters]):
        found += _of_parameter(name, first.parameters.get(name), second.parameters.get(name))
    found += _of_quotas(first, second)
    found += _of_calendars(first, second)
    return tuple(found)


def _of_parameter(name: str, first: Parameter | None, second: Parameter | None) -> list[Difference]:
    days = sorted({period.from_on for parameter in (first, second) if parameter for period in parameter.periods})
    found: list[Difference] = []
    for index, day in enumerate(days):
        before = plain(first.on(day).value) if first else None
        after = plain(second.on(day).value) if second else None
        until_on = days[index + 1] - 1 if index + 1 < len(days) else None
        if before == after and first and second:
            continue
        last = found[-1] if found else None
        if last and last.until_on == day - 1 and (last.before, last.after) == (before, after):
            found[-1] = Difference(name, last.from_on, until_on, before, after)
        else:
            found.append(Difference(name, day, until_on, before, after))
    return found


def _of_quotas(first: Policy, second: Policy) -> list[Difference]:
    def lines(policy: Policy) -> dict[str, QuotaLine]:
        return {
            ".".join(
                str(part)
                for part in ("quota", line.quota, line.year, f"v{line.version}", line.oblast, line.category, line.sector)
                if part is not None
            ): line
            for line in policy.quotas
        }

    of_first, of_second = lines(first), lines(second)
    found: list[Difference] = []
    for name in dict.fromkeys([*of_first, *of_second]):
        before, after = of_first.get(name), of_second.get(name)
        shown = [
            None if line is None else {"from": date_of(line.effective_on).isoformat(), "persons": line.persons}
            for line in (before, after)
        ]
        line = before or after
        if shown[0] != shown[1] and line is not None:
            from_on = min(found_line.effective_on for found_line in (before, after) if found_line)
            found.append(Difference(name, from_on, year_end(line.year), shown[0], shown[1]))
    return found


def _of_calendars(first: Policy, second: Policy) -> list[Difference]:
    before, after = set(first.working_days.days), set(second.working_days.days)
    return [Difference("working_day", day, day, day in before, day in after) for day in sorted(before ^ after)]
