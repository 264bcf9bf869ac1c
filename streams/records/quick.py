"""A constructor for frozen records that costs half of the one `dataclasses` writes.

A frozen dataclass stores each field through ``object.__setattr__``, which looks it up by name; with fourteen fields that is
a good part of what reading an event costs. Here each field is stored through its slot, found once. Equality, hash, defaults
and the refusal to be changed stay the dataclass's (ADR 0027).
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any


def quick(kind: type[Any]) -> None:
    """Replaces the constructor of a frozen, slotted dataclass; its signature stays.

    Raises:
        TypeError: the constructor does more than to store fields.
    """
    known: dict[str, Any] = {}
    parameters: list[str] = []
    stores: list[str] = []
    for field in fields(kind):
        name = field.name
        if not field.init or field.default_factory is not MISSING or hasattr(kind, "__post_init__"):
            raise TypeError(f"The constructor of {kind.__name__} does more than to store fields.")
        known[f"_store_{name}"] = getattr(kind, name).__set__
        known[f"_default_{name}"] = field.default
        parameters.append(name if field.default is MISSING else f"{name}=_default_{name}")
        stores.append(f"    _store_{name}(self, {name})")
    exec("\n".join([f"def __init__(self, {', '.join(parameters)}):", *stores]), known)  # noqa: S102 - as dataclasses does
    made = known["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    made.__annotations__ = dict(kind.__init__.__annotations__)
    kind.__init__ = made
