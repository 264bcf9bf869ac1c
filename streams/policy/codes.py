"""The registers of codes an event may carry: countries, oblasts, border posts, sectors, visa categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PostKind = Literal["road", "rail", "air", "sea"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the three languages of the project."""

    kk: str
    ru: str
    en: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country, or one of the codes ICAO 9303 adds for people without one.

    Attributes:
        code: ISO 3166-1 alpha-3, or an ICAO 9303 special code such as ``XXA``.
        name: English name; Kazakh and Russian ones come from CLDR where they are shown.
        special: an ICAO code that is no country (stateless, refugee, United Nations, …).
    """

    code: str
    name: str
    special: bool


@dataclass(frozen=True, slots=True)
class Oblast:
    """An oblast or a city of republican significance, ISO 3166-2:KZ.

    Attributes:
        code: e.g. ``KZ-75``.
        name: its name today.
        zone: tz database name.
        valid_from_on: first day it existed in its present boundaries' outline.
        parent: the oblast it was part of before ``valid_from_on``; empty if it always was one.
    """

    code: str
    name: Text
    zone: str
    valid_from_on: int
    parent: str


@dataclass(frozen=True, slots=True)
class Post:
    """A point where the state border is crossed (a list of our own: see docs/policy.md).

    Attributes:
        code: our code: oblast, letter of the kind (A air, R road, T train, S sea), number; e.g. ``KZ-75-A1``.
        name: its name.
        oblast: the oblast it lies in today.
        kind: road, rail, air or sea.
        zone: tz database name.
        neighbour: alpha-3 of the country on the other side; empty for airports and sea ports.
    """

    code: str
    name: Text
    oblast: str
    kind: PostKind
    zone: str
    neighbour: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code with a name: a sector of the economy or a visa category."""

    code: str
    name: Text


@dataclass(frozen=True, slots=True)
class Codes:
    """Every code an event may carry; a code that is not here is refused at the door."""

    countries: Mapping[str, Country]
    oblasts: Mapping[str, Oblast]
    posts: Mapping[str, Post]
    sectors: Mapping[str, Code]
    visa_categories: Mapping[str, Code]

    def oblast_on(self, oblast: str, day: int) -> str:
        """Returns the code of the oblast that a place now in ``oblast`` belonged to on a day.

        Shymkent was part of South Kazakhstan (today Turkistan, KZ-61) until 2018; Abai, Jetisu and Ulytau were split off in 2022.

        Args:
            oblast: ISO 3166-2:KZ of today.
            day: days since 1970-01-01.

        Returns:
            ``oblast`` itself, or the oblast it was split from; a code that is not in the register is returned as it came.
        """
        known = self.oblasts.get(oblast)
        while known is not None and day < known.valid_from_on and known.parent:
            oblast = known.parent
            known = self.oblasts.get(oblast)
        return oblast
