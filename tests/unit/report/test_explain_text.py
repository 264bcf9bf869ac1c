"""An explanation in words: no codes are left in it, and what was taken back reads neither like a fact nor like a suspicion."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import streams
from streams.alerts.known import REASONS
from streams.detect.ledger import NAMES, Standing
from streams.records import INPUTS, EmployerDeclaration, PersonEvent, QuotaAllocation
from streams.records.outputs import AlertState, Grade
from streams.report.explain_text import LANGUAGES, Language, as_text, words_of

EXPLAINED = [kind.NAME for kind in INPUTS if issubclass(kind, PersonEvent | EmployerDeclaration | QuotaAllocation)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_title_and_event_type_has_its_word(language: Language) -> None:
    codes = {f"reason.{one}" for one in REASONS} | {f"event.{one}" for one in EXPLAINED}
    codes |= {f"title.{one}" for one in (*NAMES.values(), "allowance")}
    assert codes <= words_of(language).keys()
    assert all(words_of(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_console_gives_the_same_reasons_in_the_same_words(language: Language) -> None:
    texts = Path(streams.__file__).parent / "console" / "texts" / f"{language}.yaml"
    said = {key: words for key, words in yaml.safe_load(texts.read_text("utf-8")).items() if key.startswith("reason.")}
    assert said
    assert {key: words_of(language)[key] for key in said} == said


def explanation(state: str, reason: str) -> dict[str, Any]:
    day = {"stay": "2024-02-01", "from": "2024-02-01", "to": "2024-02-20", "days": 20, "standing": "lawful"}
    return {
        "rule": "overstay_visa_exempt", "title": None, "description": None, "state": state, "grade": "presumed",
        "article": "Law", "policy_version": "kz-1", "same_policy": True, "deadline_on": "2024-03-01",
        "first_day_on": "2024-03-02", "last_day_on": None, "days": 0, "alerts": [], "options": [],
        "versions": [
            {"version": 1, "decided_at": "2024-03-10T07:00:00.000Z", "state": "raised", "reason": "raised", "grade": "presumed",
             "known_events": 1},
            {"version": 2, "decided_at": "2024-03-12T07:00:00.000Z", "state": state, "reason": reason, "grade": "presumed",
             "known_events": 2},
        ],
        "events": [
            {"type": "border_crossing", "occurred_at": "2024-02-20T07:00:00.000Z", "topic": "shekara.people", "partition": 3,
             "offset": 103, "source": "post:KZ-75-A1", "known_when_first_told": False, "is_evidence": False, "withdrawn": False,
             "says": {"direction": "exit", "visa_id": "00"}},
        ],
        "ledger_as_first_told": [], "ledger_now": [day | {"titles": ["allowance"]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "lasting", "unseen", "expected"),
    [
        ("en", "and lasting", "no exit seen", ("taken back: it was never so", "an exit was seen", "(visa-free allowance)")),
        ("ru", "и продолжается", "выезд не отмечен", ("отозвано: этого не было", "виден выезд", "(безвизовый срок)")),
        ("kk", "жалғасуда", "шығуы байқалмаған", ("мұндай болмаған", "шығуы тіркелген", "(визасыз мерзім)")),
    ],
)
def test_what_was_taken_back_neither_lasts_nor_is_suspected(
    language: Language, lasting: str, unseen: str, expected: tuple[str, ...]
) -> None:
    text = as_text(explanation("retracted", "exit_seen"), language)
    assert lasting not in text
    assert text.count(unseen) == 1, "only the version that was raised said so"
    assert all(words in text for words in expected)
    assert "shekara.people/3@103" in text
    open_text = as_text(explanation("amended", "coverage"), language)
    assert lasting in open_text
    assert open_text.count(unseen) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_grade_and_standing_is_said_in_words(language: Language) -> None:
    for state in get_args(AlertState):
        for grade in get_args(Grade):
            for standing in get_args(Standing):
                found = explanation(state, "evidence")
                found["grade"] = grade
                found["ledger_now"][0]["standing"] = standing
                text = as_text(found, language)
                for code in ("amended", "acknowledged", "retracted", "presumed", "no_title_known", "exit_seen"):
                    assert code not in text.replace("open, amended", "")
