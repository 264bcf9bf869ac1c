"""Which agency may see what: data, read strictly; and what becomes of a record for an agency."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from streams.errors import UsageError
from streams.records import Alert, Case, Finding
from streams.wire.jsonform import fields_of, instant_text, to_json
from streams.wire.schemas import NAMESPACE

Shared = Alert | Finding | Case
KINDS: dict[str, type[Shared]] = {kind.NAME: kind for kind in (Alert, Finding, Case)}
"""What agencies are told of. Facts and dead letters never leave."""

_NEVER = frozenset({"protective"})
"""Families that only an entry which names them may have: a sign of trafficking goes to those who protect (Concept, C16)."""

_PARTS = frozenset({"fields", "rules", "families", "oblasts"})
_SEE = "See docs/exchange.md."


@dataclass(frozen=True, slots=True)
class View:
    """What one agency sees of one kind of record; an empty choice means no limit.

    Attributes:
        fields: it gets, in the schema's order.
        rules: of alerts and findings.
        families: of alerts and findings; without any, all but the protective.
        oblasts: where it is responsible.
    """

    fields: tuple[str, ...]
    rules: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    oblasts: frozenset[str] = frozenset()

    def takes(self, record: Shared) -> bool:
        """Returns whether the agency may know of a record at all."""
        if self.oblasts and record.oblast not in self.oblasts:
            return False
        if isinstance(record, Case):
            return True
        if self.rules and record.rule not in self.rules:
            return False
        return record.family in self.families if self.families else record.family not in _NEVER


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency.

    Attributes:
        name: it is called so in its topic's name.
        views: by kind of record; what is absent it does not get.
    """

    name: str
    views: Mapping[str, View]

    def topic(self, namespace: str) -> str:
        """Returns the full name of its topic."""
        return f"{namespace}.agency-{self.name}"

    def message(self, record: Shared, namespace: str) -> tuple[bytes, bytes] | None:
        """Returns key and value of what the agency is told; none if it may not know.

        The value is a CloudEvent (JSON format): ``id`` is the conclusion's id and version, ``data`` the fields it may see. The
        key is the conclusion's id, never the person, so that all versions of one conclusion have one order.
        """
        view = self.views.get(record.NAME)
        if view is None or not view.takes(record):
            return None
        number = str(UUID(bytes=record.case_id if isinstance(record, Case) else record.alert_id))
        plain = to_json(record)
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{number}/{record.version}",
            "type": f"{NAMESPACE}.{record.NAME}",
            "source": f"{namespace}/exchange",
            "time": instant_text(record.decided_at),
            "datacontenttype": "application/json",
            "data": {name: plain[name] for name in view.fields},
        }
        return number.encode(), json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def load_agencies(path: Path) -> tuple[Agency, ...]:
    """Reads a register of agencies.

    Args:
        path: a YAML file: ``agencies``, by name, by kind of record, ``{fields: [...], rules: [...], …}``.

    Raises:
        UsageError: it cannot be read, or is not of this form; the sentence names agency and fault.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"The register of agencies {path} cannot be read: {error}.", _SEE) from error
    if not isinstance(content, dict) or set(content) != {"agencies"} or not isinstance(content["agencies"], dict):
        raise UsageError(f"The register {path} must have one table, agencies, at its top.", _SEE)
    if not content["agencies"]:
        raise UsageError(f"The register {path} has no agency.", _SEE)
    return tuple(_agency(path, str(name), entry) for name, entry in content["agencies"].items())


def _agency(path: Path, name: str, entry: Any) -> Agency:
    def wrong(what: str) -> UsageError:
        return UsageError(f"{path}: {name}: {what}.", _SEE)

    if not (0 < len(name) <= 40 and name.isascii() and name.replace("-", "").isalnum() and name == name.lower()):
        raise wrong("expected a name of at most 40 lower-case letters, digits and dashes")
    if not isinstance(entry, dict) or not entry or not set(entry) <= set(KINDS):
        raise wrong(f"expected tables of some of {', '.join(KINDS)}")
    views = {}
    for kind, part in entry.items():
        if not isinstance(part, dict) or not set(part) <= _PARTS or not all(_is_list(one) for one in part.values()):
            raise wrong(f"{kind}: expected lists called some of {', '.join(sorted(_PARTS))}")
        known = [field.name for field in fields_of(KINDS[kind])]
        unknown = [one for one in part.get("fields", []) if one not in known]
        if unknown or not part.get("fields"):
            raise wrong(f"{kind}: fields: expected some of {', '.join(known)}; came {', '.join(unknown) or 'none'}")
        if KINDS[kind] is Case and {"rules", "families"} & set(part):
            raise wrong("case: rules and families are of alerts and findings")
        chosen = set(part["fields"])
        views[kind] = View(
            tuple(one for one in known if one in chosen),
            *(frozenset(part.get(which, ())) for which in ("rules", "families", "oblasts")),
        )
    return Agency(name, views)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
