"""The truth beside the data holds: a second judge, who knows the rules and not the stories, comes to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from streams.policy.model import Policy
from streams.records import CaseDecision, PersonEvent, ProtectionStatus
from streams.simulate import Corrupt
from tests.oracle.judge import case_id, judge
from tests.unit.simulate.conftest import Told

_FOUND_WORKING = {"work_without_permit", "work_permit_expired", "work_other_employer", "work_other_oblast"}


def people(told: Told) -> list[dict[str, Any]]:
    return [line for line in told.truth if line["kind"] == "person"]


def by_subject(told: Told) -> dict[str, list[PersonEvent]]:
    found: dict[str, list[PersonEvent]] = defaultdict(list)
    for arrival in told.arrivals:
        if not isinstance(arrival.message, Corrupt) and isinstance(arrival.message, PersonEvent):
            found[arrival.message.subject].append(arrival.message)
    return found


def test_an_independent_judge_finds_what_the_truth_claims_and_nothing_it_denies(told: Told, policy: Policy) -> None:
    events = by_subject(told)
    confirmed: Counter[str] = Counter()
    for line in people(told):
        if line["subject"] not in events:
            continue
        verdict = judge(events[line["subject"]], policy, told.simulation.world.end_ms)
        found = {(one.rule, one.stay_on, one.open): one.deadline_on for one in verdict.conclusions.values()}
        rules = {one.rule for one in verdict.conclusions.values()}
        for claim in line["expected"]:
            key = (claim["rule"], claim["stay_on"], claim["open"])
            assert key in found, (line, found)
            assert claim["deadline_on"] in (None, found[key]), (line, found)
            confirmed[claim["rule"]] += 1
        overstays = {rule for rule in rules if rule.startswith("overstay_")}
        if line["overstayed"] is not None:
            assert bool(overstays) is line["overstayed"], (line, found)
        if line["notified"] is True:
            last_on = line["stays"][-1]["entered_on"]
            assert not any(rule == "arrival_not_notified" and stay == last_on for rule, stay, _ in found), (line, found)
        if line["unlawful_work"] is not None:
            assert bool(rules & _FOUND_WORKING) is line["unlawful_work"], (line, found)
    assert set(confirmed) >= {"overstay_visa_exempt", "arrival_not_notified", "work_without_permit", "entry_during_ban"}
    assert sum(confirmed.values()) > 60


def test_the_truth_has_one_line_for_everyone_and_every_subject_of_the_log_is_someone(told: Told) -> None:
    subjects = [line["subject"] for line in people(told)]
    assert len(subjects) == len(set(subjects)) == 1_500
    assert set(by_subject(told)) <= set(subjects)


def test_officers_decide_about_the_case_of_a_stay_and_a_referral_needs_two_of_them(told: Told) -> None:
    stays = {line["subject"]: [stay["entered_on"] for stay in line["stays"]] for line in people(told)}
    referrals: dict[bytes, dict[str, str]] = defaultdict(dict)
    decisions = 0
    for subject, events in by_subject(told).items():
        for event in events:
            if isinstance(event, CaseDecision):
                decisions += 1
                assert event.case_id in {case_id(subject, on) for on in stays[subject]}
                if event.decision.startswith("referral_"):
                    referrals[event.case_id][event.decision] = event.officer
    assert decisions > 10
    confirmed = [by for by in referrals.values() if "referral_confirmed" in by]
    assert all(by["referral_proposed"] != by["referral_confirmed"] for by in confirmed)


def test_every_kind_of_protection_and_every_story_is_told(policy: Policy) -> None:
    from streams.simulate import Simulation
    from streams.simulate.stories import STORIES

    truth: list[dict[str, object]] = []
    kinds = set()
    for message in Simulation(9_000, 90, 5, policy=policy).events(truth.append):
        if isinstance(message, ProtectionStatus):
            kinds.add(message.kind)
    assert {line.get("story") for line in truth if line["kind"] == "person"} == set(STORIES)
    assert kinds == {
        "asylum_applied",
        "asylum_recognised",
        "asylum_refused",
        "appeal_filed",
        "appeal_upheld",
        "appeal_dismissed",
        "trafficking_victim",
        "minor",
    }
