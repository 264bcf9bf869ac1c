"""Agencies hear what they may, once, also after the exchange was killed in the middle."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from streams.exchange.agencies import load_agencies
from streams.exchange.carry import Carrier, create_topics
from streams.records import Alert, Case
from streams.wire import avro
from streams.wire.topics import ALERTS, CASES
from tests.conftest import Kafka
from tests.integration.rig import Log
from tests.unit.exchange.test_agencies import EXAMPLE
from tests.unit.warehouse.made import make

pytestmark = pytest.mark.integration


def test_every_agency_hears_of_its_own_once_in_the_order_of_versions(kafka: Kafka, tmp_path: Path) -> None:
    settings = kafka.settings(partitions=2)
    agencies, log = load_agencies(EXAMPLE), Log(settings)
    rules = ("work_without_permit", "overstay_visa_exempt", "trafficking_indicators")
    for number in range(300):
        rule = rules[number % 3]
        family = "protective" if rule.startswith("traff") else "breach"
        for version in (1, 2):
            about = {"rule": rule, "family": family, "oblast": "KZ-75", "subject": "p1-x"}
            alert = make(Alert, alert_id=number.to_bytes(16, "big"), version=version, **about)
            log.put(avro.encode(alert), b"p1-x", topic=ALERTS.name(settings.namespace))
    log.put(avro.encode(make(Case, case_id=b"c" * 16, version=1)), b"p1-x", topic=CASES.name(settings.namespace))
    log.flush()
    assert sorted(create_topics(settings, agencies)) == sorted(agency.topic(settings.namespace) for agency in agencies)
    assert create_topics(settings, agencies) == []
    total = 0
    for _ in range(2):  # the second finds everything told
        carrier = Carrier(settings, agencies, threading.Event(), until_caught_up=True)
        carrier.run()
        total += carrier.told
    heard = Counter[str]()
    for agency in agencies:
        versions: dict[bytes, list[int]] = {}
        for message in log.read(agency.topic(settings.namespace)):
            event = json.loads(message.value())
            heard[agency.name] += 1
            versions.setdefault(message.key(), []).append(int(event["id"].rpartition("/")[2]))
        assert all(found in ([1, 2], [1]) for found in versions.values())
    assert heard == {"labour-inspectorate": 200, "migration-service": 401, "almaty-akimat": 400, "victims-support": 200}
    assert total == heard.total()
