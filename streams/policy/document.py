"""YAML read strictly, with the line of everything: what is not understood is refused, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Any

import yaml

from streams.errors import PolicyError

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it, ten times faster
_INT = re.compile(r"-?(0|[1-9][0-9]*)")
_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to refuse a policy.

    Attributes:
        file: the file, as a person would name it.
        line: line in it, from 1; 0 where the file as a whole is meant.
        what: what was expected and what came.
    """

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


class FaultError(PolicyError):
    """Faults on their way to the list of faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(str(faults[0]))
        self.faults = faults


@dataclass(slots=True)
class Faults:
    """Every fault found so far, so that `policy check` can show all of them at once."""

    found: list[Fault] = field(default_factory=list)

    def collecting(self) -> Faults:
        """Notes, as a ``with`` block, what is refused inside and goes on behind it."""
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, FaultError):
            self.found.extend(error.faults)
            return True
        return False


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a document: a mapping of items, a list of items or a scalar, and where it stands."""

    file: str
    line: int
    value: Any

    @property
    def where(self) -> str:
        """File and line, ``kz/stay.yaml:12``."""
        return f"{self.file}:{self.line}"

    def refuse(self, expected: str, came: str | None = None) -> FaultError:
        """Returns the refusal of this item, to be raised."""
        got = came or describe(self.value)
        return FaultError(Fault(self.file, self.line, f"expected {expected}, got {got}{'' if got.endswith('?') else '.'}"))

    def plain(self) -> Any:
        """Returns the content without lines, as JSON knows it."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value.isoformat() if isinstance(self.value, date) else self.value


def describe(value: object) -> str:
    """Returns a value in words for an error sentence."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true/false)"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    return f"the number {value}"


def read_document(text: bytes, file: str, faults: Faults) -> Item | None:
    """Reads one YAML document.

    Args:
        text: the file's bytes.
        file: name for error sentences.
        faults: where faults are noted: bad YAML, duplicate keys, anchors, tags.

    Returns:
        The document, without what was refused; none if it cannot be read at all.
    """
    try:
        node = yaml.compose(text.decode(), Loader=_Loader)
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        faults.found.append(Fault(file, line, f"expected UTF-8 text, got byte 0x{text[error.start]:02x}."))
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        faults.found.append(Fault(file, mark.line + 1 if mark else 0, f"expected YAML, got {problem}."))
        return None
    except (yaml.YAMLError, RecursionError) as error:
        faults.found.append(
            Fault(file, 0, f"expected YAML, got {str(error).splitlines()[0] if str(error) else 'too deep a nesting'}.")
        )
        return None
    if node is None:
        faults.found.append(Fault(file, 0, "expected a mapping of sections, got an empty file."))
        return None
    try:
        return _item(node, file, faults, set(), 0)
    except FaultError as refusal:
        faults.found.extend(refusal.faults)
        return None


def _item(node: yaml.Node, file: str, faults: Faults, seen: set[int], depth: int) -> Item:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise FaultError(Fault(file, line, "expected every value written out, got an alias of an anchor."))
    if depth > _MAX_DEPTH:
        raise FaultError(Fault(file, line, f"expected at most {_MAX_DEPTH} levels of nesting, got more."))
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return Item(file, line, _mapping(node, file, faults, seen, depth))
    if isinstance(node, yaml.SequenceNode):
        items: list[Item] = []
        for child in node.value:
            with faults.collecting():
                items.append(_item(child, file, faults, seen, depth + 1))
        return Item(file, line, items)
    return Item(file, line, _scalar(node, file))


def _mapping(node: yaml.MappingNode, file: str, faults: Faults, seen: set[int], depth: int) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for key_node, child in node.value:
        with faults.collecting():
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise FaultError(Fault(file, line, "expected a plain word as key, got something else."))
            key = str(key_node.value)
            if key in found:
                raise FaultError(
                    Fault(file, line, f"expected the key {key!r} once, got it again (first in line {found[key].line}).")
                )
            item = _item(child, file, faults, seen, depth + 1)
            found[key] = Item(item.file, line, item.value)
    return found


def _scalar(node: yaml.Node, file: str) -> object:
    text, kind = str(node.value), node.tag.rpartition(":")[2]
    here = Fault(file, node.start_mark.line + 1, "")
    if kind == "str" and node.tag.startswith("tag:yaml.org"):
        return text
    if kind == "null":
        return None
    if kind == "bool" and text in {"true", "false"}:
        return text == "true"
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "timestamp":
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise FaultError(Fault(file, here.line, f"expected a date like 2020-01-11, got {text!r}.")) from None
    raise FaultError(
        Fault(
            file,
            here.line,
            f"expected text, a whole number, true, false or a date, got {text[:60]!r} (if it is text, put it in quotes).",
        )
    )


def day_number(day: date) -> int:
    """Returns days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


def date_of(day: int) -> date:
    """Returns the date of a day number (days since 1970-01-01)."""
    return date.fromordinal(day + EPOCH_ORDINAL)
