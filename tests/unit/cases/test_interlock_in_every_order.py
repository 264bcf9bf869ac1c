"""Exhaustive: whatever the order in which the facts of a protected person become known, nothing leads to removal."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from streams.cases.follow import case_id_of
from streams.cases.options import REFERRAL
from streams.person import START, Cause, take
from streams.policy.load import load
from streams.policy.model import Policy
from streams.records import Alert, Case, Finding, PersonEvent
from tests.unit.detect.facts import SUBJECT, day, decision, dispute, entry, inspection, number, protection

CASE = case_id_of(SUBJECT, day("2024-02-01"))
OTHERWISE: tuple[PersonEvent, ...] = (
    entry(1, "2024-02-01"),
    inspection(2, "2024-05-01"),
    decision(10, "2024-06-01", CASE, "referral_proposed", officer="o1"),
    decision(11, "2024-06-03", CASE, "referral_confirmed", officer="o2"),
    decision(12, "2024-06-05", CASE, "removed", officer="o2"),
)
"""Overstayed, seen inside after the term, and two officers have decided: without protection this ends in a removal."""

REFUSED = protection(3, "2024-05-30", "asylum_refused")
PROTECTED: dict[str, tuple[PersonEvent, ...]] = {
    "asylum seeker": (protection(4, "2024-06-02", "asylum_applied"),),
    "refugee": (protection(4, "2024-06-02", "asylum_recognised"),),
    "in the term to appeal": (protection(4, "2024-06-02", "asylum_refused"),),
    "appeal pending": (REFUSED, protection(4, "2024-06-02", "appeal_filed")),
    "appeal upheld": (REFUSED, protection(4, "2024-06-02", "appeal_upheld")),
    "trafficking victim": (protection(4, "2024-06-02", "trafficking_victim"),),
    "minor": (protection(4, "2024-06-02", "minor"),),
    "disputed record": (dispute(4, "2024-06-02", event=1),),
    "some other record disputed": (dispute(4, "2024-06-02", event=99),),
}


@cache
def kz() -> Policy:
    return load("kz")


Latest = dict[bytes, Alert | Finding | Case]


def everything_known(facts: tuple[PersonEvent, ...], shields: frozenset[bytes]) -> tuple[int, list[Latest]]:
    """Walks every order of the facts, each beginning of it once.

    Returns:
        How many moments with known protection were looked at, and what was last told in the end of each order.
    """
    looked = 0
    ends: list[Latest] = []

    def walk(state: bytes | None, latest: Latest, left: tuple[PersonEvent, ...], *, shielded: bool) -> None:
        nonlocal looked
        if shielded:
            looked += 1
            assert removal_in(latest) == [], f"{len(left)} facts to come"
        if not left:
            ends.append(latest)
        for index, fact in enumerate(left):
            step = take(state, fact, START, Cause(number(9), 1), kz())
            told: Latest = {one.case_id: one for one in step.cases}
            told |= {one.alert_id: one for one in step.alerts}
            told |= {one.alert_id: one for one in step.findings}
            walk(
                step.state or state,
                latest | told,
                left[:index] + left[index + 1 :],
                shielded=shielded or fact.event_id in shields,
            )

    walk(None, {}, facts, shielded=False)
    return looked, ends


def removal_in(latest: Latest) -> list[Any]:
    """Returns what was last told that leads to a removal."""
    return [
        one
        for one in latest.values()
        if REFERRAL in one.options or (isinstance(one, Case) and (one.stage in ("referred", "removed") or one.path == "referral"))
    ]


@pytest.mark.parametrize("who", PROTECTED)
def test_whoever_is_protected_is_never_on_a_road_to_removal_whatever_comes_first(who: str) -> None:
    shields = PROTECTED[who]
    looked, ends = everything_known((*OTHERWISE, *shields), frozenset({shields[-1].event_id}))
    assert len(ends) == (720 if len(shields) == 1 else 5040)
    assert looked > len(ends)
    # Where the dispute about the entry came first there has never been an alert, and so no case.
    assert {one.path for end in ends for one in end.values() if isinstance(one, Case)} == {"protection"}


def test_without_protection_the_same_facts_lead_there_in_every_order() -> None:
    """Otherwise the law above would hold of nothing."""
    _, ends = everything_known(OTHERWISE, frozenset())
    assert len(ends) == 120
    assert {one.stage for end in ends for one in end.values() if isinstance(one, Case)} == {"removed"}
