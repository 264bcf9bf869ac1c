"""Every count of the warehouse, from the log."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.recompute.door import Door
from tests.recompute.facts import Event, Facts
from tests.recompute.raw import INPUTS, INTERNAL, read
from tests.recompute.registers import Registers
from tests.recompute.wire import RefusedError, Schemas

WORK_RULES = ("work_without_permit", "work_permit_expired", "work_other_employer")
OPEN_STATES = ("raised", "amended", "acknowledged")


@dataclass
class Counts:
    """What the log says.

    Attributes:
        produced: records by topic and partition.
        refused: of them, those that must be dead letters, by topic and partition.
        refused_codes: the same by code.
        letters: dead letters written, by source topic and partition.
        letter_codes: dead letters written, by code.
        ledger: processed and dead letters by topic and partition, as the agents' own lines add up.
        handed_on: records agents wrote for each other, by topic and partition.
        flows: local day, post, oblast, citizenship, direction → crossings and people.
        open_stays: oblast, post, citizenship of people inside → how many.
        alerts: rule, family, oblast, state, grade of the latest versions → alerts and people.
        workers: employer, oblast, sector → people found working without a permit of theirs.
        funnel: oblast, stage → cases in it now, ever, open now, protected now.
        alert_states: alert id → rule and latest state.
        alert_subjects: alert id → pseudonym of the person or employer, or the line of the quota.
        finding_states: the same of findings.
    """

    produced: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused_codes: Counter[str] = field(default_factory=Counter)
    letters: Counter[tuple[str, int]] = field(default_factory=Counter)
    letter_codes: Counter[str] = field(default_factory=Counter)
    ledger: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    handed_on: Counter[tuple[str, int]] = field(default_factory=Counter)
    flows: dict[tuple[date, str, str, str, str], tuple[int, int]] = field(default_factory=dict)
    open_stays: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    alerts: dict[tuple[str, str, str, str, str], tuple[int, int]] = field(default_factory=dict)
    workers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    funnel: dict[tuple[str, str], tuple[int, int, int, int]] = field(default_factory=dict)
    alert_states: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    alert_subjects: dict[bytes, str] = field(default_factory=dict)
    finding_states: dict[bytes, tuple[str, str]] = field(default_factory=dict)


def recompute(bootstrap: str, namespace: str) -> Counts:
    """Reads every topic of a namespace and counts."""
    schemas = Schemas()
    registers = Registers()
    counts = Counts()
    _inputs(counts, bootstrap, namespace, schemas, registers)
    _decisions(counts, bootstrap, namespace, schemas)
    _ledger(counts, bootstrap, namespace, schemas)
    return counts


def _inputs(counts: Counts, bootstrap: str, namespace: str, schemas: Schemas, registers: Registers) -> None:
    door = Door(registers)
    facts = Facts()
    for suffix in INPUTS:
        for raw in read(bootstrap, namespace, suffix):
            place = (suffix, raw.partition)
            counts.produced[place] += 1
            try:
                kind, event = schemas.decode(raw.value)
                code = door.refuses(suffix, kind, event, raw.received_ms)
            except RefusedError as refused:
                code = refused.code
            if code is not None:
                counts.refused[place] += 1
                counts.refused_codes[code] += 1
            else:
                facts.take(kind, event)
    people: dict[tuple[date, str, str, str, str], set[str]] = defaultdict(set)
    crossings: Counter[tuple[date, str, str, str, str]] = Counter()
    last: dict[str, Event] = {}
    for event in facts.crossings():
        on = registers.local_day(event["occurred_at"], event["post"])
        oblast = registers.oblast_of(event["post"], on)
        cell = (on, event["post"], oblast, event["citizenship"], event["direction"])
        crossings[cell] += 1
        people[cell].add(event["subject"])
        if event["direction"] != "refusal":
            before = last.get(event["subject"])
            if before is None or (before["occurred_at"], before["event_id"]) < (event["occurred_at"], event["event_id"]):
                last[event["subject"]] = event | {"oblast": oblast}
    counts.flows = {cell: (number, len(people[cell])) for cell, number in crossings.items()}
    for event in last.values():
        if event["direction"] == "entry":
            counts.open_stays[event["oblast"], event["post"], event["citizenship"]] += 1


def _latest(bootstrap: str, namespace: str, suffix: str, key: str, schemas: Schemas) -> tuple[dict[bytes, Event], list[Event]]:
    """Returns the latest version of everything on an output topic, and all versions."""
    latest: dict[bytes, Event] = {}
    everything: list[Event] = []
    for raw in read(bootstrap, namespace, suffix):
        _, event = schemas.decode(raw.value)
        everything.append(event)
        known = latest.get(event[key])
        # A version that says nothing new is told again by a second run over the same facts: the later one holds.
        if known is None or event["version"] >= known["version"]:
            latest[event[key]] = event
    return latest, everything


def _decisions(counts: Counts, bootstrap: str, namespace: str, schemas: Schemas) -> None:
    alerts, _ = _latest(bootstrap, namespace, "alerts", "alert_id", schemas)
    findings, _ = _latest(bootstrap, namespace, "findings", "alert_id", schemas)
    counts.alert_states = {name: (alert["rule"], alert["state"]) for name, alert in alerts.items()}
    counts.alert_subjects = {name: alert["subject"] for name, alert in alerts.items()}
    counts.finding_states = {name: (finding["rule"], finding["state"]) for name, finding in findings.items()}
    numbers: Counter[tuple[str, str, str, str, str]] = Counter()
    people: dict[tuple[str, str, str, str, str], set[str]] = defaultdict(set)
    workers: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for alert in alerts.values():
        cell = (alert["rule"], alert["family"], alert["oblast"], alert["state"], alert["grade"])
        numbers[cell] += 1
        people[cell].add(alert["subject"])
        if alert["rule"] in WORK_RULES and alert["state"] in OPEN_STATES:
            workers[alert["employer"], alert["oblast"], alert["sector"]].add(alert["subject"])
    counts.alerts = {cell: (number, len(people[cell])) for cell, number in numbers.items()}
    counts.workers = {cell: len(found) for cell, found in workers.items()}

    cases, versions = _latest(bootstrap, namespace, "cases", "case_id", schemas)
    ever: set[tuple[bytes, str]] = {(version["case_id"], version["stage"]) for version in versions}
    funnel: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for case in cases.values():
        line = funnel[case["oblast"], case["stage"]]
        line[0] += 1
        line[2] += case["open"]
        line[3] += case["protected"]
    for case_id, stage in ever:
        funnel[cases[case_id]["oblast"], stage][1] += 1
    counts.funnel = {cell: (line[0], line[1], line[2], line[3]) for cell, line in funnel.items()}


def _ledger(counts: Counts, bootstrap: str, namespace: str, schemas: Schemas) -> None:
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for raw in read(bootstrap, namespace, "ledger"):
        _, line = schemas.decode(raw.value)
        place = (_suffix(line["topic"], namespace), line["partition"])
        sums[place][0] += line["processed"]
        sums[place][1] += line["dead_letters"]
    for suffix in INTERNAL:
        for raw in read(bootstrap, namespace, suffix):
            counts.handed_on[suffix, raw.partition] += 1
    counts.ledger = {place: (both[0], both[1]) for place, both in sums.items()}
    for raw in read(bootstrap, namespace, "dead-letters"):
        _, letter = schemas.decode(raw.value)
        counts.letters[_suffix(letter["topic"], namespace), letter["partition"]] += 1
        counts.letter_codes[letter["code"]] += 1


def _suffix(topic: Any, namespace: str) -> str:
    return str(topic).removeprefix(f"{namespace}.")
