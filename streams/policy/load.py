"""Loads a policy: the only module of this room that reads files, the tz database and the calendar of holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from streams.errors import PolicyError
from streams.policy.build import CODE_SECTIONS, SECTIONS, build
from streams.policy.calendar import WorkingDays
from streams.policy.document import Fault, Faults, Item, day_number, read_document
from streams.policy.kinds import list_of, mapping_of, word
from streams.policy.model import Policy
from streams.policy.zones import DAY_MS, Zone

SHIPPED: tuple[str, ...] = ("kz", "rolling-90-180")
"""Policies that come with the program."""

CALENDAR_YEARS = range(2000, 2041)
_ZONE_YEARS = (1970, 2041)
_MERGED = frozenset(SECTIONS) - {"policy", "options", "working_days"}  # sections made of named entries
_ONE_FILE_BYTES = 4 * 1024 * 1024


def load(name_or_path: str | Path, *, calendar: str | Path | None = None) -> Policy:
    """Loads a policy and refuses everything about it that is not understood.

    Args:
        name_or_path: a shipped policy's name (``kz``, ``rolling-90-180``), or a path: a directory of YAML files, or one file.
        calendar: an administrator's file of working-day overrides (docs/policy.md), laid over the policy's own.

    Returns:
        The policy.

    Raises:
        PolicyError: the first fault, with file, line, what was expected and what came.
    """
    faults = Faults()
    policy = _load(name_or_path, calendar, faults)
    if policy is None or faults.found:
        first, others = faults.found[0], len(faults.found) - 1
        more = f" ({others} more fault{'s' if others > 1 else ''})" if others else ""
        raise PolicyError(f"{first}{more}", f"Put it right, then run: shekara policy check {name_or_path}")
    return policy


def check(name_or_path: str | Path, *, calendar: str | Path | None = None) -> tuple[Fault, ...]:
    """Returns every fault of a policy, by file and line; nothing if `load` would take it.

    Raises:
        PolicyError: there is no such policy.
    """
    faults = Faults()
    _load(name_or_path, calendar, faults)
    return tuple(sorted(faults.found, key=lambda fault: (fault.file, fault.line, fault.what)))


def _load(name_or_path: str | Path, calendar: str | Path | None, faults: Faults) -> Policy | None:
    name, sections = _sections(name_or_path, faults, ())
    if calendar is not None:
        _lay_over(sections, _read_files({Path(calendar).name: Path(calendar)}, faults), faults)
    if "policy" not in sections:
        if not faults.found:
            faults.found.append(
                Fault(str(name_or_path), 0, "expected a section 'policy' (title, from, zone, otherwise), got none.")
            )
        return None
    return build(name, sections, zone_of, _holidays_of, faults)


def _sections(name_or_path: str | Path, faults: Faults, chain: tuple[str, ...]) -> tuple[str, dict[str, Item]]:
    path = _find(name_or_path)
    if str(path) in chain:
        faults.found.append(Fault(str(name_or_path), 0, "expected a policy that stands on another, got a circle."))
        return path.stem, {}
    files = {path.name: path} if path.is_file() else {f"{path.name}/{file.name}": file for file in sorted(path.glob("*.yaml"))}
    if not files:
        raise PolicyError(
            f"{name_or_path} has no *.yaml file: expected a policy.", "docs/policy.md says what a policy is made of."
        )
    own = _read_files(files, faults)
    sections: dict[str, Item] = {}
    with faults.collecting():
        head = mapping_of(own["policy"], "title, from, …") if "policy" in own else {}
        for key in ("based_on", "codes_of"):
            if key in head:
                base = word(head[key], "the name or path of a policy")
                try:
                    _, below = _sections(_beside(path, base), faults, (*chain, str(path)))
                except PolicyError as error:
                    raise head[key].refuse("the name or path of a policy", f"{base!r} ({error.what})") from None
                wanted = CODE_SECTIONS if key == "codes_of" else SECTIONS
                sections |= {section: item for section, item in below.items() if section in wanted}
        _lay_over(sections, own, faults)
    return path.stem if path.is_file() else path.name, sections


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if str(name_or_path) in SHIPPED:
        return Path(str(resources.files("streams.policy"))) / str(name_or_path)
    if not path.exists():
        raise PolicyError(
            f"There is no policy {str(name_or_path)!r}: expected {', '.join(SHIPPED)}, or a path (directory or YAML file).",
            "Run: shekara policy show kz",
        )
    return path.resolve()


def _beside(path: Path, base: str) -> str | Path:
    near = (path.parent if path.is_file() else path) / base
    return base if base in SHIPPED or not near.exists() else near


def _read_files(files: Mapping[str, Path], faults: Faults) -> dict[str, Item]:
    sections: dict[str, Item] = {}
    for name, path in files.items():
        try:
            if path.stat().st_size > _ONE_FILE_BYTES:
                faults.found.append(Fault(name, 0, f"expected at most {_ONE_FILE_BYTES} bytes, got {path.stat().st_size}."))
                continue
            text = path.read_bytes()
        except OSError as error:
            raise PolicyError(f"Cannot read {path}: {error.strerror}.", "Check the path and its permissions.") from None
        document = read_document(text, name, faults)
        if document is None:
            continue
        with faults.collecting():
            for section, item in mapping_of(document, f"sections ({', '.join(SECTIONS)})").items():
                with faults.collecting():
                    if section not in SECTIONS:
                        raise item.refuse(f"one of the sections {', '.join(SECTIONS)}", f"the unknown {section!r}")
                    if section not in sections:
                        sections[section] = item
                    elif section in _MERGED:
                        sections[section] = _merged(sections[section], item, faults)
                    else:
                        raise item.refuse(f"the section {section!r} once", f"it again (first at {sections[section].where})")
    return sections


def _merged(first: Item, second: Item, faults: Faults) -> Item:
    entries = dict(mapping_of(first, "entries by name"))
    for name, item in mapping_of(second, "entries by name").items():
        with faults.collecting():
            if name in entries:
                raise item.refuse(f"{name!r} once", f"it again (first at {entries[name].where})")
            entries[name] = item
    return replace(first, value=entries)


def _lay_over(sections: dict[str, Item], own: Mapping[str, Item], faults: Faults) -> None:
    """Lays a policy's own sections over those it stands on: an entry replaces the entry of the same name, whole."""
    for section, item in own.items():
        with faults.collecting():
            below = sections.get(section)
            if below is None or section == "options":
                sections[section] = item
            elif section == "working_days":
                sections[section] = _overridden(below, item)
            else:
                entries = mapping_of(below, "entries by name") | mapping_of(item, "entries by name")
                sections[section] = replace(item, value=entries)


def _overridden(below: Item, item: Item) -> Item:
    lower, upper = mapping_of(below, "holidays_of, overrides"), mapping_of(item, "holidays_of, overrides")
    days = list_of(upper["overrides"], "days") if "overrides" in upper else []
    corrected = {str(day.value["day"].value) for day in days if isinstance(day.value, dict) and "day" in day.value}
    kept = [
        day
        for day in (list_of(lower["overrides"], "days") if "overrides" in lower else [])
        if not (isinstance(day.value, dict) and "day" in day.value and str(day.value["day"].value) in corrected)
    ]
    return replace(item, value=lower | upper | {"overrides": replace(item, value=kept + days)})


@lru_cache(maxsize=64)
def zone_of(name: str) -> Zone | None:
    """Returns a zone's history from the tzdata package, never from the machine; none if there is no such zone."""
    if not all(part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in name.split("/")):
        return None
    file = resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        zone = ZoneInfo.from_file(stream, key=name)

    def offset(day_second: int) -> int:
        found = datetime.fromtimestamp(day_second, zone).utcoffset()
        return int((found or timedelta()).total_seconds())

    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in _ZONE_YEARS)
    starts, offsets = [-(2**62)], [offset(first) * 1000]
    week = 7 * DAY_MS // 1000
    for second in range(first, last, week):  # two changes never fall into one week
        if offset(second + week) != offsets[-1] // 1000:
            low, high = second, second + week
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle) == offsets[-1] // 1000:
                    low = middle
                else:
                    high = middle
            starts.append(high * 1000)
            offsets.append(offset(high) * 1000)
    return Zone(name, tuple(starts), tuple(offsets))


@lru_cache(maxsize=8)
def _holidays_of(country: str) -> WorkingDays | None:
    first, last = date(CALENDAR_YEARS[0], 1, 1), date(CALENDAR_YEARS[-1], 12, 31)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if country:
        import holidays

        try:
            calendar = holidays.country_holidays(country, years=CALENDAR_YEARS)
        except NotImplementedError:
            return None
        days = [day for day in days if calendar.is_working_day(day)]
    else:
        days = [day for day in days if day.weekday() < 5]
    return WorkingDays(tuple(day_number(day) for day in days), day_number(first), day_number(last))
