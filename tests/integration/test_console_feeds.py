"""Many feeds on one console over a real Kafka: nothing lost, nothing doubled, whoever breaks or stops reading for a while."""

from __future__ import annotations

import pytest

from bench.console_feeds import Load, measure_feeds

pytestmark = pytest.mark.integration


def test_no_feed_loses_or_doubles_a_version_whoever_breaks_or_stops_reading() -> None:
    """What ``make bench-console`` measures, smaller: three languages, three views, every feed breaks once, two stand still."""
    found = measure_feeds(Load(feeds=24, rate=25, seconds=8, stalled=2))
    assert found["versions_sent"] == 200
    assert found["lost"] == 0
    assert found["doubled"] == 0
    assert found["deliveries"] == 24 * 200
    assert found["resumed"] == 24
