"""How a file's own column names and words become ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from streams.errors import UsageError

_PARTS = ("columns", "values", "constants")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A translation of a file's columns.

    Attributes:
        columns: field by the file's column; an empty field leaves the column out, on purpose and in writing.
        values: by field, our word by the file's word.
        constants: values of fields the file has no column for.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a row in our names and words."""
        named: dict[str, Any] = dict(self.constants)
        for column, value in row.items():
            name = self.columns.get(column, column)
            if name:
                words = self.values.get(name)
                named[name] = words.get(value, value) if words and isinstance(value, str) else value
        return named


def read_mapping(text: str) -> ColumnMapping:
    """Returns the mapping a ``--mapping`` option names.

    Args:
        text: ``column=field,column=field``, or the path of a YAML file with ``columns``, ``values`` and ``constants``.

    Raises:
        UsageError: it is neither.
    """
    if "=" in text and not Path(text).exists():
        pairs = [pair.partition("=") for pair in text.split(",")]
        if any(not column.strip() or not equals for column, equals, _ in pairs):
            raise UsageError(f"Expected --mapping column=field,…; got {text!r}.", "Or give a YAML file (docs/events.md).")
        return ColumnMapping({column.strip(): name.strip() for column, _, name in pairs})
    try:
        content = yaml.safe_load(Path(text).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"The mapping {text} cannot be read: {error}.", "Give column=field,… or a YAML file.") from error
    if not isinstance(content, dict) or not set(content) <= set(_PARTS):
        raise UsageError(f"The mapping {text} must have only {', '.join(_PARTS)} at its top.", "See docs/events.md.")
    for part in _PARTS:
        if not isinstance(content.get(part, {}), dict):
            raise UsageError(f"The mapping {text}: {part} must be a table of name: value.", "See docs/events.md.")
    values = content.get("values", {})
    if not all(isinstance(words, dict) for words in values.values()):
        raise UsageError(f"The mapping {text}: values must be a table of words for each field.", "See docs/events.md.")
    return ColumnMapping(
        {str(column): str(name or "") for column, name in content.get("columns", {}).items()},
        {name: {str(word): str(ours) for word, ours in words.items()} for name, words in values.items()},
        content.get("constants", {}),
    )
