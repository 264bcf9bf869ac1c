"""The figures of the law as we know it, by date. A lawyer can read this table; nothing here uses the files' own text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from streams.alerts.known import REASONS
from streams.policy.kinds import PARAMETERS
from streams.policy.load import load
from streams.policy.model import Allowance, Policy
from streams.records import INPUTS, OUTPUTS
from tests.unit.policy.conftest import day

Edit = Callable[[str, str, str], Path]

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("on", "parameter", "value", "confidence"),
    [
        ("2007-01-01", "notification_days", 5, "high"),
        ("2020-01-10", "notification_days", 5, "high"),
        ("2020-01-10", "notification_unit", "calendar", "high"),
        ("2020-01-11", "notification_days", 3, "medium"),
        ("2020-01-11", "notification_unit", "working", "medium"),
        ("2020-01-11", "notification_by", "host", "high"),
        ("2020-01-10", "temporary_residence_days", None, "medium"),
        ("2020-01-11", "temporary_residence_days", 30, "high"),
        ("2014-12-31", "notification_groups", {}, "medium"),
        ("2015-01-01", "notification_groups", {"eaeu": 30}, "medium"),
        ("2023-01-27", "notification_groups", {"eaeu": 30}, "high"),
        ("2014-12-31", "contract_grants_stay", frozenset(), "medium"),
        ("2015-01-01", "contract_grants_stay", frozenset({"eaeu"}), "high"),
        ("2014-12-31", "permit_free_groups", frozenset({"kaz"}), "high"),
        ("2015-01-01", "permit_free_groups", frozenset({"eaeu", "kaz"}), "high"),
        ("2013-12-31", "household_permit_max_months", None, "medium"),
        ("2014-01-01", "household_permit_max_months", 12, "medium"),
        ("2014-01-01", "household_permit_single_months", 3, "medium"),
        ("2016-01-01", "citizen_share_12", 70, "high"),
        ("2016-01-01", "citizen_share_34", 90, "high"),
        ("2016-01-01", "transferee_share_max", 50, "high"),
        ("2012-01-01", "expulsion_ban_years", 5, "high"),
        ("2024-01-01", "permit_single_oblast", True, "medium"),
        ("2006-07-31", "legalisation_window", False, "high"),
        ("2006-08-01", "legalisation_window", True, "high"),
        ("2006-12-31", "legalisation_window", True, "high"),
        ("2007-01-01", "legalisation_window", False, "high"),
        ("2019-12-31", "mci_kzt", 2525, "high"),
        ("2023-06-01", "mci_kzt", 3450, "high"),
        ("2024-06-01", "mci_kzt", 3692, "high"),
        ("2025-06-01", "mci_kzt", 3932, "medium"),
        ("2024-06-01", "reminder_days", (30, 14, 7, 3, 1), "high"),
        ("2024-06-01", "retention_after_exit_years", 3, "medium"),
        ("2024-06-01", "retention_no_exit_years", 5, "medium"),
    ],
)
def test_the_value_in_force(kz: Policy, on: str, parameter: str, value: object, confidence: str) -> None:
    assert getattr(kz.at(day(on)), parameter) == value
    assert kz.parameters[parameter].on(day(on)).confidence == confidence


@pytest.mark.parametrize(
    ("on", "group", "allowance"),
    [
        ("2015-01-01", "eaeu", Allowance(None, 90, None, "per_entry")),
        ("2023-01-26", "eaeu", Allowance(None, 90, None, "per_entry")),
        ("2023-01-27", "eaeu", Allowance(None, 90, 180, "rolling")),
        ("2020-01-10", "visa_exempt_30", Allowance(30, None, None, "per_entry")),
        ("2020-01-11", "visa_exempt_30", Allowance(30, 90, 180, "rolling")),
        ("2020-01-10", "visa_exempt_90", Allowance(90, None, None, "per_entry")),
        ("2020-01-11", "visa_exempt_90", None),
        ("2022-07-06", "visa_exempt_14", None),
        ("2022-07-07", "visa_exempt_14", Allowance(14, 42, 180, "rolling")),
        ("2016-12-31", "visa_exempt_15", Allowance(15, None, None, "per_entry")),
        ("2024-01-01", "visa_required", None),
        ("2024-01-01", "kaz", None),
        ("2024-01-01", "unknown", None),
    ],
)
def test_the_allowance_in_force(kz: Policy, on: str, group: str, allowance: Allowance | None) -> None:
    assert kz.at(day(on)).allowance(group) == allowance


@pytest.mark.parametrize(
    ("citizenship", "on", "group"),
    [
        ("KAZ", "2007-01-01", "kaz"),
        ("RUS", "2014-12-31", "visa_exempt_90"),
        ("RUS", "2015-01-01", "eaeu"),
        ("ARM", "2015-01-01", "visa_exempt_90"),
        ("ARM", "2015-01-02", "eaeu"),
        ("KGZ", "2015-08-11", "visa_exempt_90"),
        ("KGZ", "2015-08-12", "eaeu"),
        ("UZB", "2020-01-10", "visa_exempt_90"),
        ("UZB", "2020-01-11", "visa_exempt_30"),
        ("DEU", "2014-07-14", "visa_required"),
        ("DEU", "2014-07-15", "visa_exempt_15"),
        ("DEU", "2017-01-01", "visa_exempt_30"),
        ("CHN", "2022-07-06", "visa_required"),
        ("CHN", "2022-07-07", "visa_exempt_14"),
        ("CHN", "2023-11-09", "visa_exempt_14"),
        ("CHN", "2023-11-10", "visa_exempt_30"),
        ("IND", "2024-01-01", "visa_exempt_14"),
        ("IRN", "2024-01-01", "visa_exempt_14"),
        ("AFG", "2024-01-01", "visa_required"),
        ("XXA", "2024-01-01", "stateless"),
        ("XXB", "2024-01-01", "refugee"),
        ("XXC", "2024-01-01", "refugee"),
        ("XXX", "2024-01-01", "unknown"),
        ("UNO", "2024-01-01", "international"),
        ("ZZZ", "2024-01-01", "unknown"),
        ("", "2024-01-01", "unknown"),
    ],
)
def test_the_group_of_a_citizenship(kz: Policy, citizenship: str, on: str, group: str) -> None:
    assert kz.group_of(citizenship, day(on)) == group


@pytest.mark.parametrize(
    ("on", "line", "persons"),
    [
        ("2006-12-31", ("labour",), 40900),
        ("2007-01-01", ("labour",), None),
        ("2021-06-01", ("labour",), 29300),
        ("2022-06-01", ("labour",), 21100),
        ("2023-06-01", ("labour",), 22200),
        ("2023-06-01", ("labour", None, "1"), 949),
        ("2023-06-01", ("labour", None, "2"), 5313),
        ("2023-06-01", ("labour", None, "3"), 10818),
        ("2023-06-01", ("labour", None, "4"), 2100),
        ("2024-01-01", ("labour",), None),
        ("2025-01-01", ("labour",), 14800),
        ("2025-06-01", ("labour",), 16500),
        ("2025-12-31", ("labour",), 19400),
        ("2026-01-01", ("labour",), None),
        ("2025-12-31", ("labour", "KZ-23"), 3522),
        ("2025-12-31", ("labour", "KZ-75"), 1355),
        ("2025-12-31", ("labour", "KZ-27"), 1038),
        ("2025-12-31", ("labour", "KZ-71"), 975),
        ("2025-12-31", ("labour", "KZ-35"), 414),
        ("2025-12-31", ("labour", "KZ-79"), 147),
        ("2025-12-31", ("labour", "KZ-10"), None),
        ("2023-06-01", ("kandas",), 8652),
        ("2024-01-01", ("kandas",), 2433),
        ("2024-12-31", ("kandas",), 3033),
        ("2025-06-01", ("kandas",), 2309),
    ],
)
def test_the_quota_in_force(kz: Policy, on: str, line: tuple[str, ...], persons: int | None) -> None:
    found = kz.at(day(on)).quota(*line)
    assert (found and found.persons) == persons


def test_a_quota_may_be_for_an_oblast_a_category_and_a_sector(edit: Edit) -> None:
    line = '    - {version: 1, from: 2022-01-01, persons: 21100, source: "Public reports", confidence: medium}\n'
    part = line.replace("persons: 21100", 'oblast: KZ-75, category: "2", sector: F, persons: 77').replace("medium", "low")
    rules = load(edit("quotas.yaml", line, line + part)).at(day("2022-06-01"))
    found = rules.quota("labour", "KZ-75", "2", "F")
    assert found is not None
    assert (found.oblast, found.category, found.sector, found.persons) == ("KZ-75", "2", "F", 77)
    assert (found.source, found.confidence, found.version, found.year) == ("Public reports", "low", 1, 2022)
    assert rules.quota("labour", "KZ-75", "2") is None
    whole = rules.quota("labour")
    assert whole is not None
    assert (whole.oblast, whole.category, whole.sector, whole.persons) == (None, None, None, 21100)


def test_the_categories_of_2023_add_up_to_the_quota(kz: Policy) -> None:
    rules = kz.at(day("2023-06-01"))
    parts = [rules.quota("labour", None, category) for category in ("1", "2", "3", "4", "seasonal")]
    assert sum(part.persons for part in parts if part) == 22200


def test_every_iso_and_icao_code_is_known(kz: Policy) -> None:
    countries = [country for country in kz.codes.countries.values() if not country.special]
    assert len(countries) == 249
    assert {"KAZ", "RUS", "DEU", "TUR", "SSD", "PSE"} <= set(kz.codes.countries)
    assert {"XXA", "XXB", "XXC", "XXX", "UNO", "UNA", "UNK", "XOM"} <= {
        country.code for country in kz.codes.countries.values() if country.special
    }


def test_the_oblasts_are_those_of_iso_3166_2(kz: Policy) -> None:
    assert sorted(kz.codes.oblasts) == [
        f"KZ-{code}" for code in (10, 11, 15, 19, 23, 27, 31, 33, 35, 39, 43, 47, 55, 59, 61, 62, 63, 71, 75, 79)
    ]


@pytest.mark.parametrize(
    ("oblast", "on", "then"),
    [
        ("KZ-79", "2018-06-18", "KZ-61"),
        ("KZ-79", "2018-06-19", "KZ-79"),
        ("KZ-10", "2022-06-07", "KZ-63"),
        ("KZ-10", "2022-06-08", "KZ-10"),
        ("KZ-33", "2022-06-07", "KZ-19"),
        ("KZ-62", "2022-06-07", "KZ-35"),
        ("KZ-75", "2007-01-01", "KZ-75"),
        ("nowhere", "2007-01-01", "nowhere"),
    ],
)
def test_what_an_oblast_was_part_of(kz: Policy, oblast: str, on: str, then: str) -> None:
    assert kz.codes.oblast_on(oblast, day(on)) == then


def test_every_post_is_in_the_zone_of_its_oblast(kz: Policy) -> None:
    assert 30 <= len(kz.codes.posts) <= 45
    assert {post.kind for post in kz.codes.posts.values()} == {"road", "rail", "air", "sea"}
    for post in kz.codes.posts.values():
        assert post.zone == kz.codes.oblasts[post.oblast].zone, post.code
        assert bool(post.neighbour) == (post.kind in {"road", "rail"}), post.code


def test_what_must_be_checked_by_a_lawyer_says_so_and_no_fine_is_a_number(kz: Policy) -> None:
    fines = kz.at(day("2024-01-01")).fines
    assert set(fines) == {"517", "518", "519"}
    assert all("checked by a lawyer" in note for note in fines.values())
    assert kz.parameters["fines"].on(day("2024-01-01")).confidence == "low"


def test_a_referral_comes_last_and_only_after_a_breach(kz: Policy) -> None:
    with_referral = set()
    for terms in kz.at(day("2024-01-01")).by_rule.values():
        if "officer_may_consider_referral" in terms.options:
            with_referral.add(terms.name)
            assert terms.options[-1] == "officer_may_consider_referral"
            assert terms.family == "breach"
    assert with_referral == {
        "overstay_visa_exempt",
        "overstay_visa",
        "overstay_permit",
        "overstay_protection_refused",
        "entry_during_ban",
    }


def test_trafficking_leads_to_protection_and_data_quality_suspects_nobody(kz: Policy) -> None:
    by_rule = kz.at(day("2024-01-01")).by_rule
    assert by_rule["trafficking_indicators"].family == "protective"
    assert {name for name, terms in by_rule.items() if terms.family == "data_quality"} == {
        "title_unknown",
        "entry_without_exit",
        "exit_without_entry",
    }
    assert all(terms.severity == "info" for terms in by_rule.values() if terms.family in {"data_quality", "reminder"})


def _words_of_the_records() -> set[str]:
    words: set[str] = set()
    for kind in (*INPUTS, *OUTPUTS):
        words.add(kind.NAME)
        words |= {field.name for field in fields(kind)}
        for hint in get_type_hints(kind).values():
            words |= {str(word) for one in (hint, *get_args(hint)) for word in get_args(one)}
    return words


def test_every_name_of_the_rules_page_is_one_somebody_knows(kz: Policy) -> None:
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([a-z_0-9]+)`", page) if "_" in name}
    rules = set(kz.at(day("2024-01-01")).by_rule)
    known = rules | set(kz.parameters) | set(kz.option_texts) | set(kz.group_texts) | _words_of_the_records()
    known |= {field.name for field in fields(Allowance)} | {"per_entry", "first_entry"}
    stems = {name.partition("_")[0] for name in rules | set(PARAMETERS)}
    reasons = set(REASONS)  # why an alert ended or was retracted
    faults = {"exit_before_entry", "overlapping_stays"}  # of a list of stays, not of a person
    assert {name for name in named if name.partition("_")[0] in stems} - known - reasons - faults == set()
    assert rules <= named


def test_options_are_the_ones_of_the_rules_page_in_its_order(kz: Policy) -> None:
    page = (DOCS / "rules.md").read_text(encoding="utf-8")
    line = page.split("**Options** of a finding", 1)[1]
    named = [name for name in re.findall(r"`([a-z_]+)`", line) if name in kz.option_texts]
    assert list(dict.fromkeys(named)) == list(kz.option_texts)


def test_help_comes_in_the_order_it_has_to_be_considered_in_and_a_referral_last(kz: Policy) -> None:
    """Correct the record, extend, register late, obtain the permit, a legalisation window, kandas, asylum, leave by a date."""
    order = [
        "correct_record", "request_extension", "notify_late", "obtain_permit", "legalisation_window", "apply_kandas",
        "apply_asylum", "leave_by_own_means", "officer_may_consider_referral",
    ]  # fmt: skip
    assert [name for name in kz.option_texts if name in order] == order
    for rules in kz.rules:
        for terms in rules.by_rule.values():
            assert [name for name in kz.option_texts if name in terms.options] == list(terms.options), terms.name


def test_the_plain_policy_knows_one_allowance_for_everyone(rolling: Policy) -> None:
    for citizenship in ("KAZ", "RUS", "UZB", "DEU", "XXA", "ZZZ"):
        assert rolling.group_of(citizenship, day("2024-01-01")) == "visitor"
    rules = rolling.at(day("2024-01-01"))
    assert rules.allowances == {"visitor": Allowance(None, 90, 180, "rolling")}
    assert rules.notification_days is None
    assert not rules.permit_free_groups
    assert set(rules.by_rule) == {"overstay_visa_exempt", "expiry_reminder", "entry_without_exit", "exit_without_entry"}
    assert "officer_may_consider_referral" not in rolling.option_texts
    assert set(rolling.codes.posts)


def test_what_changes_between_two_days(kz: Policy) -> None:
    changed = kz.changes(day("2020-01-02"), day("2020-01-11"))
    assert [change.on for change in changed] == [day("2020-01-11")] * len(changed)
    assert {change.parameter for change in changed} == {
        "allowance.visa_exempt_30",
        "allowance.visa_exempt_90",
        "group.visa_exempt_30",
        "group.visa_exempt_90",
        "notification_by",
        "notification_days",
        "notification_unit",
        "temporary_residence_days",
    }
    term = next(change for change in changed if change.parameter == "notification_days")
    assert term.before is not None
    assert (term.before.value, term.after.value) == (5, 3)
    assert kz.changes(day("2020-01-12"), day("2020-03-31")) == ()
    first = kz.changes(day("2006-01-01"), day("2006-01-01"))
    assert [(change.parameter, change.before) for change in first] == [("legalisation_window", None)]


def test_values_cannot_be_changed(kz: Policy) -> None:
    with pytest.raises(AttributeError):
        kz.at(0).notification_days = 9  # type: ignore[misc]
    assert asdict(kz.at(day("2024-01-01")).allowances["eaeu"])["anchor"] == "rolling"
