"""The shipped policies, loaded once, and a copy of one to break."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import streams.policy
from streams.policy.load import load
from streams.policy.model import Policy

SHIPPED = Path(streams.policy.__file__).parent
EPOCH = date(1970, 1, 1)


def day(text: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(text) - EPOCH).days


@pytest.fixture(scope="session")
def kz() -> Policy:
    return load("kz")


@pytest.fixture(scope="session")
def rolling() -> Policy:
    return load("rolling-90-180")


@pytest.fixture
def copy_of_kz(tmp_path: Path) -> Path:
    """A copy of the shipped policy of Kazakhstan, under another name."""
    return Path(shutil.copytree(SHIPPED / "kz", tmp_path / "mine"))


@pytest.fixture
def edit(copy_of_kz: Path) -> Callable[[str, str, str], Path]:
    """Replaces a text that stands exactly once in a file of the copy; returns the copy."""

    def replace(file: str, old: str, new: str) -> Path:
        path = copy_of_kz / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return copy_of_kz

    return replace
