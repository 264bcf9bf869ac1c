"""The short profile of the fuzzer: every lane, some thousand messages. ``make fuzz`` sends a million."""

from __future__ import annotations

from tests.fuzz.__main__ import run
from tests.fuzz.lanes import LANES


def test_nothing_crashes_hangs_or_is_unaccounted_for() -> None:
    found = run(6_000, 20_250_601)
    assert set(found) == set(LANES)
    # A fuzzer whose messages are all refused at the first byte tests nothing.
    assert found["door"].outcomes["taken"] > 0
    assert len(found["door"].outcomes) > 8
    assert found["signatures"].outcomes["taken"] > 0
    assert found["gateway"].outcomes["items"] > 100
    assert found["csv"].outcomes["rows"] > 50
