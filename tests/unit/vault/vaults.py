"""A vault in a file of the test's, and people who do not exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from streams.documents import TravelDocument
from streams.publish.sealing import Keys
from streams.vault.sqlite import SqliteStore
from streams.vault.store import Store
from streams.vault.vault import Vault

DAY_MS = 86_400_000
NOW = 20_000 * DAY_MS
KEY, NEWER = bytes(range(32)), bytes(range(1, 33))
ANVAR = TravelDocument(
    "UZB", "AB1234567", "KARIMOV", "ANVAR", "UZB", "1990-05-31", "M", "2030-01-01", "31005901234567", "passport"
)  # fmt: skip


def subject(number: int) -> str:
    """Returns a pseudonym."""
    return f"p1-{number:032x}"


def vault_in(
    store: Store | Path, *keys: bytes, lines: list[tuple[str, ...]] | None = None, clock: Callable[[], int] = lambda: NOW
) -> Vault:
    """Returns a vault whose audit is a list."""
    kept = store if not isinstance(store, Path) else SqliteStore(store / "vault.db")
    trail = None if lines is None else (lambda *line: lines.append(line))
    return Vault(kept, Keys(list(keys or (KEY,))), trail, clock)


def people(count: int) -> Sequence[tuple[str, TravelDocument]]:
    """Returns documents of different people."""
    return [
        (
            subject(number),
            replace(ANVAR, number=f"AB{number:07d}", personal_number=f"{number:014d}", born_on=f"19{number % 90 + 10}-01-01"),
        )
        for number in range(1, count + 1)
    ]
