"""The tables' format: what a case in tests/policy/*.yaml may say, and the events it stands for.

README.md beside this file explains it to people who do not program.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_type_hints
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import INPUTS, Gap, PersonEvent
from tests.oracle.judge import alert_id, case_id
from tests.oracle.time import Calendar, day_number

SUBJECT = "p:table"
HERE = Path(__file__).parent

Dated = date | datetime | str


class Strict(BaseModel):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class ExpectedFinding(Strict):
    """One finding; what is left out is not compared."""

    rule: str
    state: Literal["open", "ended", "expired"]
    stay: date | None = None
    deadline: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    days: int | None = None
    grade: Literal["established", "presumed", "uncertain"] | None = None
    employer: str | None = None
    oblast: str | None = None
    ended_by: str | None = None
    options: list[str] | None = None


class LongestStay(Strict):
    """How long a stay from an entry day may last."""

    entry: date
    days: int | None
    last_lawful_day: date | None


class Expected(Strict):
    """What must come out; what is left out is not compared."""

    days_used: int | None = None
    days_remaining: int | None = None
    overstay: bool | None = None
    first_overstay_day: date | None = None
    longest_stay: LongestStay | None = None
    next_lawful_entry: date | None = None
    findings: list[ExpectedFinding] | None = None
    reminders: list[ExpectedFinding] | None = None
    cases: dict[date, str] | None = None
    protected: bool | None = None


class GapRow(Strict):
    """A time one post did not cover."""

    post: str
    start: Dated = Field(alias="from")
    until: Dated | None = None


class Case(Strict):
    """One case of a table."""

    name: str
    policy: str
    citizenship: str | None = None
    stays: list[tuple[date, date | None]] | None = None
    events: list[dict[str, dict[str, Any]]] | None = None
    on: date
    entry: date | None = None
    complete_through: Dated | None = None
    gaps: list[GapRow] = []
    expected: Expected
    source: str
    reasoning: str


class Loader(yaml.SafeLoader):
    """YAML in which ``on`` is a word, ``NO`` a country and a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise TableError(f"line {node.start_mark.line + 1}: {', '.join(sorted(twice))} stands twice in one mapping.")
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def _day(loader: Loader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        raise TableError(f"line {node.start_mark.line + 1}: {node.value} is no day of the calendar.") from None


Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)


class TableError(ValueError):
    """A table says something this format does not know; the sentence names the file, the case and what was expected."""


def cases() -> Iterator[tuple[str, Case]]:
    """Yields every case of every table with its name for the test report.

    Raises:
        TableError: a case breaks the format, or two have one name.
    """
    seen: set[str] = set()
    for path in sorted(HERE.glob("*.yaml")):
        for number, row in enumerate(rows_of(path), 1):
            case = read_case(row, f"{path.name}, case {number}")
            if case.name in seen:
                raise TableError(f"{path.name}, case {number}: the name {case.name!r} is already taken; choose another.")
            seen.add(case.name)
            yield f"{path.stem}: {case.name}", case


def rows_of(path: Path) -> list[Any]:
    """Returns what a table lists.

    Raises:
        TableError: it cannot be read; the sentence begins with file and line.
    """
    try:
        rows = yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506 - a safe loader
    except TableError as error:
        raise TableError(f"{path.name}, {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TableError(f"{path.name}, line {mark.line + 1 if mark else '?'}: expected YAML, got: {error.problem}.") from None
    if not isinstance(rows, list):
        raise TableError(f"{path.name}: expected a list of cases, each beginning with '- name:'.")
    return rows


def read_case(row: object, where: str) -> Case:
    """Returns one case.

    Raises:
        TableError: it breaks the format.
    """
    name = row.get("name", "without a name") if isinstance(row, dict) else "not a mapping"
    try:
        case = Case.model_validate(row)
        if (case.stays is None) == (case.events is None):
            raise TableError(f"{where} ({name}): expected either 'stays' or 'events'.")
        if case.stays is not None and case.citizenship is None:
            raise TableError(f"{where} ({name}): expected 'citizenship' beside 'stays'.")
        events_of(case)
    except ValidationError as error:
        raise TableError(f"{where} ({name}): {faults_in(error)}.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{where} ({name}): {error}") from None
    return case


_PARTS: dict[str, type[Strict]] = {
    "expected": Expected,
    "findings": ExpectedFinding,
    "reminders": ExpectedFinding,
    "longest_stay": LongestStay,
    "gaps": GapRow,
}


def faults_in(error: ValidationError, whole: type[Strict] = Case, parts: Mapping[str, type[Strict]] = _PARTS) -> str:
    """Returns in words what is wrong with a case: which field, and what may stand there."""
    said: list[str] = []
    for one in error.errors():
        within = [str(part) for part in one["loc"]]
        what = one["msg"]
        if one["type"] == "extra_forbidden":
            part = next((parts[name] for name in reversed(within[:-1]) if name in parts), whole)
            names = [field.alias or name for name, field in part.model_fields.items()]
            what = f"is not known; expected one of {', '.join(names)}"
        said.append(f"{'.'.join(within)}: {what}")
    return "; ".join(said)


def ident(name: str) -> bytes:
    """Returns the 16 bytes a name stands for."""
    return hashlib.sha256(name.encode()).digest()[:16]


_POLICIES: dict[str, Policy] = {}


def policy_of(case: Case) -> Policy:
    """Returns the policy of a case: a shipped one, or a file beside the tables."""
    if case.policy not in _POLICIES:
        path = HERE / "policies" / case.policy
        _POLICIES[case.policy] = load(path if path.exists() else case.policy)
    return _POLICIES[case.policy]


def instant_of(value: Dated, zone: str, *, end: bool = False) -> int:
    """Returns UTC epoch ms of a local date (noon; or the first instant after it) or date and time."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        at = value.replace(tzinfo=ZoneInfo(zone))
    elif end:
        at = datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(zone)) + timedelta(days=1)
    else:
        at = datetime(value.year, value.month, value.day, 12, tzinfo=ZoneInfo(zone))
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


DEFAULTS: dict[str, dict[str, Any]] = {
    "border_crossing": {"post": "KZ-75-A1", "purpose": "private", "document": "passport", "transport": "air"},
    "stay_registration": {"kind": "arrival", "oblast": "KZ-75", "host": "hotel"},
    "visa": {"kind": "issued", "visa_id": "visa", "category": "B10", "days_allowed": 365, "entries_allowed": 0},
    "residence_permit": {
        "kind": "issued", "permit_id": "residence", "residence": "temporary", "purpose": "work", "oblast": "KZ-75",
    },
    "citizenship": {"kind": "acquired", "country": "KAZ"},
    "work_permit": {
        "kind": "issued", "permit_id": "work", "permit_type": "employer", "category": "2", "oblast": "KZ-75", "sector": "F",
    },
    "labour_contract": {"kind": "concluded", "contract_id": "contract", "country": "KAZ", "oblast": "KZ-75", "sector": "F"},
    "inspection": {"kind": "in_country_check", "inspection_id": "visit", "oblast": "KZ-75"},
    "protection_status": {"protection_id": "procedure"},
    "entry_ban": {"kind": "imposed", "ban_id": "ban", "ground": "court"},
    "correction": {"reason": "data_entry"},
    "dispute": {"kind": "opened", "dispute_id": "dispute"},
    "case_decision": {"officer": "o:1", "reason": "as recorded"},
}  # fmt: skip
"""What an event says where the case says nothing; whatever may be absent is absent."""

KINDS = {kind.NAME: kind for kind in INPUTS if issubclass(kind, PersonEvent)}


def events_of(case: Case) -> list[PersonEvent]:
    """Returns the events of a case, or those its stays stand for."""
    calendar = Calendar(policy_of(case))
    if case.stays is not None:
        # A minute later each: a stay that begins on the day another ends begins after it.
        rows = [
            {word: {"at": f"{day.isoformat()}T{index // 60:02}:{index % 60:02}", "post": ""}}
            for index, (day, word) in enumerate(crossings_in(case.stays))
        ]
    else:
        rows = case.events or []
    return [event_of(number, row, case, calendar) for number, row in enumerate(rows, 1)]


def crossings_in(stays: list[tuple[date, date | None]]) -> list[tuple[date, str]]:
    """Returns the entries and exits that stays stand for, in order (docs/rules.md, Plain stays)."""
    whole = {(first, last) for first, last in stays if last is not None and first <= last}
    while pair := next(((one, other) for one in whole for other in whole if one != other and _share(one, other)), None):
        whole = whole - set(pair) | {(min(one[0] for one in pair), max(one[1] for one in pair))}
    lasting = {first for first, last in stays if last is None}
    turned = {(first, last) for first, last in stays if last is not None and last < first}
    begins = {first for first, _ in whole | turned} | lasting
    events: list[tuple[date, int, str]] = [
        (last, 0, "exit") for last in {last for _, last in turned} if not any(a <= last <= b for a, b in whole)
    ]
    for first, last in whole:
        goes_on = any(first <= day < last for day in lasting) and not any(day >= last for day in begins)
        # On one day: a stay that was there before ends, one of this day alone comes and goes, a further one begins.
        enters, leaves = (2, 3) if first == last else (4, 1)
        events += [(first, enters, "entry")] + ([] if goes_on else [(last, leaves, "exit")])
    for day in lasting | {first for first, _ in turned}:
        if not any(first <= day < last for first, last in whole):
            events.append((day, 5, "entry"))
    return [(day, word) for day, _, word in sorted(events)]


def _share(one: tuple[date, date], other: tuple[date, date]) -> bool:
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return first < last or (first == last and not (one[1] == first == other[0] or other[1] == first == one[0]))


def event_of(number: int, row: dict[str, dict[str, Any]], case: Case, calendar: Calendar) -> PersonEvent:
    """Returns the event of one row.

    Raises:
        TableError: it breaks the format.
    """
    if len(row) != 1:
        raise TableError(f"event {number}: expected one event type, got {', '.join(row)}")
    name, given = next(iter(row.items()))
    said = dict(given or {})
    if name in ("entry", "exit", "refusal"):
        name, said["direction"] = "border_crossing", name
        said.setdefault("citizenship", case.citizenship)
    if name not in KINDS:
        raise TableError(f"event {number}: expected one of entry, exit, {', '.join(KINDS)}; got {name!r}")
    kind = KINDS[name]
    values = DEFAULTS.get(name, {}) | said
    place = str(values.get("post") or values.get("oblast") or "")
    if "at" not in values:
        raise TableError(f"event {number} ({name}): expected 'at', the date or date and time")
    at_ms = instant_of(values.pop("at"), calendar.zone(place))
    recorded = values.pop("recorded", None)
    label = values.pop("id", f"{number}")
    if name == "stay_registration":
        values.setdefault("arrived_on", day_number(date(1970, 1, 1)) + calendar.local_day(at_ms, place))
    for key, first in (("stay", case_id), ("alert", alert_id)):
        if key in values:
            what = values.pop(key)
            if first is case_id:
                values["case_id"] = case_id(SUBJECT, day_number(what))
            else:
                values["alert_id"] = alert_id(what["rule"], SUBJECT, day_number(what["stay"]), day_number(what["deadline"]))
    envelope: dict[str, Any] = {
        "event_id": ident(str(label)),
        "subject": SUBJECT,
        "occurred_at": at_ms,
        "recorded_at": at_ms if recorded is None else instant_of(recorded, calendar.zone(place)),
        "source": "table",
        "source_seq": number,
    }
    hints = get_type_hints(kind)
    own = {one.name for one in fields(kind)} - envelope.keys()
    strange = values.keys() - own
    if strange:
        raise TableError(f"event {number} ({name}): unknown field {', '.join(sorted(strange))}; it has {', '.join(sorted(own))}")
    ready: dict[str, Any] = {}
    for one in fields(kind):
        if one.name in envelope:
            continue
        value = values.get(one.name)
        if one.name not in values and type(None) not in getattr(hints[one.name], "__args__", ()) and one.default is MISSING:
            raise TableError(f"event {number} ({name}): expected {one.name!r}")
        if isinstance(value, date):
            value = day_number(value)
        elif isinstance(value, str) and hints[one.name] in (bytes, bytes | None):
            value = ident(value)
        ready[one.name] = value
    return kind(**envelope, **ready)


def gaps_of(case: Case) -> tuple[Gap, ...]:
    """Returns the gaps of the case's coverage."""
    calendar = Calendar(policy_of(case))
    return tuple(
        Gap(
            gap.post,
            instant_of(gap.start, calendar.zone(gap.post)),
            None if gap.until is None else instant_of(gap.until, calendar.zone(gap.post)),
        )
        for gap in case.gaps
    )


def coverage_of(case: Case) -> int:
    """Returns how far the border's records are complete: the end of the day asked about, unless the case says otherwise."""
    zone = Calendar(policy_of(case)).zone("")
    return instant_of(case.on, zone, end=True) - 1 if case.complete_through is None else instant_of(case.complete_through, zone)
