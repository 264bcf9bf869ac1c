"""What is not understood is refused: file, line, what was expected, what came."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from streams.errors import PolicyError
from streams.policy.load import check, load
from streams.policy.model import Policy
from tests.unit.policy.conftest import SHIPPED

Edit = Callable[[str, str, str], Path]


def line_of(path: Path, text: str) -> int:
    """Line (from 1) in which a text stands."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if text in line:
            return number
    raise AssertionError(f"{text!r} is not in {path}")


FIVE = (
    '{from: 2007-01-01, value: 5, source: "Registration within 5 calendar days of entry, until 10 January 2020", '
    "confidence: high}"
)
THREE = 'value: 3, source: "Hosts notify within 3 working days (entry and stay rules as amended from 11 January 2020)"'


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("registration.yaml", FIVE, FIVE.replace("5,", "five,"), "expected a whole number from 0 to 366, got the text 'five'"),
        ("registration.yaml", FIVE, FIVE.replace("5,", "-1,"), "expected a whole number from 0 to 366, got the number -1"),
        ("registration.yaml", FIVE, FIVE.replace("5,", "true,"), "expected a whole number from 0 to 366, got true"),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace("5,", "5.5,"),
            "expected text, a whole number, true, false or a date, got '5.5'",
        ),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace("5,", "005,"),
            "expected text, a whole number, true, false or a date, got '005'",
        ),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace("2007-01-01", "2007-13-01"),
            "expected a date like 2020-01-11, got '2007-13-01'",
        ),
        ("registration.yaml", FIVE, FIVE.replace("2007-01-01", "2008-01-01"), "expected a value on every day from 2007-01-01"),
        ("registration.yaml", FIVE, FIVE.replace("2007-01-01", "2020-01-11"), "a day after 2020-01-11, got 2020-01-11"),
        ("registration.yaml", FIVE, FIVE.replace("2007-01-01", "2021-01-01"), "periods in order that do not overlap"),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace("high", "certain"),
            "expected one of: high, low, medium, got the text 'certain'",
        ),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace(", confidence: high", ""),
            "expected the key 'confidence', got only from, value, source",
        ),
        ("registration.yaml", FIVE, FIVE.replace("value:", "valeu:"), "got the unknown key 'valeu'"),
        (
            "registration.yaml",
            FIVE,
            FIVE.replace("{from", "{from: 2006-01-01, from"),
            "expected the key 'from' once, got it again",
        ),
        ("registration.yaml", FIVE, FIVE.replace('source: "Registration', 'source: "", s: "Registration'), "the unknown key 's'"),
        ("registration.yaml", "  notification_days:", "  notification_day:", "got the unknown 'notification_day'"),
        ("registration.yaml", "unit: days of notification_unit", "unit: weeks", "expected the unit 'days of notification_unit'"),
        ("registration.yaml", 'value: {eaeu: 30}, source: "Treaty', 'value: {eeu: 30}, source: "Treaty', "got the unknown 'eeu'"),
        ("registration.yaml", "value: working", "value: wroking", "expected one of: calendar, working, got the text 'wroking'"),
        ("labour.yaml", "value: [kaz]", "value: [kas]", "expected groups: eaeu, international, kaz"),
        ("labour.yaml", "value: [kaz]", "value: [kaz, kaz]", "expected each of the groups once"),
        ("labour.yaml", "[tourism, transit, treatment]", "[tourism, tranist]", "got the text 'tranist'"),
        (
            "labour.yaml",
            'value: {}, source: "Code of 2001',
            'value: 5000, source: "Code of 2001',
            "expected a mapping of notes by article",
        ),
        (
            "stay.yaml",
            "value: [30, 14, 7, 3, 1]",
            "value: [1, 3, 7]",
            "expected days in descending order, each once, got [1, 3, 7]",
        ),
        (
            "stay.yaml",
            "days_in_window: 42, window_days: 180",
            "days_in_window: 42, window_days: null",
            "days_in_window and window_days, or neither",
        ),
        ("stay.yaml", "days_in_window: 42, window_days: 180", "days_in_window: 181, window_days: 180", "got 181 in 180"),
        (
            "stay.yaml",
            'window_days: 180, anchor: rolling}\n        source: "Government',
            'window_days: 180, anchor: sliding}\n        source: "Government',
            "expected an anchor: first_entry, per_entry, rolling",
        ),
        ("groups.yaml", "value: [KAZ]", "value: [KZH]", "expected one of the known countries, got the text 'KZH'"),
        ("groups.yaml", "value: [KAZ]", "value: [KAZ, RUS]", "expected RUS in one group on"),
        ("groups.yaml", "value: [XXA]", "value: [NO]", "got 'NO' (if it is text, put it in quotes)"),
        ("countries.yaml", "  KAZ: ", "  KZ: ", "expected three capital letters, got the code 'KZ'"),
        ("countries.yaml", '  KAZ: "Kazakhstan"', '  KAZ: "Kazakhstan"\n  KAZ: "Kazakhstan"', "expected the key 'KAZ' once"),
        ("countries.yaml", "  XXA: ", "  KAZ: ", "expected each code in one register only"),
        ("countries.yaml", '  NOR: "Norway"', "  NOR: yes", "got 'yes' (if it is text, put it in quotes)"),
        ("oblasts.yaml", "parent: KZ-63", "parent: KZ-99", "got the text 'KZ-99'"),
        ("oblasts.yaml", "parent: KZ-63", "parent: KZ-10", "got the text 'KZ-10'"),
        ("oblasts.yaml", "zone: Asia/Oral", "zone: Asia/Ural", "expected a time zone of the tz database"),
        ("oblasts.yaml", "zone: Asia/Almaty, valid_from: 2018-06-19", "zone: Asia/Almaty", "expected the key 'valid_from'"),
        (
            "posts.yaml",
            "  KZ-75-A1: ",
            "  KZ-71-A9: ",
            "expected a code like KZ-75-A1 for a air post in KZ-75, got the code 'KZ-71-A9'",
        ),
        (
            "posts.yaml",
            "neighbour: TKM}\n  KZ-47-S1",
            "neighbour: TKX}\n  KZ-47-S1",
            "expected one of the known countries, got the text 'TKX'",
        ),
        ("quotas.yaml", "  labour 2006:", "  work 2006:", "expected a name like 'labour 2025'"),
        ("quotas.yaml", "oblast: KZ-23", "oblast: KZ-24", "got the text 'KZ-24'"),
        ("quotas.yaml", 'category: "1"', "category: 1", "expected one of: 1, 2, 3, 4, seasonal, got the number 1"),
        ("quotas.yaml", "version: 2, from: 2025-04-01", "version: 1, from: 2025-04-01", "expected each version of a line once"),
        (
            "quotas.yaml",
            "version: 3, from: 2025-08-01",
            "version: 3, from: 2025-03-01",
            "expected a version that begins after 2025-04-01",
        ),
        ("quotas.yaml", "from: 2006-01-01", "from: 2007-01-01", "expected a day of 2006"),
        ("rules.yaml", "  - name: dispute_record", "  - name: correct_record", "expected each option once"),
        (
            "rules.yaml",
            "        value: [correct_record]",
            "        value: [dispute_record, correct_record]",
            "in the order correct_record, dispute_record",
        ),
        (
            "rules.yaml",
            "    family: protective",
            "    family: guilty",
            "expected one of: breach, data_quality, protective, reminder",
        ),
        (
            "rules.yaml",
            "value: [correct_record, obtain_permit, legalisation_window, apply_kandas, apply_asylum]",
            "value: [correct_record, officer_may_consider_referral]",
            "expected no officer_may_consider_referral in a rule of family protective",
        ),
        ("policy.yaml", "  zone: Asia/Almaty", "  zone: Asia/Alma-Ata", "expected a time zone of the tz database"),
        (
            "policy.yaml",
            "otherwise: visa_required",
            "otherwise: visa_needed",
            "expected a group under 'otherwise', got 'visa_needed'",
        ),
        (
            "policy.yaml",
            "otherwise: visa_required",
            "otherwise: visa_required\n  without: [fines]",
            "expected nothing, for the policy says it goes without it, got 'fines'",
        ),
        ("policy.yaml", "otherwise: visa_required", "otherwise: visa_required\n  without: [finse]", "got the text 'finse'"),
        ("policy.yaml", '    kk: "Қазақстан Республикасына келу және онда болу"\n', "", "expected the key 'kk', got only ru, en"),
        ("policy.yaml", "policy:", "polcy:", "got the unknown 'polcy'"),
        ("calendar.yaml", "holidays_of: KZ", "holidays_of: Q1", "expected a country whose public holidays are known, got 'Q1'"),
        ("calendar.yaml", "  overrides: []", "  overrides: {}", "expected a list of days, got a mapping"),
    ],
)
def test_a_fault_is_named_with_file_and_line(edit: Edit, file: str, old: str, new: str, expected: str) -> None:
    directory = edit(file, old, new)
    faults = check(directory)
    named = [fault for fault in faults if expected in fault.what]
    assert named, [str(fault) for fault in faults]
    assert named[0].file == f"mine/{'labour.yaml' if 'without: [fines]' in new else file}"
    assert all(fault.line >= 1 for fault in faults if "section 'policy'" not in fault.what)


def test_the_line_is_the_line_of_the_fault(edit: Edit) -> None:
    directory = edit("registration.yaml", FIVE, FIVE.replace("5,", "five,"))
    line = line_of(directory / "registration.yaml", "five,")
    with pytest.raises(PolicyError) as refusal:
        load(directory)
    assert refusal.value.what == f"mine/registration.yaml:{line}: expected a whole number from 0 to 366, got the text 'five'."
    assert refusal.value.next_step == f"Put it right, then run: shekara policy check {directory}"
    assert refusal.value.exit_code == 2


def test_check_reports_every_fault_and_load_counts_them(edit: Edit) -> None:
    edit("registration.yaml", FIVE, FIVE.replace("5,", "five,").replace("high", "certain"))
    edit("registration.yaml", THREE, THREE.replace("3,", "'3',"))
    edit("groups.yaml", "value: [KAZ]", "value: [KZH]")
    directory = edit("posts.yaml", "  KZ-75-A1: {name: {kk: ", "  KZ-75-A1: {colour: red, shape: round, name: {kk: ")
    faults = check(directory)
    assert [fault.file for fault in faults] == [
        "mine/groups.yaml",
        "mine/posts.yaml",
        "mine/posts.yaml",
        "mine/registration.yaml",
        "mine/registration.yaml",
        "mine/registration.yaml",
    ]
    assert [fault.line for fault in faults] == sorted([faults[0].line]) + [fault.line for fault in faults[1:3]] + sorted(
        fault.line for fault in faults[3:]
    )
    with pytest.raises(PolicyError, match=r"\(5 more faults\)"):
        load(directory)


def test_a_parameter_that_is_missing_is_named(edit: Edit) -> None:
    directory = edit("protection.yaml", "  asylum_departure_days:", "  unused_days:")
    assert {fault.what for fault in check(directory)} == {
        next(fault.what for fault in check(directory) if "unused_days" in fault.what),
        "expected the parameter 'asylum_departure_days', or its name under 'without', got no such parameter.",
    }


def test_a_section_in_two_files_may_share_no_entry(copy_of_kz: Path) -> None:
    shutil.copy(copy_of_kz / "registration.yaml", copy_of_kz / "again.yaml")
    faults = check(copy_of_kz)
    assert len(faults) == 4
    assert all("once, got it again (first at mine/again.yaml:" in fault.what for fault in faults)
    (copy_of_kz / "again.yaml").write_text((copy_of_kz / "policy.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert [fault.what for fault in check(copy_of_kz)] == [
        "expected the section 'policy' once, got it again (first at mine/again.yaml:2)."
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected a mapping of sections, got an empty file"),
        (b"# only a comment\n", "expected a mapping of sections, got an empty file"),
        (b"- a\n- b\n", "got a list"),
        (b"just words\n", "got the text 'just words'"),
        (b"a: [1, 2\n", "one.yaml:2: expected YAML"),
        (b"a: 1\n\tb: 2\n", "one.yaml:2: expected YAML"),
        (b"policy: {}\n---\npolicy: {}\n", "expected YAML"),
        (b"policy:\n  title: \xff\n", "one.yaml:2: expected UTF-8 text, got byte 0xff"),
        (b"policy: \x07\n", "expected YAML"),
        (b"policy: &a\n  title: *a\n", "one.yaml:1: expected every value written out, got an alias of an anchor"),
        (b"policy: !!python/object/apply:os.system ['true']\n", "expected"),
        (b"policy: !!binary aGk=\n", "expected text, a whole number, true, false or a date"),
        (b"<<: {policy: 1}\n", "expected a plain word as key"),
        (b"? [a, b]\n: c\n", "expected a plain word as key"),
        (b"policy: {}\npolicy: {}\n", "one.yaml:2: expected the key 'policy' once, got it again (first in line 1)"),
        (b"policy: " + b"[" * 60 + b"]" * 60, "levels of nesting"),
        (b"policy: " + b"{a: " * 5000 + b"1" + b"}" * 5000, "expected"),
        (b"policy: {}\n", "expected the key 'title', got only an empty mapping"),
        (b"parameters: {}\n", "expected a section 'policy'"),
        (b"policy: {based_on: 5}\n", "expected the name or path of a policy, got the number 5"),
        (b"policy: {based_on: moon}\n", "one.yaml:1: expected the name or path of a policy, got 'moon'"),
        (b"policy: {based_on: one.yaml}\n", "expected a policy that stands on another, got a circle"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_without_a_traceback(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_bytes(content)
    faults = check(file)
    assert any(expected in str(fault) for fault in faults), [str(fault) for fault in faults]
    with pytest.raises(PolicyError):
        load(file)


def test_a_file_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    assert "expected at most 4194304 bytes, got 4194305" in str(check(file)[0])


def test_a_policy_that_is_not_there_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="There is no policy 'nowhere': expected kz, rolling-90-180"):
        load("nowhere")
    with pytest.raises(PolicyError, match=r"has no \*\.yaml file"):
        load(tmp_path)


def test_a_policy_may_stand_on_another_and_change_one_thing(tmp_path: Path, kz: Policy) -> None:
    file = tmp_path / "five-days.yaml"
    text = (SHIPPED / "kz" / "registration.yaml").read_text(encoding="utf-8").replace(THREE, THREE.replace("3,", "5,"))
    head, _, rest = text.partition("  notification_unit:")
    assert rest
    head_of_policy = (SHIPPED / "kz" / "policy.yaml").read_text(encoding="utf-8") + "  based_on: kz\n"
    file.write_text(head_of_policy + head.partition("\n")[2], encoding="utf-8")
    mine = load(file)
    assert mine.name == "five-days"
    assert mine.version.startswith("five-days-")
    changed = {name for name in kz.parameters if mine.parameters[name].periods != kz.parameters[name].periods}
    assert changed == {"notification_days"}
    assert set(mine.parameters) == set(kz.parameters)
    assert mine.parameters["notification_days"].where.startswith("five-days.yaml:")
    assert mine.codes == kz.codes
    assert mine.working_days == kz.working_days


def test_the_same_content_is_the_same_version_whatever_it_looks_like(copy_of_kz: Path) -> None:
    before = load(copy_of_kz).version
    for file in copy_of_kz.glob("*.yaml"):
        file.write_text("# a comment\n" + file.read_text(encoding="utf-8") + "\n\n", encoding="utf-8")
    assert load(copy_of_kz).version == before
    (copy_of_kz / "stay.yaml").rename(copy_of_kz / "aaa.yaml")
    assert load(copy_of_kz).version == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("registration.yaml", THREE, THREE.replace("3,", "4,")),
        ("registration.yaml", "from: 2020-01-11, value: 3", "from: 2020-01-12, value: 3"),
        ("registration.yaml", "confidence: medium}\n  notification_unit", "confidence: low}\n  notification_unit"),
        ("groups.yaml", "value: [IND, IRN]", "value: [IND]"),
        ("posts.yaml", '"Almaty airport"', '"Airport of Almaty"'),
        ("quotas.yaml", "persons: 2309", "persons: 2310"),
        ("calendar.yaml", "overrides: []", "overrides: [{day: 2026-01-05, working: false, source: x}]"),
    ],
)
def test_other_content_is_another_version(edit: Edit, kz: Policy, file: str, old: str, new: str) -> None:
    mine = load(edit(file, old, new))
    assert mine.version.partition("-")[2] != kz.version.partition("-")[2]


def test_a_copy_differs_in_name_only(copy_of_kz: Path, kz: Policy) -> None:
    assert load(copy_of_kz).version == kz.version.replace("kz-", "mine-")


def test_the_order_of_options_is_content(copy_of_kz: Path) -> None:
    before = load(copy_of_kz)
    path = copy_of_kz / "rules.yaml"
    text = path.read_text(encoding="utf-8")
    first, second = "  - name: apply_kandas\n", "  - name: apply_asylum\n"
    path.write_text(text.replace(first, "\0").replace(second, first).replace("\0", second), encoding="utf-8")
    with pytest.raises(PolicyError, match="in the order"):
        load(copy_of_kz)
    assert list(before.option_texts).index("apply_kandas") + 1 == list(before.option_texts).index("apply_asylum")


def test_the_example_of_the_documentation_is_a_policy(tmp_path: Path, kz: Policy) -> None:
    page = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    example = page.split("in one file:\n\n", 1)[1].split("\nAn entry replaces", 1)[0]
    file = tmp_path / "five.yaml"
    file.write_text(dedent(example), encoding="utf-8")
    mine = load(file)
    changed = {name for name in kz.parameters if mine.parameters[name].periods != kz.parameters[name].periods}
    assert changed == {"notification_days"}
    assert mine.at(19_800).notification_days == 5
