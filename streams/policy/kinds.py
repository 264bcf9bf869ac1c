"""Kinds of values, and which parameter is of which kind: the form a policy file has to keep to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args

from streams.policy.codes import Text
from streams.policy.document import FaultError, Item, day_number, describe
from streams.policy.model import Allowance, Anchor
from streams.records.crossings import Purpose
from streams.records.labour import WorkPermitType

Known = Mapping[str, Collection[str]]
"""Names a value may refer to, by register: groups, options, …"""

Kind = Callable[[Item, Known], Any]


def keys_of(item: Item, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Item]:
    """Returns a mapping's items, if it has every required key and no unknown one."""
    if not isinstance(item.value, dict):
        raise item.refuse(f"a mapping with {', '.join(required)}")
    found: dict[str, Item] = item.value
    refusals = [
        child.refuse(f"one of the keys {', '.join([*required, *optional])}", f"the unknown key {key!r}")
        for key, child in found.items()
        if key not in required and key not in optional
    ]
    refusals += [
        item.refuse(f"the key {key!r}", f"only {', '.join(found) or 'an empty mapping'}") for key in required if key not in found
    ]
    if refusals:
        raise FaultError(*(fault for refusal in refusals for fault in refusal.faults))
    return found


def mapping_of(item: Item, what: str) -> dict[str, Item]:
    """Returns a mapping's items, whatever the keys."""
    if not isinstance(item.value, dict):
        raise item.refuse(f"a mapping of {what}")
    found: dict[str, Item] = item.value
    return found


def list_of(item: Item, what: str) -> list[Item]:
    """Returns a list's items."""
    if not isinstance(item.value, list):
        raise item.refuse(f"a list of {what}")
    found: list[Item] = item.value
    return found


def word(item: Item, what: str = "text") -> str:
    """Returns a text that is not empty."""
    if not isinstance(item.value, str) or not item.value.strip():
        raise item.refuse(what)
    return item.value


def nearest(name: str, names: Collection[str]) -> str:
    """Returns a hint for a mistyped name; empty if none is near."""
    found = get_close_matches(name, names, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def one_of(item: Item, choices: Collection[str], what: str) -> str:
    """Returns a text that is one of some choices."""
    if not isinstance(item.value, str) or item.value not in choices:
        shown = sorted(choices)
        came = f"{describe(item.value)}{nearest(item.value, shown)}" if isinstance(item.value, str) else None
        raise item.refuse(f"{what}: {', '.join(shown)}" if len(shown) <= 24 else f"one of the known {what}", came)
    return item.value


def day_of(item: Item) -> int:
    """Returns a date as days since 1970-01-01."""
    if not isinstance(item.value, date):
        raise item.refuse("a date like 2020-01-11")
    return day_number(item.value)


def number_of(item: Item, low: int, high: int) -> int:
    """Returns a whole number within bounds."""
    if isinstance(item.value, bool) or not isinstance(item.value, int) or not low <= item.value <= high:
        raise item.refuse(f"a whole number from {low} to {high}")
    return item.value


def text_of(item: Item) -> Text:
    """Returns a text in three languages."""
    found = keys_of(item, ("kk", "ru", "en"))
    return Text(word(found["kk"]), word(found["ru"]), word(found["en"]))


def whole(low: int, high: int, *, optional: bool = False) -> Kind:
    """A whole number; ``null`` where the rule may not exist."""

    def read(item: Item, known: Known) -> int | None:
        return None if optional and item.value is None else number_of(item, low, high)

    return read


def flag(item: Item, known: Known) -> bool:
    """True or false."""
    if not isinstance(item.value, bool):
        raise item.refuse("true or false")
    return item.value


def choice(*words: str) -> Kind:
    """One word of a few."""
    return lambda item, known: one_of(item, words, "one of")


def names(register: str) -> Kind:
    """A set of names of a register."""

    def read(item: Item, known: Known) -> frozenset[str]:
        found = [one_of(child, known[register], register) for child in list_of(item, register)]
        if len(set(found)) != len(found):
            raise item.refuse(f"each of the {register} once", "one of them twice")
        return frozenset(found)

    return read


def sequence(register: str) -> Kind:
    """Names of a register, in the register's own order."""

    def read(item: Item, known: Known) -> tuple[str, ...]:
        order = list(known[register])
        found = [one_of(child, order, register) for child in list_of(item, register)]
        if found != sorted(set(found), key=order.index):
            raise item.refuse(f"{register} once each and in the order {', '.join(order)}", ", ".join(found))
        return tuple(found)

    return read


def numbers_by(register: str, low: int, high: int) -> Kind:
    """A whole number for each of some names of a register."""

    def read(item: Item, known: Known) -> dict[str, int]:
        found = mapping_of(item, register)
        for name, child in found.items():
            if name not in known[register]:
                raise child.refuse(f"one of the {register} {', '.join(known[register])}", f"the unknown {name!r}")
        return {name: number_of(child, low, high) for name, child in found.items()}

    return read


def descending(item: Item, known: Known) -> tuple[int, ...]:
    """Days, descending."""
    found = [number_of(child, 0, 366) for child in list_of(item, "days")]
    if not all(left > right for left, right in pairwise(found)):
        raise item.refuse("days in descending order, each once", str(found))
    return tuple(found)


def notes(item: Item, known: Known) -> dict[str, str]:
    """Texts by article."""
    return {name: word(child) for name, child in mapping_of(item, "notes by article").items()}


def text(item: Item, known: Known) -> str:
    """Any text."""
    return word(item)


def allowance(item: Item, known: Known) -> Allowance | None:
    """An allowance, or ``null`` for a group without one."""
    if item.value is None:
        return None
    found = keys_of(item, ("days_per_entry", "days_in_window", "window_days", "anchor"))
    limit = whole(1, 3660, optional=True)
    per_entry, in_window, window = (limit(found[key], known) for key in ("days_per_entry", "days_in_window", "window_days"))
    anchor = one_of(found["anchor"], get_args(Anchor), "an anchor")
    if anchor != "per_entry" and (in_window is None) != (window is None):
        raise item.refuse("days_in_window and window_days, or neither", "one of them")
    if in_window is not None and window is not None and in_window > window:
        raise item.refuse("days_in_window not above window_days", f"{in_window} in {window}")
    return Allowance(per_entry, in_window, window, anchor)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a parameter must look like.

    Attributes:
        unit: the unit its file has to name.
        kind: reads one value.
        off: the value of a policy that says it goes without this parameter.
    """

    unit: str
    kind: Kind
    off: Any


_DAYS = Spec("calendar days", whole(0, 3660, optional=True), None)
_MONTHS = Spec("months", whole(1, 600, optional=True), None)
_PERCENT = Spec("percent", whole(0, 100, optional=True), None)
_YEARS = Spec("years", whole(0, 100), 0)

PARAMETERS: Mapping[str, Spec] = {
    "temporary_residence_days": _DAYS,
    "contract_grants_stay": Spec("groups", names("groups"), frozenset()),
    "extension_request_days": _DAYS,
    "notification_days": Spec("days of notification_unit", whole(0, 366, optional=True), None),
    "notification_unit": Spec("choice", choice("working", "calendar"), "calendar"),
    "notification_by": Spec("choice", choice("host", "foreigner"), "host"),
    "notification_groups": Spec("calendar days by group", numbers_by("groups", 1, 366), {}),
    "asylum_appeal_days": Spec("calendar days", whole(0, 366), 0),
    "asylum_departure_days": Spec("calendar days", whole(0, 366), 0),
    "permit_free_groups": Spec("groups", names("groups"), frozenset()),
    "purposes_without_work": Spec("purposes", names("purposes"), frozenset()),
    "permit_single_oblast": Spec("true/false", flag, False),
    "household_permit_max_months": _MONTHS,
    "household_permit_single_months": _MONTHS,
    "permit_max_months": Spec("months by permit type", numbers_by("permit_types", 1, 600), {}),
    "citizen_share_12": _PERCENT,
    "citizen_share_34": _PERCENT,
    "transferee_share_max": _PERCENT,
    "trafficking_min_workers": Spec("persons", whole(2, 10_000, optional=True), None),
    "trafficking_expiry_days": _DAYS,
    "trafficking_seen_days": _DAYS,
    "quota_pace_days": Spec("calendar days", whole(1, 366, optional=True), None),
    "quota_warning_days": _DAYS,
    "expulsion_ban_years": Spec("years", whole(0, 100, optional=True), None),
    "reminder_days": Spec("calendar days before", descending, ()),
    "legalisation_window": Spec("true/false", flag, False),
    "retention_after_exit_years": _YEARS,
    "retention_no_exit_years": _YEARS,
    "retention_notice_days": Spec("calendar days", whole(0, 366), 0),
    "retention_longest_title_years": _YEARS,
    "mci_kzt": Spec("tenge", whole(1, 1_000_000, optional=True), None),
    "fines": Spec("notes by article", notes, {}),
}
"""Every parameter outside the registers; each is a field of `Rules` (a test holds the two together)."""

PURPOSES: tuple[str, ...] = get_args(Purpose)
PERMIT_TYPES: tuple[str, ...] = get_args(WorkPermitType)
