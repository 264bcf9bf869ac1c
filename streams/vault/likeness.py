"""How much two documents look like one person's, in parts an officer can weigh. A likeness is no evidence of identity.

The points are a judgement, not a measurement: high enough that one part alone never proposes anybody, and shown with the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from streams.documents import TravelDocument

ENOUGH = 0.75
"""Score from which two documents are proposed to an officer."""

NAMES, BORN, PERSONAL, SEX, STATE = 0.50, 0.25, 0.55, 0.05, 0.10
SEX_DIFFERS = -0.35
ALIKE_FROM = 0.60
"""Likeness of names from which it counts: two names of a region share that much by chance."""

SPELLINGS = (
    ("SHCH", "S"), ("DZH", "J"), ("KH", "H"), ("ZH", "J"), ("DJ", "J"), ("CH", "C"), ("SH", "S"), ("GH", "G"), ("PH", "F"),
    ("TS", "C"), ("YU", "U"), ("IU", "U"), ("JU", "U"), ("YA", "A"), ("IA", "A"), ("JA", "A"), ("YO", "O"), ("IO", "O"),
    ("YE", "E"), ("IE", "E"), ("OO", "U"), ("OU", "U"), ("AE", "A"), ("OE", "O"), ("UE", "U"), ("Q", "K"), ("X", "H"),
    ("W", "V"), ("Y", "I"),
)  # fmt: skip
"""Spellings of one sound in passports of the region (ICAO 9303, older Soviet-French and national Latin forms), longest first."""

Shared = Literal["same", "different", "unknown"]
State = Literal["same_issuer", "same_citizenship", "different"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What speaks for one person.

    Attributes:
        score: from 0 to 1; the parts' points together.
        names: likeness of the names, from 0 to 1, whatever their spelling and order.
        birth_date: same, or unknown; documents with different ones are not compared.
        personal_number: same number of the same issuer, or unknown; different ones exclude each other.
        sex: same, different (a register's slip, or somebody else) or unknown.
        state: the same issuing state, the same citizenship, or neither (two citizenships).
    """

    score: float
    names: float
    birth_date: Shared
    personal_number: Shared
    sex: Shared
    state: State


def likeness(one: TravelDocument, other: TravelDocument) -> Likeness | None:
    """Returns how alike two documents are; none where they are one document, or cannot be one person's."""
    if (one.issuing_country, one.number) == (other.issuing_country, other.number):
        return None
    born = _shared(one.born_on if len(one.born_on) == 10 else "", other.born_on if len(other.born_on) == 10 else "")
    same_issuer = one.issuing_country == other.issuing_country
    personal = _shared(one.personal_number, other.personal_number) if same_issuer else "unknown"
    if personal == "different" or (born == "different" and personal != "same"):
        return None
    names = names_alike(one, other)
    sex = _shared(_stated(one.sex), _stated(other.sex))
    state: State = "different"
    if same_issuer:
        state = "same_issuer"
    elif one.citizenship and one.citizenship == other.citizenship:
        state = "same_citizenship"
    score = NAMES * max(0.0, (names - ALIKE_FROM) / (1 - ALIKE_FROM))
    score += BORN * (born == "same") + PERSONAL * (personal == "same") + STATE * (state != "different")
    score += SEX * (sex == "same") + SEX_DIFFERS * (sex == "different")
    return Likeness(round(min(1.0, max(0.0, score)), 3), round(names, 3), born, personal, sex, state)


def names_alike(one: TravelDocument, other: TravelDocument) -> float:
    """Returns the likeness of two holders' names, from 0 to 1: part by part, or all parts in any order."""
    if not one.surname or not other.surname:
        return 0.0
    surnames = JaroWinkler.similarity(sounded(one.surname), sounded(other.surname))
    mine, theirs = sounded(one.given_names), sounded(other.given_names)
    # One document may have a patronymic or a second name that the other lacks.
    given = max(JaroWinkler.similarity(mine, theirs), 0.95 * fuzz.token_set_ratio(mine, theirs) / 100) if mine and theirs else 0.5
    whole = fuzz.token_sort_ratio(f"{sounded(one.surname)} {mine}", f"{sounded(other.surname)} {theirs}") / 100
    return float(max((surnames + given) / 2, whole))


def sounded(name: str) -> str:
    """Returns a name with spellings of one sound made one, and double letters single; to compare, never to show."""
    found = reduce(lambda text, pair: text.replace(*pair), SPELLINGS, name)
    return "".join(letter for place, letter in enumerate(found) if place == 0 or letter != found[place - 1])


def _stated(sex: str) -> str:
    return sex if sex in ("F", "M") else ""


def _shared(one: str, other: str) -> Shared:
    if not one or not other:
        return "unknown"
    return "same" if one == other else "different"
