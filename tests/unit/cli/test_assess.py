"""``shekara assess`` and ``self-check``: the same keys always, an answer always, and a line number for what cannot be read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.cli import build
from streams.errors import UsageError
from streams.policy.load import load
from streams.records import BorderCrossing, Tick
from streams.wire.jsonform import to_json
from tests.oracle.calculator import Calculator
from tests.oracle.time import date_of, day_number
from tests.policy.table import events_of, read_case

KEYS = {
    "on", "days_used", "days_remaining", "overstay", "first_overstay_day", "ledger", "longest_stay", "next_lawful_entry",
    "findings", "options",
}  # fmt: skip


def run(*arguments: str, content: str | None = None) -> str:
    result = CliRunner().invoke(build(), list(arguments), input=content)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def assess(content: str, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("assess", "-", "--json", *arguments, content=content))
    return found


def rules_of(found: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in found["findings"]}


def test_the_short_form_is_answered_with_every_key_of_the_contract() -> None:
    found = assess(
        '{"citizenship": "UZB", "stays": [["2024-01-01", "2024-03-30"], ["2024-05-01", null]]}',
        "--policy", "rolling-90-180", "--on", "2024-05-01",
    )  # fmt: skip
    assert found.keys() >= KEYS
    assert (found["on"], found["days_used"], found["days_remaining"]) == ("2024-05-01", 91, 0)
    assert (found["overstay"], found["first_overstay_day"]) == (True, "2024-05-01")
    assert found["longest_stay"] == {"entry": "2024-05-01", "days": 0, "last_lawful_day": None}
    assert found["next_lawful_entry"] == "2024-06-30"
    assert [line["standing"] for line in found["ledger"]] == ["lawful", "no_title_known"]
    assert rules_of(found) == {"overstay_visa_exempt"}
    assert found["options"] == ["correct_record", "dispute_record", "leave_by_own_means"]


def test_a_planned_entry_is_reckoned_from_that_day() -> None:
    content = '{"citizenship": "UZB", "stays": [["2024-01-01", "2024-02-29"]]}'
    found = assess(content, "--policy", "rolling-90-180", "--on", "2024-03-05", "--entry", "2024-06-15")
    assert found["longest_stay"] == {"entry": "2024-06-15", "days": 90, "last_lawful_day": "2024-09-12"}


def test_dates_alone_say_nothing_about_notices_of_arrival() -> None:
    found = assess('{"citizenship": "UZB", "stays": [["2024-06-03", null]]}', "--on", "2024-06-20")
    assert "arrival_not_notified" not in rules_of(found)
    assert found["not_asked"] == ["arrival_not_notified"]


EVENTS = [
    {"type": "border_crossing", "direction": "entry", "post": "KZ-75-A1", "citizenship": "UZB",
     "occurred_at": "2024-06-03T12:00"},
    {"type": "stay_registration", "kind": "arrival", "oblast": "KZ-75", "host": "hotel", "arrived_on": "2024-06-03",
     "occurred_at": "2024-06-04T09:00+05:00"},
]  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "array", "pretty array"])
def test_events_are_read_in_lines_and_in_arrays(form: str) -> None:
    content = {
        "lines": "\n\n".join(json.dumps(one) for one in EVENTS),
        "array": json.dumps(EVENTS),
        "pretty array": json.dumps(EVENTS, indent=2),
    }[form]
    found = assess(content, "--on", "2024-07-05")
    assert rules_of(found) == {"overstay_visa_exempt"}
    assert (found["days_used"], found["first_overstay_day"]) == (33, "2024-07-03")


def test_events_as_the_system_writes_them_are_read_with_their_coverage() -> None:
    at = 1_717_400_000_000  # 3 June 2024
    crossing = BorderCrossing(b"e" * 16, "p:1", at, at, "post:KZ-75-A1", 1, "entry", "KZ-75-A1", "UZB", "private", "passport", "air", None, None)  # fmt: skip  # noqa: E501
    later = 1_720_100_000_000  # 4 July 2024
    tick = Tick(b"t" * 16, "clock", later, later, "clock", 1, later, ())
    content = "\n".join(json.dumps(to_json(one)) for one in (crossing, tick))
    graded = {one["rule"]: one["grade"] for one in assess(content, "--on", "2024-07-05")["findings"]}
    assert graded["overstay_visa_exempt"] == "presumed"
    graded = {one["rule"]: one["grade"] for one in assess(content.splitlines()[0], "--on", "2024-07-05")["findings"]}
    assert graded["overstay_visa_exempt"] == "uncertain"


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", 1, "empty"),
        ("[", 1, "JSON"),
        ('{"citizenship": "UZB",\n "stays": [["2024-01-01" "2024-01-02"]]}', 2, "delimiter"),
        ('{"citizenship": "UZB",\n "stays": [["2024-01-01", "2024-01-02"],\n  ["2023-02-29", null]]}', 3, "2023-02-29"),
        ('{"citizenship": "UZB",\n "stays": [["2024-01-01", "2024-01-02"],\n\n  ["2024-01-05"]]}', 4, "stay 2"),
        ('{"citizenship": "UZB",\n "stays": [[null, "2024-01-02"]]}', 2, "entry"),
        ('{"citizenship": 7,\n "stays": []}', 1, "citizenship"),
        ('{"citizenship": "UZB",\n "stays": 5}', 2, "stays"),
        ('\n{"citizenship": "UZB"}', 2, "stays"),
        ('{"citizenship": "UZB", "stays": [],\n "visas": []}', 2, "visas"),
        ('{"citizenship": "UZB",\n "citizenship": "KGZ", "stays": []}', 1, "twice"),
        ('"UZB"', 1, "an event"),
        (json.dumps(EVENTS[0]) + "\n{broken", 2, "JSON"),
        (json.dumps(EVENTS[0]) + "\n\n" + json.dumps(EVENTS[1] | {"kind": "left"}), 3, "kind"),
        (json.dumps(EVENTS[0]) + "\n" + json.dumps(EVENTS[1] | {"colour": "red"}), 2, "colour"),
        ('[\n{"type": "border_crossing"},\n{"type": "border_crossing"}]', 2, "border_crossing"),
        ('[\n{"direction": "entry"}]', 2, "type"),
        (json.dumps(EVENTS[0] | {"subject": "p:1"}) + "\n" + json.dumps(EVENTS[1] | {"subject": "p:2"}), 2, "second subject"),
        (json.dumps(EVENTS[0] | {"document_number": "N1234567", "issuing_country": "UZB"}), 1, "document_number"),
    ],
)
def test_malformed_input_is_refused_with_its_line(content: str, line: int, words: str, tmp_path: Path) -> None:
    file = tmp_path / "dossier.json"
    file.write_text(content)
    with pytest.raises(UsageError) as refusal:
        run("assess", str(file), "--on", "2024-06-01")
    assert str(refusal.value).startswith(f"{file}:{line}: ")
    assert words in str(refusal.value)
    assert refusal.value.exit_code == 2
    assert "N1234567" not in str(refusal.value)


def test_bytes_that_are_no_text_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"citizenship":\n "\xff"}')
    with pytest.raises(UsageError, match=r"a:2: expected UTF-8"):
        run("assess", str(tmp_path / "a"))
    with pytest.raises(UsageError, match="cannot be read"):
        run("assess", str(tmp_path / "b"))
    with pytest.raises(UsageError, match="--on: expected a date"):
        run("assess", "-", "--on", "yesterday", content='{"citizenship": "UZB", "stays": []}')


def test_an_exit_before_its_entry_is_answered_and_named() -> None:
    found = assess(
        '{"citizenship": "UZB", "stays": [["2024-05-01", "2024-04-01"]]}', "--on", "2024-05-10", "--policy", "rolling-90-180"
    )
    assert {"exit_before_entry", "exit_without_entry"} <= rules_of(found)
    assert found["days_used"] == 11  # 1 April, and 1 to 10 May
    families = {one["rule"]: one["family"] for one in found["findings"]}
    assert families["exit_before_entry"] == "data_quality"


def test_two_entries_without_an_exit_are_answered_and_named() -> None:
    found = assess('{"citizenship": "UZB", "stays": [["2024-01-01", null], ["2024-05-01", null]]}', "--on", "2024-05-10")
    assert rules_of(found) >= {"entry_without_exit"}
    assert (found["days_used"], found["overstay"]) == (11, False)
    assert "unknown" in {line["standing"] for line in found["ledger"]}


@pytest.mark.parametrize(("policy", "used", "left"), [("rolling-90-180", 10, 80), ("kz", 10, None)])
def test_an_unknown_country_is_answered_and_named(policy: str, used: int, left: int | None) -> None:
    found = assess('{"citizenship": "ZZZ", "stays": [["2024-05-01", null]]}', "--on", "2024-05-10", "--policy", policy)
    assert "unknown_country" in rules_of(found)
    assert (found["days_used"], found["days_remaining"], found["overstay"]) == (used, left, False)


def test_an_unknown_post_is_answered_and_named() -> None:
    found = assess(json.dumps(EVENTS[0] | {"post": "KZ-00-X1"}), "--on", "2024-06-10")
    assert "unknown_post" in rules_of(found)
    assert found["days_used"] == 8


VISA = {
    "type": "visa", "kind": "issued", "visa_id": "3f0c2f0a-4a57-4c6e-9d1c-2a8d5c9f1b10", "category": "B10",
    "valid_from_on": "2024-06-01", "valid_until_on": "2024-06-30", "days_allowed": 30, "entries_allowed": 1,
    "occurred_at": "2024-05-20T10:00:00+05:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "rule", "words"),
    [
        (EVENTS[1] | {"oblast": "KZ-99"}, "unknown_oblast", "KZ-99"),
        (VISA | {"category": "Z9"}, "unknown_visa_category", "Z9"),
        (VISA | {"valid_until_on": "2024-05-01"}, "until_before_from", "31 days before it"),
        (VISA | {"days_allowed": -3}, "out_of_range", "-3"),
        (
            {
                "type": "citizenship",
                "kind": "acquired",
                "country": "ZZZ",
                "effective_on": "2024-06-04",
                "occurred_at": "2024-06-04T10:00:00+05:00",
            },
            "unknown_country",
            "ZZZ",
        ),
        (
            EVENTS[0] | {"direction": "exit", "refusal_reason": "no_visa", "occurred_at": "2024-06-20T20:00"},
            "unexpected_refusal_reason",
            "no_visa",
        ),
    ],
)
def test_what_the_stream_would_refuse_is_answered_and_named(wrong: dict[str, Any], rule: str, words: str) -> None:
    found = assess("\n".join(map(json.dumps, (EVENTS[0], wrong))), "--on", "2024-06-20")
    (fault,) = [one for one in found["findings"] if one["rule"] == rule]
    assert fault["family"] == "data_quality"
    assert words in fault["message"]
    assert fault["message"].startswith(f"{wrong['type']} of 2024-0")
    assert sum(line["days"] for line in found["ledger"]) == 18, "the answer is as good as the rest allows"


def test_employers_of_a_file_may_have_any_name() -> None:
    found = {"type": "inspection", "kind": "worker_found", "inspection_id": VISA["visa_id"], "oblast": "KZ-75", "sector": "F",
             "employer": "the mill", "occurred_at": "2024-06-10T10:00:00+05:00"}  # fmt: skip
    said = assess("\n".join(map(json.dumps, (EVENTS[0], found))), "--on", "2024-06-20")
    assert {one["rule"]: one["employer"] for one in said["findings"]}["work_without_permit"] == "the mill"
    assert not [one for one in said["findings"] if one["title"] == "The data cannot be right"]


def test_a_german_passport_says_d() -> None:
    found = assess('{"citizenship": "D", "stays": [["2024-05-01", null]]}', "--on", "2024-05-10")
    assert not found["findings"] or "unknown_country" not in rules_of(found)
    assert found["days_remaining"] == 80


def test_people_read_the_same_answer() -> None:
    text = run("assess", "-", "--on", "2024-05-31", content='{"citizenship": "UZB", "stays": [["2024-05-01", "2024-05-31"]]}')
    assert "Overstay on this day; the first day of overstay was 2024-05-31." in text
    assert "from 2024-05-31 to 2024-05-31 (1 day); the last day to act or leave was 2024-05-30" in text
    assert "2024-05  ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■▲" in text


def test_of_somebody_who_merely_has_no_exit_nobody_reads_that_they_overstayed() -> None:
    content = '{"citizenship": "UZB", "stays": [["2024-05-01", null]]}'
    text = run("assess", "-", "--on", "2024-06-05", content=content)
    assert "No exit seen. For somebody still here this day is beyond the lawful ones; the first such day is 2024-05-31." in text
    assert "verstay on this day" not in text
    assert "lawful for 30 days, to 2024-05-30" in text
    assert "uncertain: no exit seen; some post has not reported or was out" in text
    found = assess(content, "--on", "2024-06-05")
    assert (found["overstay"], found["first_overstay_day"]) == (True, "2024-05-31"), "the numbers are those of who is present"


def test_an_overstay_whose_record_is_disputed_is_said_to_be() -> None:
    crossing = EVENTS[0] | {"event_id": "00000000-0000-0000-0000-000000000007"}
    dispute = {
        "type": "dispute", "kind": "opened", "dispute_id": "00000000-0000-0000-0000-000000000008",
        "disputed_event": crossing["event_id"], "occurred_at": "2024-07-04T12:00+05:00",
    }  # fmt: skip
    text = run("assess", "-", "--on", "2024-07-10", content=json.dumps([crossing, dispute]))
    assert "By records that are disputed this day is beyond the lawful ones" in text
    assert "verstay on this day" not in text


def test_doubts_about_the_data_name_a_day_and_no_term() -> None:
    lone = json.dumps([EVENTS[0] | {"direction": "exit"}])
    text = run("assess", "-", "--on", "2024-07-10", content=lone)
    assert "  noticed on 2024-06-03; nobody is suspected of anything" in text
    assert "last day to act" not in text
    assert "lasting" not in text


def test_somebody_whose_title_is_not_known_reads_that_and_no_all_clear() -> None:
    text = run("assess", "-", "--on", "2024-05-31", content='{"citizenship": "IRQ", "stays": [["2024-05-01", null]]}')
    assert "No title is known for this day: a visa or a permit may be missing in the data." in text
    assert "No overstay." not in text
    assert "  from 2024-05-01 and lasting (31 days); nobody is suspected of anything" in text


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "you need a visa or another permission"), ("ru", "нужна виза"), ("kk", "виза немесе басқа негіз")],
)
def test_self_check_says_where_there_is_no_allowance_that_a_visa_is_needed(lang: str, words: str) -> None:
    stays = ("--stay", "2024-05-01..2024-05-10", "--on", "2024-05-31", "--lang", lang)
    assert words in run("self-check", "--citizenship", "IRQ", *stays)
    assert words not in run("self-check", "--citizenship", "UZB", *stays)
    assert words not in run("self-check", "--citizenship", "KAZ", *stays)


def test_a_long_history_is_drawn_for_a_year_and_counted_before() -> None:
    text = run("assess", "-", "--on", "2024-05-31", content='{"citizenship": "UZB", "stays": [["2020-01-01", "2020-01-20"]]}')
    assert "20 days of presence before these months." in text
    assert "2023-06" in text
    assert "2023-05" not in text


def test_self_check_gives_the_last_lawful_day_in_three_languages() -> None:
    stays = ("--stay", "2024-01-01..2024-01-20", "--stay", "2024-05-01..", "--citizenship", "uzb", "--on", "2024-05-10")
    assert "Last lawful day (2024-05-01 …): 2024-05-30" in run("self-check", *stays)
    assert "Последний законный день (2024-05-01 …): 2024-05-30" in run("self-check", *stays, "--lang", "ru")
    assert "Соңғы заңды күн (2024-05-01 …): 2024-05-30" in run("self-check", *stays, "--lang", "kk")
    assert json.loads(run("self-check", *stays, "--json"))["days_used"] == 30


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Check your dates", "before its entry", "shares days", "begins within another", "'ZZZ' is no country")),
        ("ru", ("Проверьте даты", "раньше своего въезда", "имеют общие дни", "начинается внутри другого", "'ZZZ' — не код")),
        ("kk", ("Күндерді тексеріңіз", "келуінен бұрын", "ортақ күндері бар", "ішінде басталады", "'ZZZ' — ISO")),
    ],
)
def test_self_check_names_what_cannot_be_right_in_three_languages(lang: str, words: tuple[str, ...]) -> None:
    text = run(
        "self-check", "--citizenship", "ZZZ", "--lang", lang, "--on", "2024-06-01", "--stay", "2024-01-01..2024-01-20",
        "--stay", "2024-01-10..2024-01-25", "--stay", "2024-01-12..", "--stay", "2024-03-01..2024-02-01",
    )  # fmt: skip
    assert all(word in text for word in words), text
    assert "2024-01-12" in text


@pytest.mark.parametrize("stay", ["2024-01-01", "2024-01-01..x", "..2024-01-01"])
def test_self_check_refuses_what_is_no_stay(stay: str) -> None:
    with pytest.raises(UsageError, match="--stay"):
        run("self-check", "--citizenship", "UZB", "--stay", stay)


def test_self_check_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("self-check", "--citizenship", "UZB", "--stay", "2024-01-01..2024-01-20", "--on", "2024-05-10")
    assert list(tmp_path.iterdir()) == []


days = st.integers(19_600, 20_300)


@settings(max_examples=25, deadline=None)
@given(
    stays=st.lists(st.tuples(days, st.sampled_from([0, 1, 29, 30, 45, 90, -9, None])), max_size=5),
    citizenship=st.sampled_from(["UZB", "RUS", "IND", "IRQ", "KAZ"]),
    policy=st.sampled_from(["kz", "rolling-90-180"]),
    on=st.integers(19_650, 20_400),
)
def test_the_command_says_what_the_oracle_says(
    stays: list[tuple[int, int | None]], citizenship: str, policy: str, on: int
) -> None:
    dates = [(date_of(first), None if length is None else date_of(first + length)) for first, length in stays]
    listed = [[first.isoformat(), None if last is None else last.isoformat()] for first, last in dates]
    found = assess(json.dumps({"citizenship": citizenship, "stays": listed}), "--policy", policy, "--on", date_of(on).isoformat())
    case = read_case(
        {
            "name": "drawn", "policy": policy, "citizenship": citizenship, "on": date_of(on), "expected": {},
            "source": "", "reasoning": "", "stays": dates,
        },
        "drawn",
    )  # fmt: skip
    want = Calculator(events_of(case), load(policy), on, citizenship).answer()
    assert {
        "days_used": want.days_used,
        "days_remaining": want.days_remaining,
        "overstay": want.overstay,
        "first_overstay_day": want.first_overstay_day and date_of(want.first_overstay_day).isoformat(),
        "next_lawful_entry": want.next_lawful_entry and date_of(want.next_lawful_entry).isoformat(),
        "longest_stay": {
            "entry": date_of(want.longest_stay_entry).isoformat(),
            "days": want.longest_stay_days,
            "last_lawful_day": want.last_lawful_day and date_of(want.last_lawful_day).isoformat(),
        },
    } == {key: found[key] for key in KEYS - {"on", "ledger", "findings", "options"}}
    assert day_number(date.fromisoformat(found["on"])) == on


@pytest.mark.parametrize(
    ("stays", "used", "fault"),
    [
        ('[["2024-01-01", "2024-01-20"], ["2024-01-15", null]]', 41, "overlapping_stays"),
        ('[["2024-01-01", "2024-01-20"], ["2024-01-15", "2024-01-31"]]', 31, "overlapping_stays"),
        ('[["2024-01-01", "2024-01-20"], ["2024-01-15", null], ["2024-02-01", null]]', 30, "entry_without_exit"),
    ],
)
def test_stays_that_contradict_each_other_are_answered_and_named(stays: str, used: int, fault: str) -> None:
    found = assess(f'{{"citizenship": "UZB", "stays": {stays}}}', "--on", "2024-02-10", "--policy", "rolling-90-180")
    assert (found["days_used"], found["overstay"]) == (used, False)
    assert [one["family"] for one in found["findings"] if one["rule"] == fault] == ["data_quality"]


def test_more_stays_than_a_day_has_minutes_keep_their_days() -> None:
    first = day_number(date(2016, 1, 1))
    stays = [[date_of(first + 4 * n).isoformat(), date_of(first + 4 * n).isoformat()] for n in range(800)]
    on = date_of(first + 4 * 799)
    found = assess(json.dumps({"citizenship": "UZB", "stays": stays}), "--on", on.isoformat(), "--policy", "rolling-90-180")
    assert (found["days_used"], found["first_overstay_day"]) == (45, None)
