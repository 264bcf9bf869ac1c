"""The records' constructor is ours; everything else about them stays the dataclass's."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from streams.records import INPUTS, OUTPUTS, Gap
from streams.records.quick import quick


@pytest.mark.parametrize("kind", [*INPUTS, *OUTPUTS, Gap])
def test_every_record_keeps_order_equality_hash_and_frozenness(kind: type[Any]) -> None:
    names = [one.name for one in fields(kind)]
    values = [f"value of {name}" for name in names]
    by_place = kind(*values)
    by_name = kind(**dict(zip(names, values, strict=True)))
    assert [getattr(by_place, name) for name in names] == values
    assert by_place == by_name
    assert hash(by_place) == hash(by_name)
    assert pickle.loads(pickle.dumps(by_place)) == by_place  # noqa: S301 - made here
    assert replace(by_place, **{names[0]: "other"}) != by_place
    with pytest.raises(FrozenInstanceError):
        setattr(by_place, names[0], "other")
    with pytest.raises(TypeError):
        kind(*values, "one too many")
    with pytest.raises(TypeError):
        kind()


def test_defaults_stay() -> None:
    @dataclass(frozen=True, slots=True)
    class Pair:
        one: int
        two: int = 2

    quick(Pair)
    assert Pair(1) == Pair(1, 2) == Pair(one=1)


def test_a_constructor_that_does_more_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Bag:
        items: list[int] = field(default_factory=list)

    with pytest.raises(TypeError, match="does more"):
        quick(Bag)
