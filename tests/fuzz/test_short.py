"""The short profile of the fuzzer: every lane, some thousand messages. ``make fuzz`` sends a million."""

from __future__ import annotations

from tests.fuzz.__main__ import run
from tests.fuzz.lanes import LANES


def test_nothing_crashes_hangs_or_is_unaccounted_for() -> None:
    found = run(6_000, 20_250_601)
    assert set(found) == set(LANES)
    # A fuzzer whose messages are all refused at the first byte tests nothing.
    assert found["door"]["taken"] > 0
    assert len(found["door"]) > 8
    assert found["signatures"]["taken"] > 0
    assert found["gateway"]["items"] > 100
    assert found["csv"]["rows"] > 50
