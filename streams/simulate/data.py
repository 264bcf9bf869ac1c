"""The tables of the synthetic country (``kz.yaml``), typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from streams.simulate.draws import Weighted

Regime = Literal["eaeu", "visa_free", "short", "visa", "citizen"]


@dataclass(frozen=True, slots=True)
class Concept:
    """The Concept's figures, in persons.

    Attributes:
        external: year → arrivals and departures.
        internal: oblast → balance of internal migration in 2006.
        others: the other oblasts of 2006.
        kandas_persons: ethnic returnees by 1 July 2007.
        kandas_families: their families.
        refugees: refugees in 2006.
        foreign_workers: foreign workers in the quota of 2006.
    """

    external: Mapping[int, tuple[int, int]]
    internal: Mapping[str, int]
    others: tuple[str, ...]
    kandas_persons: int
    kandas_families: int
    refugees: int
    foreign_workers: int


@dataclass(frozen=True, slots=True)
class Country:
    """The tables of the synthetic country.

    Attributes:
        citizenships: citizenship → how such travellers behave.
        arrivals: citizenships by how often they come.
        stories: regime → what becomes of them, by how often.
        months: weight of each month.
        weekdays: weight of each weekday, Monday first.
        hours: kind of post → weight of each hour.
        oblasts: weight of each oblast.
        sectors: where foreigners work.
        household_sectors: where those work whom natural persons employ.
        residents: foreigners living in the country, to whom quotas are scaled.
        kandas_countries: where ethnic returnees come from.
        external_countries: where those go who leave, and come from who come to live.
        concept: the figures to reproduce.
    """

    citizenships: Mapping[str, Regime]
    arrivals: Weighted[str]
    stories: Mapping[Regime, Weighted[str]]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    hours: Mapping[str, tuple[int, ...]]
    oblasts: Mapping[str, int]
    sectors: Weighted[str]
    household_sectors: Weighted[str]
    residents: int
    kandas_countries: Weighted[str]
    external_countries: Weighted[str]
    concept: Concept


@cache
def load_country() -> Country:
    """Reads the tables; once."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("kz.yaml").read_text("utf-8"))
    figures = raw["concept"]
    return Country(
        citizenships={code: line["regime"] for code, line in raw["citizenships"].items()},
        arrivals=Weighted({code: line["weight"] for code, line in raw["citizenships"].items()}),
        stories={regime: Weighted(weights) for regime, weights in raw["stories"].items()},
        months=tuple(raw["months"]),
        weekdays=tuple(raw["weekdays"]),
        hours={kind: tuple(weights) for kind, weights in raw["hours"].items()},
        oblasts=raw["oblasts"],
        sectors=Weighted(raw["sectors"]),
        household_sectors=Weighted(raw["household_sectors"]),
        residents=raw["residents"],
        kandas_countries=Weighted(raw["kandas_countries"]),
        external_countries=Weighted(raw["external_countries"]),
        concept=Concept(
            external={year: (line["arrivals"], line["departures"]) for year, line in figures["external"].items()},
            internal=figures["internal_2006"],
            others=tuple(figures["internal_2006_others"]),
            kandas_persons=figures["kandas"]["persons"],
            kandas_families=figures["kandas"]["families"],
            refugees=figures["refugees_2006"],
            foreign_workers=figures["foreign_workers_2006"],
        ),
    )
