"""Employers, what they declare, and when inspectors come to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streams.records import EmployerDeclaration
from streams.simulate.data import Country
from streams.simulate.draft import Draft
from streams.simulate.draws import Draws, digest_of, number_of, uuid_of
from streams.simulate.places import Places

VISIT_PERIOD_DAYS = 30
DECLARATION_PERIOD_DAYS = 90


@dataclass(frozen=True, slots=True)
class Employer:
    """One employer.

    Attributes:
        subject: pseudonym.
        oblast: where it is.
        sector: section letter.
        size: size class.
        address_key: where its workers lodge, 16 bytes.
        lawful: whether it employs only those who may work for it.
    """

    subject: str
    oblast: str
    sector: str
    size: Literal["small", "medium", "large"]
    address_key: bytes
    lawful: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of inspectors.

    Attributes:
        inspection_id: 16 bytes.
        on: local day.
        at_ms: UTC epoch ms.
    """

    inspection_id: bytes
    on: int
    at_ms: int


class Employers:
    """Every employer of one simulation; about one for 60 people.

    Args:
        seed: of the simulation.
        people: of the simulation.
        country: tables.
        places: oblasts and their time.
        inspected: visits to an employer in 30 days, 0 to 1.
    """

    def __init__(self, seed: int, people: int, country: Country, places: Places, inspected: float) -> None:
        self._seed = seed
        self._places = places
        self._inspected = inspected
        draws = Draws(seed, "employers")
        self.all = tuple(self._draw(number, draws, country) for number in range(max(6, people // 60)))
        self.lawful = tuple(employer for employer in self.all if employer.lawful)
        self.unlawful = tuple(employer for employer in self.all if not employer.lawful)
        self.greedy = frozenset(employer.subject for number, employer in enumerate(self.all) if number % 8 == 5)
        """Those who declare fewer citizens than the law asks for, one in eight."""
        self.exploiting = self.unlawful[: max(1, people // 8000)]
        """Those who keep people in a way that inspectors must read as trafficking."""

    def _draw(self, number: int, draws: Draws, country: Country) -> Employer:
        name = digest_of(self._seed, "employer", number)
        ratio = draws.ratio()
        return Employer(
            subject=f"e1-{name.hex()}",
            oblast=draws.of(self._places.oblasts),
            sector=draws.of(country.sectors),
            size="small" if ratio < 0.6 else "medium" if ratio < 0.9 else "large",
            address_key=digest_of(self._seed, "lodging", number),
            lawful=number % 4 != 3,
        )

    def visits(self, employer: Employer, first_on: int, last_on: int) -> Iterator[Visit]:
        """Yields the inspectors' visits to an employer between two days, both included.

        They depend on nothing but the employer and the period, so that everybody who works there is found by the same visit.
        """
        for period in range(first_on // VISIT_PERIOD_DAYS, last_on // VISIT_PERIOD_DAYS + 1):
            chance = number_of(self._seed, "visit", employer.subject, period)
            on = period * VISIT_PERIOD_DAYS + chance % VISIT_PERIOD_DAYS
            if first_on <= on <= last_on and (chance >> 64) % 10_000 < self._inspected * 10_000:
                at_ms = self._places.instant(on, employer.oblast, 10) + (chance >> 32) % (6 * 3_600_000)
                yield Visit(uuid_of(self._seed, "inspection", employer.subject, period), on, at_ms)

    def declarations(self, first_on: int, last_on: int) -> Iterator[Draft]:
        """Yields every employer's headcounts: at the start and every 90 days, day by day."""
        for on in range(first_on, last_on + 1, DECLARATION_PERIOD_DAYS):
            for number, employer in enumerate(self.all):
                draws = Draws(self._seed, "declaration", number, on)
                staff = {"small": 20, "medium": 120, "large": 600}[employer.size]
                citizens_12 = draws.between(staff // 10, staff // 4)
                citizens_34 = draws.between(staff // 2, staff)
                greedy = employer.subject in self.greedy
                foreigners_12 = citizens_12 * (draws.between(60, 90) if greedy else draws.between(0, 25)) // 100
                foreigners_34 = citizens_34 * (draws.between(15, 40) if greedy else draws.between(0, 8)) // 100
                at_ms = self._places.office_time(on, employer.oblast, draws)
                yield Draft(
                    EmployerDeclaration,
                    draws.uuid(),
                    employer.subject,
                    at_ms,
                    at_ms + 60_000,
                    "register:declarations",
                    (
                        on,
                        employer.oblast,
                        employer.sector,
                        employer.size,
                        citizens_12,
                        citizens_34,
                        foreigners_12,
                        foreigners_34,
                    ),
                )
