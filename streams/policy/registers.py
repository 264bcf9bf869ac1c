"""Reads the registers of a policy: countries, oblasts, posts, sectors, visa categories, quotas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

from streams.policy.codes import Code, Codes, Confidence, Country, Oblast, Post, PostKind, Text
from streams.policy.document import Faults, Item, date_of, day_number
from streams.policy.kinds import day_of, keys_of, list_of, mapping_of, number_of, one_of, text_of, word
from streams.policy.model import QuotaLine
from streams.policy.zones import Zone
from streams.records.labour import WorkCategory

ZoneOf = Callable[[str], Zone | None]
"""Gives the history of a zone by its tz database name; none if there is no such zone."""

_KIND_LETTERS: Mapping[str, str] = {"road": "R", "rail": "T", "air": "A", "sea": "S"}
QUOTAS = ("labour", "kandas")
QUOTA_UNIT = "persons"
_COUNTRY = re.compile(r"[A-Z]{3}")
_OBLAST = re.compile(r"KZ-[0-9]{2}")


def zone_name(item: Item, zone_of: ZoneOf) -> str:
    """Returns the name of a zone the tz database knows."""
    name = word(item, "the name of a time zone")
    if zone_of(name) is None:
        raise item.refuse("a time zone of the tz database, like Asia/Almaty")
    return name


def read_codes(sections: Mapping[str, Item], zone_of: ZoneOf, faults: Faults) -> Codes:
    """Reads every register of codes."""
    countries = _countries(sections, faults)
    oblasts = _oblasts(sections, zone_of, faults)
    posts: dict[str, Post] = {}
    for code, item in _entries(sections, "posts", faults):
        with faults.collecting():
            posts[code] = _post(code, item, oblasts, countries, zone_of)
    return Codes(countries, oblasts, posts, _named(sections, "sectors", faults), _named(sections, "visa_categories", faults))


def _entries(sections: Mapping[str, Item], section: str, faults: Faults) -> list[tuple[str, Item]]:
    with faults.collecting():
        if section in sections:
            return list(mapping_of(sections[section], f"{section} by code").items())
    return []


def _countries(sections: Mapping[str, Item], faults: Faults) -> dict[str, Country]:
    found: dict[str, Country] = {}
    for section in ("countries", "special_codes"):
        for code, item in _entries(sections, section, faults):
            with faults.collecting():
                if not _COUNTRY.fullmatch(code):
                    raise item.refuse("three capital letters", f"the code {code!r}")
                if code in found:
                    raise item.refuse("each code in one register only", f"{code!r} in two")
                found[code] = Country(code, word(item, "a name"), special=section == "special_codes")
    return found


def _oblasts(sections: Mapping[str, Item], zone_of: ZoneOf, faults: Faults) -> dict[str, Oblast]:
    found: dict[str, Oblast] = {}
    entries = _entries(sections, "oblasts", faults)
    codes = {code for code, _ in entries}
    for code, item in entries:
        with faults.collecting():
            if not _OBLAST.fullmatch(code):
                raise item.refuse("a code like KZ-75", f"the code {code!r}")
            keys = keys_of(item, ("name", "zone", "valid_from"), ("parent",))
            parent = one_of(keys["parent"], codes - {code}, "oblast") if "parent" in keys else ""
            zone = zone_name(keys["zone"], zone_of)
            found[code] = Oblast(code, text_of(keys["name"]), zone, day_of(keys["valid_from"]), parent)
    for code, item in entries:
        with faults.collecting():
            walked, here = {code}, found[code].parent if code in found else ""
            while here and here in found:
                if here in walked:
                    raise item.refuse("a parent that is older", "a circle of parents")
                walked.add(here)
                here = found[here].parent
    return found


def _post(code: str, item: Item, oblasts: Mapping[str, Oblast], countries: Mapping[str, Country], zone_of: ZoneOf) -> Post:
    keys = keys_of(item, ("name", "oblast", "kind", "zone"), ("neighbour", "source", "confidence"))
    oblast = one_of(keys["oblast"], oblasts, "oblast")
    kind = one_of(keys["kind"], _KIND_LETTERS, "one of")
    if not re.fullmatch(rf"{re.escape(oblast)}-{_KIND_LETTERS[kind]}[1-9][0-9]?", code):
        raise item.refuse(f"a code like {oblast}-{_KIND_LETTERS[kind]}1 for a {kind} post in {oblast}", f"the code {code!r}")
    neighbour = one_of(keys["neighbour"], countries, "countries") if "neighbour" in keys else ""
    typed: PostKind = kind  # type: ignore[assignment]
    return Post(code, text_of(keys["name"]), oblast, typed, zone_name(keys["zone"], zone_of), neighbour)


def _named(sections: Mapping[str, Item], section: str, faults: Faults) -> dict[str, Code]:
    found: dict[str, Code] = {}
    for code, item in _entries(sections, section, faults):
        with faults.collecting():
            found[code] = Code(code, text_of(item))
    return found


def _quota_texts(sections: Mapping[str, Item], faults: Faults) -> dict[str, Text]:
    """Reads what each quota is a quota of, in words."""
    found: dict[str, Text] = {}
    for name, item in _entries(sections, "quota_kinds", faults):
        with faults.collecting():
            if name not in QUOTAS:
                raise item.refuse(f"one of the quotas {', '.join(QUOTAS)}", f"the unknown {name!r}")
            keys = keys_of(item, ("description", "unit"))
            if word(keys["unit"], "a unit") != QUOTA_UNIT:
                raise keys["unit"].refuse(f"the unit {QUOTA_UNIT!r}")
            found[name] = text_of(keys["description"])
    return found


def read_quotas(sections: Mapping[str, Item], codes: Codes, faults: Faults) -> tuple[tuple[QuotaLine, ...], dict[str, Text]]:
    """Reads every quota line, ordered by quota, year, line and version, and what each quota is a quota of."""
    found: dict[tuple[str, int, str, str, str, int], QuotaLine] = {}
    kinds = dict(_entries(sections, "quota_kinds", faults))
    for name, item in _entries(sections, "quotas", faults):
        with faults.collecting():
            quota, _, year = name.partition(" ")
            if quota not in QUOTAS or not re.fullmatch(r"[12][0-9]{3}", year):
                raise item.refuse("a name like 'labour 2025' or 'kandas 2025'", f"{name!r}")
            if quota not in kinds:
                raise item.refuse(f"a description of {quota!r} under 'quota_kinds'", "none")
            for child in list_of(item, "quota lines"):
                with faults.collecting():
                    line = _quota_line(quota, int(year), child, codes)
                    key = (quota, line.year, line.oblast or "", line.category or "", line.sector or "", line.version)
                    if key in found:
                        raise child.refuse("each version of a line once", f"version {line.version} again")
                    before = found.get((*key[:5], line.version - 1))
                    if before is not None and before.effective_on >= line.effective_on:
                        raise child.refuse(
                            f"a version that begins after {date_of(before.effective_on)}", f"{date_of(line.effective_on)}"
                        )
                    found[key] = line
    return tuple(found[key] for key in sorted(found)), _quota_texts(sections, faults)


def _quota_line(quota: str, year: int, item: Item, codes: Codes) -> QuotaLine:
    keys = keys_of(item, ("version", "from", "persons", "source", "confidence"), ("oblast", "category", "sector"))
    effective_on = day_of(keys["from"])
    if date_of(effective_on).year != year:
        raise keys["from"].refuse(f"a day of {year}")
    line = QuotaLine(
        quota=quota,  # type: ignore[arg-type]
        year=year,
        version=number_of(keys["version"], 1, 99),
        oblast=one_of(keys["oblast"], codes.oblasts, "oblast") if "oblast" in keys else None,
        category=one_of(keys["category"], get_args(WorkCategory), "one of") if "category" in keys else None,
        sector=one_of(keys["sector"], codes.sectors, "sector") if "sector" in keys else None,
        persons=number_of(keys["persons"], 0, 10_000_000),
        effective_on=effective_on,
        source=word(keys["source"], "a source"),
        confidence="low",
    )
    return replace(line, confidence=confidence_of(keys["confidence"]))


def confidence_of(item: Item) -> Confidence:
    """Returns high, medium or low."""
    found: Confidence = one_of(item, get_args(Confidence), "one of")  # type: ignore[assignment]
    return found


def read_calendar_overrides(sections: Mapping[str, Item], faults: Faults) -> tuple[str, dict[int, bool]]:
    """Reads whose holidays count, and the days an administrator has put right.

    Returns:
        The country's ISO 3166-1 alpha-2 code (empty: weekends only), and by day whether it is a working day.
    """
    overrides: dict[int, bool] = {}
    with faults.collecting():
        if "working_days" not in sections:
            return "", overrides
        keys = keys_of(sections["working_days"], ("holidays_of",), ("overrides",))
        country = word(keys["holidays_of"], "an ISO 3166-1 alpha-2 code") if keys["holidays_of"].value else ""
        for child in list_of(keys["overrides"], "days") if "overrides" in keys else ():
            with faults.collecting():
                line = keys_of(child, ("day", "working", "source"))
                day = day_of(line["day"])
                if not isinstance(line["working"].value, bool):
                    raise line["working"].refuse("true or false")
                if day in overrides:
                    raise child.refuse("each day once", f"{date_of(day)} again")
                word(line["source"], "a source")
                overrides[day] = line["working"].value
        return country, overrides
    return "", overrides


def year_end(year: int) -> int:
    """Returns 31 December of a year as days since 1970-01-01."""
    return day_number(date_of(0).replace(year=year, month=12, day=31))
