"""Three languages, complete: a missing string fails here."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale

import streams.console
from streams.console.rights import MATRIX, ROLES
from streams.console.texts import LANGUAGES, VOICES, catalogue, choose

ROOM = Path(streams.console.__file__).parent
KEY = re.compile(r"""["']([a-z_0-9]+(?:\.[a-z_0-9]+)+)["']""")
FILES = ("html", "key", "checkpoints", "db", "js", "css", "svg")
PLURALS = ("zero", "one", "two", "few", "many", "other")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_says_the_same_things() -> None:
    keys = {language: set(catalogue(language)) for language in LANGUAGES}
    assert keys["kk"] == keys["ru"] == keys["en"]


def test_every_language_fills_the_same_places() -> None:
    for key, text in catalogue("en").items():
        for language in LANGUAGES:
            assert placeholders(catalogue(language)[key]) == placeholders(text), (language, key)
            assert catalogue(language)[key].strip(), (language, key)


def test_kazakh_and_russian_are_not_english() -> None:
    same = {"audit.number"}
    for language in ("kk", "ru"):
        for key, text in catalogue(language).items():
            assert key in same or text != catalogue("en")[key], (language, key)
            assert re.search(r"[а-яәғқңөұүһі]", text, re.IGNORECASE), (language, key)


def test_every_key_used_is_there_and_every_key_there_is_used() -> None:
    known = set(catalogue("en"))
    stems = known | {key.rpartition(".")[0] for key in known if key.rpartition(".")[2] in PLURALS}
    sources = [*ROOM.rglob("*.py"), *ROOM.rglob("*.html")]
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    families = {key.split(".")[0] for key in known}
    used = {key for key in KEY.findall(text) if key.split(".")[0] in families and key.rpartition(".")[2] not in FILES}
    assert used - stems == set()
    composed = tuple(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*\.)["']""", text))  # "state." ~ row.state and the like
    assert {key for key in stems - used if not key.startswith(composed) and key.rpartition(".")[2] not in PLURALS} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_every_form_their_language_needs(language: str) -> None:
    forms = Locale.parse(language).plural_form.tags | {"other"}
    stems = {key.rpartition(".")[0] for key in catalogue("en") if key.rpartition(".")[2] == "other"}
    assert stems
    for stem in stems:
        for form in forms:
            assert f"{stem}.{form}" in catalogue(language), (language, stem, form)


def test_roles_have_names() -> None:
    assert {f"role.{role}" for role in ROLES} <= set(catalogue("kk"))
    assert all(roles <= set(ROLES) for roles in MATRIX.values())


def test_counts_are_written_as_the_language_does() -> None:
    assert VOICES["ru"]("audit.whole", count=1).endswith("1 строка.")
    assert VOICES["ru"]("audit.whole", count=3).endswith("3 строки.")
    assert VOICES["ru"]("audit.whole", count=11).endswith("11 строк.")
    assert VOICES["en"]("audit.whole", count=12345).endswith("12,345 lines.")


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [("", "", "kk"), ("ru", "en", "ru"), ("xx", "de-DE,en;q=0.5", "en"), ("", "ru-RU,ru;q=0.9", "ru"), ("", "kk", "kk")],
)
def test_a_browser_is_answered_in_its_language(cookie: str, accepted: str, language: str) -> None:
    assert choose(cookie, accepted).language == language
