"""What a change would change: named, with its first and last day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streams.policy.compare import Difference, compare, plain
from streams.policy.load import load
from streams.policy.model import Allowance, Policy
from tests.unit.policy.conftest import day

Edit = Callable[[str, str, str], Path]


def test_a_policy_does_not_differ_from_itself_or_a_copy(kz: Policy, copy_of_kz: Path) -> None:
    assert compare(kz, kz) == ()
    assert compare(kz, load(copy_of_kz)) == ()


def test_a_later_beginning_is_a_difference_of_just_these_days(kz: Policy, edit: Edit) -> None:
    mine = load(edit("registration.yaml", "from: 2020-01-11, value: 3", "from: 2020-02-01, value: 3"))
    assert compare(kz, mine) == (Difference("notification_days", day("2020-01-11"), day("2020-01-31"), 3, 5),)
    assert compare(mine, kz) == (Difference("notification_days", day("2020-01-11"), day("2020-01-31"), 5, 3),)


def test_another_last_value_lasts(kz: Policy, edit: Edit) -> None:
    mine = load(edit("registration.yaml", "from: 2020-01-11, value: 3", "from: 2020-01-11, value: 4"))
    assert compare(kz, mine) == (Difference("notification_days", day("2020-01-11"), None, 3, 4),)


def test_one_difference_over_several_periods_is_one_line(kz: Policy, edit: Edit) -> None:
    periods = 'value: {eaeu: 30}, source: "'
    edit("registration.yaml", periods + "Treaty", periods.replace("30", "31") + "Treaty")
    mine = load(edit("registration.yaml", periods + "Entry", periods.replace("30", "31") + "Entry"))
    assert compare(kz, mine) == (Difference("notification_groups", day("2015-01-01"), None, {"eaeu": 30}, {"eaeu": 31}),)


def test_quotas_and_working_days_are_compared_too(kz: Policy, edit: Edit) -> None:
    edit("quotas.yaml", "persons: 2309", "persons: 2400")
    edit("quotas.yaml", "version: 3, from: 2025-08-01", "version: 4, from: 2025-08-01")
    mine = load(edit("calendar.yaml", "overrides: []", "overrides: [{day: 2026-01-05, working: false, source: x}]"))
    assert {(one.parameter, one.from_on, one.until_on, str(one.before), str(one.after)) for one in compare(kz, mine)} == {
        ("quota.kandas.2025.v1", day("2025-01-01"), day("2025-12-31"), _line("2025-01-01", 2309), _line("2025-01-01", 2400)),
        ("quota.labour.2025.v3", day("2025-08-01"), day("2025-12-31"), _line("2025-08-01", 19400), "None"),
        ("quota.labour.2025.v4", day("2025-08-01"), day("2025-12-31"), "None", _line("2025-08-01", 19400)),
        ("working_day", day("2026-01-05"), day("2026-01-05"), "True", "False"),
    }


def _line(since: str, persons: int) -> str:
    return str({"from": since, "persons": persons})


def test_a_parameter_only_one_policy_has_is_a_difference(kz: Policy, rolling: Policy) -> None:
    found = {one.parameter: one for one in compare(kz, rolling)}
    assert found["allowance.visitor"].before is None
    assert found["allowance.visitor"].after == {
        "days_per_entry": None,
        "days_in_window": 90,
        "window_days": 180,
        "anchor": "rolling",
    }
    assert found["allowance.eaeu"].after is None
    assert "rule.expiry_reminder.severity" not in found


def test_values_are_told_as_json_knows_them() -> None:
    assert plain(frozenset({"b", "a"})) == ["a", "b"]
    assert plain((30, 14)) == [30, 14]
    assert plain({"eaeu": 30}) == {"eaeu": 30}
    assert plain(Allowance(1, 2, 3, "rolling")) == {
        "days_per_entry": 1,
        "days_in_window": 2,
        "window_days": 3,
        "anchor": "rolling",
    }
    assert plain(None) is None
    assert plain("x") == "x"
