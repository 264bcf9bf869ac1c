"""Possibly the same person: a supervisor looks with a reason and decides; the machine has only proposed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.console.check import held_of
from streams.console.desk import IDENTITY, Desk, furnish
from streams.console.rights import ROLES, may
from streams.console.states import States
from streams.documents import TravelDocument
from streams.policy.load import load
from streams.publish.pseudonym import pseudonyms
from streams.publish.sealing import Keys
from streams.settings import Settings
from streams.vault.sqlite import SqliteStore
from streams.vault.vault import Vault
from tests.unit.console.conftest import CHEAP, SignIn, csrf_of
from tests.unit.documents.zones import MRV_A, passport
from tests.unit.vault.test_candidates import RENEWED
from tests.unit.vault.vaults import ANVAR, KEY, NOW, subject


@pytest.fixture
def held(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose vault holds two passports of one person, perhaps, and whose states have been read."""
    states = States(Settings(home=tmp_path), tmp_path / "states.db")
    states._ends, states._next = {0: 1}, {0: 1}
    desk._states, desk.demo = states, False
    desk.vault = Vault(
        SqliteStore(tmp_path / "vault.db"), Keys([KEY]), lambda *line: desk.audit.write(NOW, line[0], line[1], line[2], line[3])
    )
    desk.vault.keep([(subject(1), ANVAR), (subject(2), RENEWED)])
    yield desk
    desk.vault.close()
    states._data.close()


def pair_on(page: str) -> str:
    [found] = re.findall(r'href="/identity/([0-9a-f-]{36})"', page)
    return str(found)


def test_a_supervisor_sees_the_evidence_then_with_a_reason_the_documents_masked(held: Desk, sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    listed = client.get("/identity")
    pair = pair_on(listed.text)
    assert subject(1) not in listed.text
    assert "KARIMOV" not in listed.text
    csrf = csrf_of(client.get(f"/identity/{pair}"))
    bare = client.post(f"/identity/{pair}", data={"csrf": csrf, "reason": "no"})
    assert bare.status_code == 422
    assert "AB•••67" not in bare.text
    shown = client.post(f"/identity/{pair}", data={"csrf": csrf, "reason": "a passport was renewed"}).text
    assert "AB•••67" in shown
    assert "FA•••21" in shown
    for value in ("KARIMOV", "ANVAR", "1990-05-31", "AB1234567", "FA7654321"):
        assert value not in shown
    lines = held.audit.lines()
    assert [(line.action, line.object, line.reason) for line in lines[:2]] == [
        ("vault_shown", pair, "a passport was renewed")
    ] * 2
    assert not any(name in str(lines) for name in (subject(1), subject(2), "KARIMOV"))


def test_a_rejected_pair_is_gone_and_stands_in_the_audit(held: Desk, sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    pair = pair_on(client.get("/identity").text)
    form = {"csrf": csrf_of(client.get(f"/identity/{pair}")), "decision": "reject", "reason": "two brothers"}
    assert client.post(f"/identity/{pair}/decision", data=form | {"reason": ""}).status_code == 422
    assert client.post(f"/identity/{pair}/decision", data=form | {"decision": "maybe"}).status_code == 422
    assert client.post(f"/identity/{pair}/decision", data=form).status_code == 303
    assert pair not in client.get("/identity").text
    assert client.post(f"/identity/{pair}/decision", data=form).status_code == 409
    assert "This pair has been rejected" in client.get(f"/identity/{pair}").text
    decided = [line for line in held.audit.lines() if line.action == "decided_identity_rejected"]
    assert [(line.object, line.reason) for line in decided] == [(pair, "two brothers")]


@pytest.mark.parametrize("role", [role for role in ROLES if not may(role, "settle_identity")])
def test_nobody_else_sees_or_decides_who_is_whom(held: Desk, sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    assert client.get("/identity").status_code == 403
    assert held.vault is not None
    assert held.vault.store.pairs() == [], "looking for them is refused too"


def test_the_menu_has_it_where_there_is_a_vault(tmp_path: Path) -> None:
    without = furnish(Settings(home=tmp_path / "a"), load("kz"), demo=True, hasher=CHEAP)
    key = tmp_path / "vault.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    within = furnish(Settings(home=tmp_path / "b", vault_key_file=key), load("kz"), demo=True, hasher=CHEAP)
    try:
        assert IDENTITY not in without.menu
        assert set(within.menu) - set(without.menu) == {IDENTITY}
        assert without.vault is None
        assert within.vault is not None
    finally:
        within.close()
        without.close()


def test_without_a_vault_or_before_the_states_are_read_nothing_is_proposed(held: Desk, sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    held.states._ends = {0: 5}
    assert client.get("/identity").status_code == 503
    held.vault, kept = None, held.vault
    assert client.get("/identity").status_code == 503
    held.vault = kept


def test_a_check_says_whether_the_document_is_known_and_where_it_differs(
    held: Desk, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = held.settings.model_copy(update={"pseudonym_key": type(held.settings.pseudonym_key)("ab" * 32)})
    monkeypatch.setattr(held, "settings", settings)
    assert held.vault is not None
    held.vault.keep([(pseudonyms(settings).holder(ANVAR), ANVAR)])
    client = sign_in("operator")
    headers = {"x-csrf-token": csrf_of(client.get("/"))}

    def check(**body: str) -> dict[str, object]:
        answer = client.post("/api/check", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        for value in ("KARIMOV", "ANVAR", "AB1234567", "1990-05-31"):
            assert value not in answer.text
        return dict(answer.json()["document"])

    zone = passport("AB1234567", names="KARIMOV<<ANVAR", personal=ANVAR.personal_number)
    known = check(mrz=zone)
    assert (known["known"], known["differs"]) == (True, [])
    assert check(country="UZB", document="AB1234567")["differs"] == []
    other = passport("AB1234567", names="PETROV<<SERGEI", born="850101", personal=ANVAR.personal_number)
    assert check(mrz=other)["differs"] == ["surname", "given_names", "born_on"]
    assert check(mrz=passport("XX0000001")) == {"known": False, "differs": [], "shown": None}
    for wrong in (zone.replace("AB1234567", "AB1234568"), MRV_A, "P<UZB"):
        refused = client.post("/api/check", json={"mrz": wrong}, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (422, "mrz")
    page = client.post("/check", data={"csrf": headers["x-csrf-token"], "mrz": other}).text
    assert "It differs from what was given before in: surname, given names, birth date" in page
    assert "AB•••67" in page


def test_what_only_one_reading_knows_is_no_difference() -> None:
    assert held_of(TravelDocument("UZB", "AB1234567"), ANVAR)["differs"] == []
