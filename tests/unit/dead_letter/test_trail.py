"""The trail of what was published again shows when a line was changed or taken out."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.dead_letter import trail
from streams.errors import IntegrityError


def test_lines_follow_each_other_and_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / trail.NAME
    assert trail.read(path) == []
    trail.note(path, [{"number": 1}, {"number": 2}])
    trail.note(path, [{"number": 3}])
    assert [line["number"] for line in trail.read(path)] == [1, 2, 3]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("taken", [0, 1])
def test_a_line_taken_out_or_changed_is_found(tmp_path: Path, taken: int) -> None:
    path = tmp_path / trail.NAME
    trail.note(path, [{"number": number} for number in range(3)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:taken] + lines[taken + 1 :]))
    with pytest.raises(IntegrityError, match="does not follow"):
        trail.read(path)
    path.write_bytes(b"".join(lines).replace(b'"number": 1', b'"number": 9'))
    with pytest.raises(IntegrityError, match="line 3"):
        trail.read(path)
