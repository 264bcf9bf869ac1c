"""Every sentence a policy is refused with says what was expected, what came, and where; none changes unnoticed."""

from __future__ import annotations

import re

from tests.unit.policy.refusals import listed, sentences


def test_every_fault_is_refused_with_its_sentence() -> None:
    faults = listed()
    assert len(faults) > 100
    assert [(one["file"], one["path"], one["says"]) for one in faults] == [
        (one["file"], one["path"], says) for one, says in zip(faults, sentences(), strict=True)
    ]


def test_every_sentence_names_file_and_line_what_was_expected_and_what_came() -> None:
    for one in listed():
        assert re.match(r"kz(/\w+\.yaml:\d+)?: ", one["says"]), one
        assert "expected" in one["says"], one
        assert "got" in one["says"], one
