from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from streams.decode.envelope import is_pseudonym
from streams.errors import SetupError, UsageError
from streams.publish.pseudonym import Pseudonyms, pseudonyms
from streams.settings import Settings

KEY = "00" * 32


def _settings(**changes: Any) -> Settings:
    return Settings().model_copy(update={"pseudonym_key": SecretStr(""), "pseudonym_key_file": None} | changes)


def test_the_pseudonym_is_the_keyed_hash_of_country_and_number() -> None:
    # Computed apart: printf 'document\x1fUZB\x1fAB1234567' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…00
    import hashlib
    import hmac

    expected = hmac.new(bytes(32), b"document\x1fUZB\x1fAB1234567", hashlib.sha256).hexdigest()[:32]
    assert Pseudonyms(1, bytes(32)).person("UZB", "AB1234567") == f"p1-{expected}"


def test_the_door_takes_what_is_made_here() -> None:
    assert is_pseudonym(Pseudonyms(12, b"k" * 32).person("UZB", "AB1234567"), "p")


@pytest.mark.parametrize("written", ["ab1234567", " AB 1234567", "AB-123.4567", "AB\u00a01234567"])
def test_how_the_number_is_written_does_not_matter(written: str) -> None:
    made = Pseudonyms(1, bytes(32))
    assert made.person("UZB", written) == made.person("UZB", "AB1234567")


def test_another_key_country_or_number_is_another_pseudonym() -> None:
    made = {
        Pseudonyms(1, bytes(32)).person("UZB", "AB1234567"),
        Pseudonyms(1, b"k" * 32).person("UZB", "AB1234567"),
        Pseudonyms(1, bytes(32)).person("KGZ", "AB1234567"),
        Pseudonyms(1, bytes(32)).person("UZB", "AB1234568"),
    }
    assert len(made) == 4


def test_germanys_short_code_is_germany() -> None:
    made = Pseudonyms(1, bytes(32))
    assert made.person("D", "C01X00T47") == made.person("DEU", "C01X00T47")


@pytest.mark.parametrize("number", ["", "123", "AB12345678901234567890", "Иванов123", "AB 12_34"])
def test_what_is_no_document_number_is_refused_without_repeating_it(number: str) -> None:
    with pytest.raises(UsageError) as caught:
        Pseudonyms(1, bytes(32)).person("UZB", number)
    assert not number or number not in str(caught.value)


def test_the_key_is_never_shown() -> None:
    assert "6b6b" not in repr(Pseudonyms(1, b"k" * 32))
    assert "kkkk" not in repr(Pseudonyms(1, b"k" * 32))


def test_a_key_file_only_its_owner_reads_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32 + "\n")
    path.chmod(0o600)
    assert pseudonyms(_settings(pseudonym_key_file=path, pseudonym_key_version=3)) == Pseudonyms(3, bytes.fromhex("ab" * 32))
    path.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        pseudonyms(_settings(pseudonym_key_file=path))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "there is none"),
        ({"pseudonym_key": SecretStr("00" * 31)}, "has 31 bytes"),
        ({"pseudonym_key": SecretStr("secret")}, "not hexadecimal"),
        ({"pseudonym_key_file": Path("/nowhere/key")}, "cannot be read"),
        ({"pseudonym_key": SecretStr(KEY), "pseudonym_key_file": Path("/nowhere/key")}, "Set one of them"),
    ],
)
def test_a_missing_or_weak_key_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SetupError, match=sentence):
        pseudonyms(_settings(**changes))
