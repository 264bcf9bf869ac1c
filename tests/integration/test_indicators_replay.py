"""No delivery of the same log changes any indicator: other cuts, another order, parts of it again."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.records import Alert
from streams.report.catalogue import indicators
from streams.warehouse.embedded import Embedded
from streams.wire.avro import Message
from tests.contract.warehouse import deliver, deliveries, empty
from tests.integration.indicator_facts import rows
from tests.integration.test_indicators_flows import CROSSINGS, MOVES, STOCK
from tests.integration.test_indicators_labour import FAMILIES, PERMITS, PROCEDURES, QUOTAS, WORK
from tests.integration.test_indicators_quality import CASES
from tests.unit.warehouse.made import crossing

pytestmark = pytest.mark.integration


def told_once(record: Message) -> Message:
    """Returns a record of another test; an alert's id is of its rule, as in the stream."""
    if not isinstance(record, Alert):
        return record
    return replace(record, alert_id=sha256(record.rule.encode() + record.alert_id).digest()[:16])


DECIDED: list[Message] = [*STOCK[1], *WORK, *CASES]
LOG = [
    *deliveries([*MOVES, *PERMITS, *QUOTAS, *FAMILIES, *PROCEDURES, *CROSSINGS, *STOCK[0]]),
    *deliveries(map(told_once, DECIDED), topic="t.outputs"),
    *deliveries([crossing(1), crossing(2, day=3)], topic="t.people", partition=1),
]
VIEWS = sorted({one.view for one in indicators()})


def told(engine: Embedded) -> dict[str, Any]:
    return {view: rows(engine, view) for view in VIEWS}


@given(data=st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_delivery_of_the_same_log_changes_any_indicator(engine: Embedded, data: st.DataObject) -> None:
    empty(engine)
    deliver(engine, LOG)
    expected = told(engine)
    assert sum(1 for answer in expected.values() if answer) > 40, "most indicators have something to say about this log"
    empty(engine)
    again = data.draw(st.lists(st.sampled_from(range(len(LOG))), max_size=40), label="delivered again")
    order = data.draw(st.permutations(range(len(LOG))), label="order")
    deliver(engine, [LOG[index] for index in (*order, *again)], cut=data.draw(st.integers(5, 60), label="cut"))
    assert told(engine) == expected
