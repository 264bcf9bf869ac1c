"""Puts a policy together from its sections; pure, so that the same sections always give the same policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from streams.policy.calendar import WorkingDays
from streams.policy.codes import Codes, Text
from streams.policy.document import Fault, Faults, Item, date_of
from streams.policy.kinds import (
    PARAMETERS,
    PERMIT_TYPES,
    PURPOSES,
    Kind,
    Known,
    allowance,
    choice,
    day_of,
    keys_of,
    list_of,
    mapping_of,
    names,
    nearest,
    one_of,
    sequence,
    text,
    text_of,
    word,
)
from streams.policy.model import UNKNOWN_GROUP, Family, Parameter, Period, Policy, QuotaLine, Rules, RuleTerms, Severity
from streams.policy.registers import ZoneOf, confidence_of, read_calendar_overrides, read_codes, read_quotas, year_end, zone_name
from streams.policy.zones import Zone

SECTIONS: tuple[str, ...] = (
    "policy", "parameters", "allowances", "groups", "rules", "options", "countries", "special_codes",
    "oblasts", "posts", "sectors", "visa_categories", "quotas", "quota_kinds", "working_days",
)  # fmt: skip
"""Everything a policy file may hold at its top level."""

CODE_SECTIONS = frozenset({"countries", "special_codes", "oblasts", "posts", "sectors", "visa_categories", "working_days"})
"""What ``codes_of`` takes over from another policy."""

REFERRAL = "officer_may_consider_referral"
"""The one option that is no help to the person; no policy can attach it to anything but a breach."""

FIRST_DAY = -719_162
"""0001-01-01, the first day Python's calendar knows: there, and to the first dated value, the first values hold."""

HolidaysOf = Callable[[str], WorkingDays | None]
"""Gives the working days of a country by alpha-2 code (empty: Monday to Friday); none if nobody knows them."""


@dataclass(frozen=True, slots=True)
class _Head:
    title: Text
    from_on: int
    zone: str
    otherwise: str
    without: frozenset[str]
    where: Item


def build(name: str, sections: Mapping[str, Item], zone_of: ZoneOf, holidays_of: HolidaysOf, faults: Faults) -> Policy | None:
    """Builds a policy.

    Args:
        name: its name.
        sections: its sections, merged from all its files.
        zone_of: the tz database.
        holidays_of: the calendar of public holidays.
        faults: where everything that is wrong is noted.

    Returns:
        The policy; none if there was a fault.
    """
    head: _Head | None = None
    with faults.collecting():
        head = _head(sections, zone_of)
    if head is None:
        return None
    codes = read_codes(sections, zone_of, faults)
    known = _known(sections, codes, faults)
    parameters = _Reader(sections, known, head, faults).parameters()
    starts, members = _memberships(parameters, codes, head, faults)
    quotas, quota_texts = read_quotas(sections, codes, faults)
    options = {item.value["name"].value: text_of(item.value["text"]) for item in _options(sections, Faults())}
    working_days = _working_days(sections, holidays_of, faults)
    zones = _zones(codes, head, zone_of)
    if faults.found or working_days is None:
        return None
    periods, rules = _rules(parameters, quotas, _texts_of(sections, "rules"))
    return Policy(
        name=name,
        version=f"{name}-{_hash(sections, working_days, zones)}",
        title=head.title,
        codes=codes,
        working_days=working_days,
        parameters=parameters,
        rule_texts={
            rule: (text_of(item.value["title"]), text_of(item.value["description"]))
            for rule, item in _texts_of(sections, "rules").items()
        },
        option_texts=options,
        group_texts={group: text_of(item.value["title"]) for group, item in _texts_of(sections, "groups").items()},
        quotas=quotas,
        quota_texts=quota_texts,
        zones=zones,
        periods=periods,
        rules=rules,
        group_starts=starts,
        group_names=members,
        unknown_group=UNKNOWN_GROUP if UNKNOWN_GROUP in _texts_of(sections, "groups") else head.otherwise,
    )


def _texts_of(sections: Mapping[str, Item], section: str) -> dict[str, Item]:
    return mapping_of(sections[section], section) if section in sections else {}


def _head(sections: Mapping[str, Item], zone_of: ZoneOf) -> _Head:
    item = sections["policy"]
    keys = keys_of(item, ("title", "from", "zone", "otherwise"), ("without", "based_on", "codes_of"))
    without = (
        [one_of(child, PARAMETERS, "parameters") for child in list_of(keys["without"], "parameters")] if "without" in keys else []
    )
    return _Head(
        title=text_of(keys["title"]),
        from_on=day_of(keys["from"]),
        zone=zone_name(keys["zone"], zone_of),
        otherwise=word(keys["otherwise"], "a group"),
        without=frozenset(without),
        where=item,
    )


def _known(sections: Mapping[str, Item], codes: Codes, faults: Faults) -> Known:
    groups: list[str] = []
    with faults.collecting():
        groups = list(mapping_of(sections["groups"], "groups by name")) if "groups" in sections else []
    return {
        "groups": [*groups, UNKNOWN_GROUP] if UNKNOWN_GROUP not in groups else groups,
        "countries": codes.countries,
        "purposes": PURPOSES,
        "permit_types": PERMIT_TYPES,
        "options": [item.value["name"].value for item in _options(sections, faults)],
    }


def _options(sections: Mapping[str, Item], faults: Faults) -> list[Item]:
    found: list[Item] = []
    with faults.collecting():
        for item in list_of(sections["options"], "options") if "options" in sections else ():
            with faults.collecting():
                keys = keys_of(item, ("name", "text"))
                name = word(keys["name"], "a name")
                text_of(keys["text"])
                if any(name == other.value["name"].value for other in found):
                    raise item.refuse("each option once", f"{name!r} again")
                found.append(item)
    return found


class _Reader:
    """Reads every dated parameter of the sections."""

    def __init__(self, sections: Mapping[str, Item], known: Known, head: _Head, faults: Faults) -> None:
        self.sections, self.known, self.head, self.faults = sections, known, head, faults
        self.found: dict[str, Parameter] = {}

    def parameters(self) -> dict[str, Parameter]:
        """Returns every parameter by name, in the order of the files."""
        for name, item in self._entries("parameters"):
            with self.faults.collecting():
                if name not in PARAMETERS:
                    raise item.refuse("a known parameter (docs/policy.md)", f"the unknown {name!r}{nearest(name, PARAMETERS)}")
                if name in self.head.without:
                    raise item.refuse("nothing, for the policy says it goes without it", f"{name!r}")
                spec = PARAMETERS[name]
                self._read(name, item, spec.unit, spec.kind)
        entries = dict(self._entries("parameters"))
        for name in PARAMETERS:
            with self.faults.collecting():
                if name not in entries and name not in self.head.without:
                    raise self.head.where.refuse(f"the parameter {name!r}, or its name under 'without'", "no such parameter")
        for name, item in self._entries("allowances"):
            with self.faults.collecting():
                if name not in self.known["groups"]:
                    raise item.refuse(f"one of the groups {', '.join(self.known['groups'])}", f"the unknown {name!r}")
                self._read(f"allowance.{name}", item, "allowance", allowance)
        self._groups()
        self._rules()
        return self.found

    def _entries(self, section: str) -> list[tuple[str, Item]]:
        with self.faults.collecting():
            if section in self.sections:
                return list(mapping_of(self.sections[section], f"{section} by name").items())
        return []

    def _read(self, name: str, item: Item, unit: str, kind: Kind) -> None:
        keys = keys_of(item, ("description", "unit", "values"))
        description = Text("", "", "")
        with self.faults.collecting():
            description = text_of(keys["description"])
        with self.faults.collecting():
            if word(keys["unit"], "a unit") != unit:
                raise keys["unit"].refuse(f"the unit {unit!r}")
        self._note(name, unit, description, self._periods(keys["values"], kind), item)

    def _note(self, name: str, unit: str, description: Text, periods: tuple[Period, ...], item: Item) -> None:
        if periods:  # else every one of them was refused
            self.found[name] = Parameter(name, unit, description, periods, item.where)

    def _periods(self, item: Item, kind: Kind) -> tuple[Period, ...]:
        found: list[Period] = []
        faults_before = len(self.faults.found)
        for child in list_of(item, "values, each with from, value, source, confidence"):
            with self.faults.collecting():
                keys = keys_of(child, ("from", "value", "source", "confidence"))
                source, confidence = "", None
                with self.faults.collecting():
                    source = word(keys["source"], "a source")
                with self.faults.collecting():
                    confidence = confidence_of(keys["confidence"])
                from_on = day_of(keys["from"])
                if found and from_on <= found[-1].from_on:
                    before = date_of(found[-1].from_on)
                    raise keys["from"].refuse(
                        f"periods in order that do not overlap: a day after {before}", f"{date_of(from_on)}"
                    )
                value = kind(keys["value"], self.known)
                if confidence is not None:
                    found.append(Period(from_on, value, source, confidence))
        if len(self.faults.found) == faults_before:
            if not found:
                raise item.refuse("at least one value", "an empty list")
            if found[0].from_on > self.head.from_on:
                raise item.refuse(
                    f"a value on every day from {date_of(self.head.from_on)}, the policy's first",
                    f"none before {date_of(found[0].from_on)}",
                )
        return tuple(found)

    def _groups(self) -> None:
        for name, item in self._entries("groups"):
            with self.faults.collecting():
                keys = keys_of(item, ("title",), ("members",))
                title = text_of(keys["title"])
                if "members" in keys:
                    periods = self._periods(keys["members"], names("countries"))
                    self._note(f"group.{name}", "countries", title, periods, item)
        with self.faults.collecting():
            if self.head.otherwise not in self.known["groups"]:
                raise self.head.where.refuse("a group under 'otherwise'", f"{self.head.otherwise!r}")

    def _rules(self) -> None:
        dated: Mapping[str, tuple[str, Kind]] = {
            "severity": ("severity", choice(*get_args(Severity))),
            "article": ("article", text),
            "options": ("options", sequence("options")),
        }
        for name, item in self._entries("rules"):
            with self.faults.collecting():
                keys = keys_of(item, ("family", "title", "description", *dated))
                family = one_of(keys["family"], get_args(Family), "one of")
                title = text_of(keys["title"])
                text_of(keys["description"])
                for aspect, (unit, kind) in dated.items():
                    parameter = f"rule.{name}.{aspect}"
                    periods = self._periods(keys[aspect], kind)
                    if family != "breach" and any(REFERRAL in _words(period.value) for period in periods):
                        raise keys[aspect].refuse(f"no {REFERRAL} in a rule of family {family}", REFERRAL)
                    self._note(parameter, unit, title, periods, keys[aspect])


def _words(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _memberships(
    parameters: Mapping[str, Parameter], codes: Codes, head: _Head, faults: Faults
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[str, ...]]]:
    groups = {name.partition(".")[2]: parameter for name, parameter in parameters.items() if name.startswith("group.")}
    days = sorted({period.from_on for parameter in groups.values() for period in parameter.periods} | {head.from_on})
    starts: dict[str, list[int]] = {code: [] for code in codes.countries}
    held: dict[str, list[str]] = {code: [] for code in codes.countries}
    clashes: set[tuple[str, str]] = set()
    for day in days:
        of: dict[str, str] = {}
        for name, parameter in groups.items():
            countries: Any = parameter.on(day).value
            for code in sorted(countries):
                if code in of and (code, name) not in clashes:
                    clashes.add((code, name))
                    file, _, line = parameter.where.rpartition(":")
                    what = f"expected {code} in one group on {date_of(day)}, got it in {of[code]} and in {name}."
                    faults.found.append(Fault(file, int(line), what))
                of[code] = name
        for code in codes.countries:
            group = of.get(code, head.otherwise)
            if not held[code] or held[code][-1] != group:
                starts[code].append(day)
                held[code].append(group)
    return {code: tuple(found) for code, found in starts.items()}, {code: tuple(found) for code, found in held.items()}


def _working_days(sections: Mapping[str, Item], holidays_of: HolidaysOf, faults: Faults) -> WorkingDays | None:
    country, overrides = read_calendar_overrides(sections, faults)
    found = holidays_of(country)
    with faults.collecting():
        if found is None:
            raise sections["working_days"].refuse("a country whose public holidays are known", f"{country!r}")
        for day in overrides:
            if not found.first_day <= day <= found.last_day:
                raise sections["working_days"].refuse(
                    f"days from {date_of(found.first_day)} to {date_of(found.last_day)}", f"{date_of(day)}"
                )
    if found is None:
        return None
    days = (set(found.days) | {day for day, working in overrides.items() if working}) - {
        day for day, working in overrides.items() if not working
    }
    return WorkingDays(tuple(sorted(days)), found.first_day, found.last_day)


def _zones(codes: Codes, head: _Head, zone_of: ZoneOf) -> dict[str, Zone]:
    wanted = {"": head.zone}
    wanted |= {code: oblast.zone for code, oblast in codes.oblasts.items()}
    wanted |= {code: post.zone for code, post in codes.posts.items()}
    found: dict[str, Zone] = {}
    for place, name in wanted.items():
        zone = zone_of(name)
        if zone is not None:
            found[place] = zone
    return found


def _rules(
    parameters: Mapping[str, Parameter], quotas: tuple[QuotaLine, ...], rules: Mapping[str, Item]
) -> tuple[tuple[int, ...], tuple[Rules, ...]]:
    days = {
        period.from_on for name, parameter in parameters.items() if not name.startswith("group.") for period in parameter.periods
    }
    days |= {line.effective_on for line in quotas} | {year_end(line.year) + 1 for line in quotas} | {FIRST_DAY}
    starts = sorted(days)
    made: list[Rules] = []
    for index, day in enumerate(starts):
        values: dict[str, Any] = {
            name: parameters[name].on(day).value if name in parameters else spec.off for name, spec in PARAMETERS.items()
        }
        allowances = {
            name.partition(".")[2]: parameters[name].on(day).value for name in parameters if name.startswith("allowance.")
        }
        made.append(
            Rules(
                from_on=day,
                until_on=starts[index + 1] - 1 if index + 1 < len(starts) else None,
                allowances={group: value for group, value in allowances.items() if value is not None},
                by_rule={name: _terms(name, item, parameters, day) for name, item in rules.items()},
                quotas=_in_force(quotas, day),
                **values,
            )
        )
    return tuple(starts), tuple(made)


def _terms(name: str, item: Item, parameters: Mapping[str, Parameter], day: int) -> RuleTerms:
    severity: Any = parameters[f"rule.{name}.severity"].on(day).value
    options: Any = parameters[f"rule.{name}.options"].on(day).value
    article = parameters[f"rule.{name}.article"].on(day)
    return RuleTerms(name, item.value["family"].value, severity, str(article.value), article.confidence, options)


def _in_force(quotas: tuple[QuotaLine, ...], day: int) -> tuple[QuotaLine, ...]:
    latest: dict[tuple[str, str | None, str | None, str | None], QuotaLine] = {}
    for line in quotas:  # ordered by version: a later one replaces an earlier
        if line.effective_on <= day <= year_end(line.year):
            latest[(line.quota, line.oblast, line.category, line.sector)] = line
    return tuple(latest.values())


def _hash(sections: Mapping[str, Item], working_days: WorkingDays, zones: Mapping[str, Zone]) -> str:
    """Eight hex digits over everything that can decide: the files' content, the holidays and the zones they were read with."""
    content = {
        "sections": {name: item.plain() for name, item in sections.items()},
        "working_days": [working_days.first_day, working_days.last_day, *working_days.days],
        "zones": {place: [zone.name, zone.starts_ms, zone.offsets_ms] for place, zone in zones.items()},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
