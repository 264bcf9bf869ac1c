"""Laws of candidates: proposed with their parts, never of what contradicts, never again once an officer said no."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.documents import TravelDocument
from streams.documents.latin import latin
from streams.errors import UsageError
from streams.publish.pseudonym import Pseudonyms
from streams.records import IdentityLink
from streams.vault.candidates import Candidates, pair_id
from streams.vault.likeness import ENOUGH, Likeness, likeness, names_alike
from streams.vault.rekeying import relink
from streams.vault.store import Pair
from streams.vault.vault import Vault
from tests.unit.vault.vaults import ANVAR, NOW, people, subject, vault_in

RENEWED = replace(ANVAR, number="FA7654321", expires_on="2036-01-01", personal_number="")


def alike(**changes: Any) -> Likeness | None:
    return likeness(replace(ANVAR, personal_number=""), replace(RENEWED, **changes))


@pytest.mark.parametrize(
    ("changes", "proposed"),
    [
        ({}, True),
        ({"surname": "KARIMOFF", "given_names": "ANWAR"}, True),
        ({"surname": "ANVAR", "given_names": "KARIMOV"}, True),
        ({"given_names": "ANVAR RUSTAMOVICH"}, True),
        ({"issuing_country": "RUS", "citizenship": "RUS"}, True),
        ({"sex": "F"}, False),
        ({"surname": "PETROV", "given_names": "SERGEI"}, False),
        ({"surname": "", "given_names": ""}, False),
        ({"surname": "KARIMOV", "given_names": "DILSHOD", "issuing_country": "RUS", "citizenship": "RUS"}, False),
    ],
)
def test_what_is_proposed_and_what_is_not(changes: dict[str, Any], proposed: bool) -> None:
    found = alike(**changes)
    assert found is not None
    assert (found.score >= ENOUGH) == proposed, found


@pytest.mark.parametrize("changes", [{"born_on": "1990-05-30"}, {"number": "AB1234567"}])
def test_different_birth_dates_or_one_document_are_no_candidates(changes: dict[str, Any]) -> None:
    assert alike(**changes) is None


def test_personal_numbers_of_one_issuer_decide_both_ways() -> None:
    other = replace(RENEWED, personal_number="31005901234568")
    assert likeness(ANVAR, other) is None
    married = replace(RENEWED, surname="IVANOVA", given_names="OLGA", personal_number=ANVAR.personal_number)
    found = likeness(ANVAR, married)
    assert found is not None
    assert found.personal_number == "same"
    assert found.score >= ENOUGH
    slipped = replace(married, born_on="1990-05-30")
    assert likeness(ANVAR, slipped) is not None, "the number says so, whatever a clerk typed as the birth date"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Қасымжанов", "KASSYMZHANOV"),
        ("Қасымжанов", "QASYMJANOV"),
        ("Жусупова", "ZHUSSUPOVA"),
        ("Юлдашев", "YULDASHEV"),
        ("Хусейнов", "KHUSEYNOV"),
        ("Щербаков", "SHCHERBAKOV"),
        ("Чумаков", "TCHUMAKOV"),
        ("Ёлқин", "YOLQIN"),
    ],
)
def test_one_name_in_the_spellings_of_the_region_is_alike(one: str, other: str) -> None:
    mine = TravelDocument("KAZ", "N1", latin(one), "AIDA")
    theirs = TravelDocument("KAZ", "N2", latin(other), "AIDA")
    assert names_alike(mine, theirs) > 0.9


def test_likeness_is_the_same_from_both_sides_and_within_bounds() -> None:
    documents = [ANVAR, RENEWED, replace(RENEWED, sex="F"), replace(RENEWED, surname="PETROV"), TravelDocument("KGZ", "AC1")]
    for one in documents:
        for other in documents:
            found = likeness(one, other)
            assert found == likeness(other, one)
            assert found is None or 0 <= found.score <= 1


def _nobody(one: str, other: str) -> bool:
    return False


def found_in(vault: Vault) -> Candidates:
    return Candidates(vault, _nobody, lambda: NOW)


def test_candidates_are_found_where_the_documents_lie_and_hold_no_data(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep([*people(200), (subject(900), ANVAR), (subject(901), RENEWED)])
    candidates = found_in(vault)
    assert candidates.find() == 1
    [one] = candidates.open()
    assert (one.pair.first, one.pair.second) == (subject(900), subject(901))
    assert one.id == pair_id(subject(901), subject(900))
    assert json.loads(one.pair.evidence) == {
        "score": one.pair.score, "names": 1.0, "birth_date": "same", "personal_number": "unknown", "sex": "same",
        "state": "same_issuer",
    }  # fmt: skip
    assert "KARIMOV" not in repr(one)
    assert candidates.find() == 0


def test_who_comes_later_is_compared_with_who_was_there(tmp_path: Path) -> None:
    now = [NOW]
    vault = vault_in(tmp_path, clock=lambda: now[0])
    candidates = Candidates(vault, _nobody, lambda: now[0])
    vault.keep([(subject(900), ANVAR)])
    assert candidates.find() == 0
    now[0] += 3_600_000
    vault.keep([(subject(901), RENEWED)])
    assert candidates.find() == 1


def test_whom_a_register_has_linked_meanwhile_nobody_is_asked_about(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep([(subject(900), ANVAR), (subject(901), RENEWED)])
    found_in(vault).find()
    assert Candidates(vault, lambda one, other: True).open() == []


@pytest.mark.parametrize("accepted", [True, False])
def test_a_decided_pair_is_never_proposed_again(tmp_path: Path, accepted: bool) -> None:
    vault = vault_in(tmp_path)
    vault.keep([(subject(900), ANVAR), (subject(901), RENEWED)])
    candidates = found_in(vault)
    candidates.find()
    [one] = candidates.open()
    with pytest.raises(UsageError, match="a reason"):
        candidates.settle(one, accepted=accepted, officer="o1", reason="")
    candidates.settle(one, accepted=accepted, officer="o1", reason="compared the photographs")
    with pytest.raises(UsageError, match="decided already"):
        candidates.settle(one, accepted=not accepted, officer="o2", reason="compared the photographs")
    vault.keep([(subject(901), replace(RENEWED, expires_on="2037-01-01"))])
    assert (candidates.find(), candidates.open()) == (0, [])
    settled = candidates.one(one.id)
    assert settled is not None
    assert (settled.pair.state, settled.pair.decided_by) == ("accepted" if accepted else "rejected", "o1")


def test_a_mark_under_the_older_key_is_found_too(tmp_path: Path) -> None:
    from tests.unit.vault.vaults import KEY, NEWER

    old = vault_in(tmp_path, KEY)
    old.keep([(subject(900), ANVAR)])
    both = vault_in(old.store, NEWER, KEY)
    both.keep([(subject(901), RENEWED)])
    assert found_in(both).find() == 1


OLD_KEY, NEW_KEY = Pseudonyms(1, bytes(32)), Pseudonyms(2, bytes([7]) * 32)


def test_a_new_key_for_pseudonyms_links_everybody_once(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, lines=[])
    held = [(OLD_KEY.holder(document), document) for _, document in people(12)]
    # A publisher uses the new key already.
    vault.keep([*held, (NEW_KEY.holder(held[0][1]), held[0][1])])
    sent: list[IdentityLink] = []
    assert relink(vault, OLD_KEY, NEW_KEY, sent.extend, NOW) == 12
    assert {(link.other_subject, link.subject) for link in sent} == {
        (OLD_KEY.holder(document), NEW_KEY.holder(document)) for _, document in held
    }
    assert {(link.kind, link.reason) for link in sent} == {("linked", "key_rotation")}
    assert relink(vault, OLD_KEY, NEW_KEY, sent.extend, NOW + 1) == 0, "run again it does nothing"
    assert vault.store.count() == 24
    assert found_in(vault).find() == 0, "one document under two keys is no candidate"


def test_a_relinking_that_was_cut_off_sends_the_same_links_again(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    vault.keep([(OLD_KEY.holder(document), document) for _, document in people(3)])
    sent: list[IdentityLink] = []

    def cut_off(links: list[IdentityLink]) -> None:
        sent.extend(links)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relink(vault, OLD_KEY, NEW_KEY, cut_off, NOW)
    again: list[IdentityLink] = []
    assert relink(vault, OLD_KEY, NEW_KEY, again.extend, NOW) == 3
    assert again == sent


def test_what_an_officer_decided_holds_under_the_new_key(tmp_path: Path) -> None:
    vault = vault_in(tmp_path)
    one, other = OLD_KEY.holder(ANVAR), OLD_KEY.holder(RENEWED)
    vault.keep([(one, ANVAR), (other, RENEWED)])
    candidates = found_in(vault)
    candidates.find()
    candidates.settle(candidates.open()[0], accepted=False, officer="o1", reason="two brothers")
    relink(vault, OLD_KEY, NEW_KEY, lambda links: None, NOW)
    assert (candidates.find(), candidates.open()) == (0, [])
    pairs = {(pair.first, pair.second): pair for pair in vault.store.pairs()}
    renamed = pairs[tuple(sorted((NEW_KEY.holder(ANVAR), NEW_KEY.holder(RENEWED))))]  # type: ignore[index]
    assert isinstance(renamed, Pair)
    assert (renamed.state, renamed.decided_by) == ("rejected", "o1")
