"""Hours without a link at two crossings a second, the machine killed again and again: everything arrives, once, in order.

``make bench-publish ARGS=day`` does it for 24 hours (172 800 crossings) and reports how long the draining took.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Kafka
from tests.integration.spool_day import live_through

pytestmark = pytest.mark.integration


def test_hours_without_a_link_and_a_machine_that_dies_lose_double_and_disorder_nothing(kafka: Kafka, tmp_path: Path) -> None:
    day = live_through(kafka.settings(), tmp_path, hours=1, kill_minutes=(8, 15))
    assert day.events == 7200
    assert day.kills >= 4
