"""The audit tells when it was touched."""

from __future__ import annotations

import pytest

from streams.console.audit import CHECKPOINT_EVERY, Audit
from streams.console.desk import Desk, folder
from streams.errors import IntegrityError, SetupError


def fill(desk: Desk, lines: int) -> None:
    for number in range(lines):
        desk.audit.write(1000 + number, "o1-x", "see_person", f"alert-{number}", "a reason")


def test_an_untouched_audit_is_whole(desk: Desk) -> None:
    fill(desk, CHECKPOINT_EVERY + 5)
    desk.audit.checkpoint()
    assert desk.audit.verify() == CHECKPOINT_EVERY + 5


@pytest.mark.parametrize("column", ["at", "actor", "action", "object", "reason", "previous", "digest"])
def test_no_column_can_be_changed_unnoticed(desk: Desk, column: str) -> None:
    fill(desk, 5)
    with desk.store.writing() as writer:
        writer.run(f"UPDATE audit SET {column} = '7' WHERE seq = 3")  # noqa: S608
    with pytest.raises(IntegrityError):
        desk.audit.verify()


def test_a_removed_line_is_missed(desk: Desk) -> None:
    fill(desk, 5)
    with desk.store.writing() as writer:
        writer.run("DELETE FROM audit WHERE seq = 3")
    with pytest.raises(IntegrityError, match="lacks line 3"):
        desk.audit.verify()


def test_a_cut_end_contradicts_the_checkpoint(desk: Desk) -> None:
    fill(desk, 5)
    desk.audit.checkpoint()
    with desk.store.writing() as writer:
        writer.run("DELETE FROM audit WHERE seq > 3")
    with pytest.raises(IntegrityError, match="Checkpoint 1 was signed at line 5"):
        desk.audit.verify()


def test_a_chain_rewritten_as_a_whole_contradicts_the_checkpoint(desk: Desk) -> None:
    fill(desk, 5)
    desk.audit.checkpoint()
    with desk.store.writing() as writer:
        writer.run("DELETE FROM audit")
    for number in range(5):
        desk.audit.write(1000 + number, "o1-someone-else", "see_person", f"alert-{number}", "a reason")
    with pytest.raises(IntegrityError, match="Checkpoint"):
        desk.audit.verify()


def test_a_checkpoint_nobody_signed_is_refused(desk: Desk) -> None:
    fill(desk, 2)
    with (folder(desk.settings) / "audit.checkpoints").open("a") as file:
        file.write(f"2 {'0' * 64} {'0' * 64}\n")
    with pytest.raises(IntegrityError, match="signature"):
        desk.audit.verify()


def test_a_key_others_can_read_is_refused(desk: Desk) -> None:
    (folder(desk.settings) / "audit.key").chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        Audit(desk.store, folder(desk.settings))
