"""Laws of the vault: sealed at rest, read with a reason and a line of the audit, forgotten for good."""

from __future__ import annotations

import multiprocessing
from dataclasses import fields, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.documents import TravelDocument
from streams.errors import SetupError, UsageError
from streams.publish.sealing import UnsealError
from streams.settings import Settings
from streams.vault import open_vault
from streams.vault.masking import masked
from tests.unit.vault.vaults import ANVAR, DAY_MS, KEY, NEWER, NOW, people, subject, vault_in

REASON = "a check of the record"


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_nothing_of_a_document_lies_readable_on_the_disk(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep([(subject(1), ANVAR)])
    content = on_disk(tmp_path)
    assert subject(1).encode() in content
    for value in ("AB1234567", "KARIMOV", "ANVAR", "1990-05-31", "31005901234567"):
        assert value.encode() not in content
    assert (tmp_path / "vault.db").stat().st_mode & 0o077 == 0


def test_who_reads_says_why_and_stands_in_the_audit(tmp_path: Path) -> None:
    lines: list[tuple[str, ...]] = []
    vault = vault_in(tmp_path, lines=lines)
    vault.keep([(subject(1), ANVAR)])
    assert lines == []
    shown = vault.reveal(subject(1), REASON, officer="o1-x", about="alert")
    assert shown == masked(ANVAR)
    assert lines == [("o1-x", "vault_shown", "alert", REASON)]
    assert vault.reveal(subject(2), REASON, officer="o1-x") is None
    assert len(lines) == 2, "who looked for what is not there looked too"
    with pytest.raises(UsageError):
        vault.reveal(subject(1), "  so ", officer="o1-x")
    assert len(lines) == 2
    assert not any("AB1234567" in part or subject(1) in part for line in lines for part in line)


def test_without_its_line_in_the_audit_nothing_is_shown(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep([(subject(1), ANVAR)])
    with pytest.raises(SetupError, match="for keeping documents only"):
        vault.reveal(subject(1), REASON, officer="o1-x")

    def full(*_: str) -> None:
        raise OSError("disk full")

    vault._trail = full
    with pytest.raises(OSError, match="disk full"):
        vault.reveal(subject(1), REASON, officer="o1-x")


def test_what_is_shown_is_too_little_to_copy() -> None:
    shown = masked(ANVAR)
    assert (shown.number, shown.surname, shown.born, shown.personal_number) == ("AB•••67", "K•••", "1990", "•••4567")
    assert masked(replace(ANVAR, number="AB12")).number == "A•••"
    assert masked(TravelDocument("UZB", "AB1234567")).surname == ""
    assert {one.name for one in fields(masked(ANVAR))} >= {"issuing_country", "expires_on", "kind"}


def test_a_later_reading_adds_and_does_not_take_away(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, lines=[])
    bare = TravelDocument("UZB", "AB1234567")
    vault.keep([(subject(1), ANVAR), (subject(1), bare)])
    vault.keep([(subject(1), replace(bare, expires_on="2031-01-01"))])
    assert vault.read(subject(1), REASON, officer="o") == replace(ANVAR, expires_on="2031-01-01")
    assert vault.store.count() == 1


def test_a_row_moved_to_another_pseudonym_is_not_believed(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, lines=[])
    vault.keep([(subject(1), ANVAR)])
    row = vault.store.get({subject(1)})[subject(1)]
    vault.store.put([replace(row, subject=subject(2))])
    with pytest.raises(UnsealError):
        vault.read(subject(2), REASON, officer="o")


def test_a_new_key_seals_everything_anew_and_the_old_one_can_go(tmp_path: Path) -> None:
    first = vault_in(tmp_path, KEY)
    held = list(people(25))
    first.keep(held)
    both = vault_in(first.store, NEWER, KEY, lines=[])
    assert both.outdated() == 25
    both.keep([(subject(100), ANVAR)])
    assert both.rotate() == 25
    assert (both.rotate(), both.outdated()) == (0, 0)
    alone = vault_in(first.store, NEWER, lines=[])
    assert [alone.read(name, REASON, officer="o") for name, _ in held] == [document for _, document in held]
    with pytest.raises(UnsealError):
        vault_in(first.store, KEY, lines=[]).read(held[0][0], REASON, officer="o")


def test_a_rotation_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, KEY)
    vault.keep(list(people(30)))
    both = vault_in(vault.store, NEWER, KEY)
    rows = both.store.walk("", 10)
    both.store.put([both._sealed(row.subject, both.unsealed(row), row.seen_on, row.kept_at) for row in rows])
    assert both.rotate() == 20


def test_what_nobody_has_given_for_as_long_as_the_policy_says_is_forgotten(tmp_path: Path) -> None:
    now = [NOW]
    vault = vault_in(tmp_path, clock=lambda: now[0])
    vault.keep(list(people(3)))
    now[0] += 400 * DAY_MS
    vault.keep([people(3)[0]])
    now[0] += 1_500 * DAY_MS
    assert vault.erase_unseen(1_900) == 0
    assert vault.erase_unseen(1_899) == 2
    assert set(vault.store.get({subject(n) for n in (1, 2, 3)})) == {subject(1)}
    assert subject(2).encode() not in on_disk(tmp_path), "erased is overwritten, not only unlisted"
    with pytest.raises(UsageError):
        vault.erase_unseen(0)


def _keep_some(folder: Path, first: int) -> None:
    vault = vault_in(folder)
    for number in range(first, first + 50):
        vault.keep([(subject(number), replace(ANVAR, number=f"AB{number:07d}"))])
    vault.close()


def test_several_processes_may_keep_at_once(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_keep_some, args=(tmp_path, first)) for first in (1, 1_000)]
    for one in others:
        one.start()
    for one in others:
        one.join(60)
    assert [one.exitcode for one in others] == [0, 0]
    assert vault.store.count() == 100


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("clickhouse://u:secret@127.0.0.1:1/vault", "does not answer"),
        ("clickhouse://u:secret@127.0.0.1:x/vault", "SHEKARA_VAULT is not"),
    ],
)
def test_a_vault_that_does_not_answer_is_named_as_the_vault_without_its_password(tmp_path: Path, place: str, said: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(KEY.hex())
    path.chmod(0o600)
    with pytest.raises(SetupError, match=said) as caught:
        open_vault(Settings(home=tmp_path, vault_key_file=path, vault=SecretStr(place)))
    assert "secret" not in str(caught.value)
    assert "SHEKARA_CLICKHOUSE" not in str(caught.value)


def test_without_a_key_file_there_is_no_vault_and_a_bad_one_is_one_sentence(tmp_path: Path) -> None:
    assert open_vault(Settings(home=tmp_path)) is None
    path = tmp_path / "vault.key"
    with pytest.raises(SetupError, match="is not there"):
        open_vault(Settings(home=tmp_path, vault_key_file=path))
    path.write_text(KEY.hex())
    path.chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        open_vault(Settings(home=tmp_path, vault_key_file=path))
    path.chmod(0o600)
    vault = open_vault(Settings(home=tmp_path, vault_key_file=path))
    assert vault is not None
    assert (tmp_path / "vault" / "vault.db").exists()
    vault.close()
