"""The people of the Concept's figures: 2001 to 2006 told so that the scaled totals come out exactly.

**Source**: Concept of migration policy for 2007-2015, Decree No. 399 of 28 August 2007.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from streams.errors import UsageError
from streams.records import Kandas, ProtectionStatus, ResidenceChange
from streams.simulate.data import Country, load_country
from streams.simulate.draws import Draws, digest_of, shares
from streams.simulate.life import Life, World
from streams.simulate.truth import PersonTruth

FIRST_DAY = date(2001, 1, 1)
LAST_DAY = date(2006, 12, 31)
DAYS = (LAST_DAY - FIRST_DAY).days + 1

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def scaled(figures: Sequence[int], scale: float) -> list[int]:
    """Scales a column of a table so that its total is the scaled total, rounded: largest remainders first.

    Args:
        figures: persons; negative for a loss.
        scale: above 0, at most 1.
    """
    exact = [figure * scale for figure in figures]
    result = [int(value // 1) for value in exact]
    missing = round(sum(figures) * scale) - sum(result)
    by_remainder = sorted(range(len(exact)), key=lambda place: (result[place] - exact[place], place))
    for place in by_remainder[:missing]:
        result[place] += 1
    return result


class Concept:
    """The Concept's figures on a scale, spread over days.

    Args:
        scale: 1 is the whole country, 0.01 one in a hundred.

    Raises:
        UsageError: the scale is not above 0 and at most 1.
    """

    def __init__(self, scale: float) -> None:
        if not 0 < scale <= 1:
            raise UsageError(f"The scale is {scale}; expected a number above 0 and at most 1.")
        self.scale = scale
        figures = load_country().concept
        years = sorted(figures.external)
        self.arrivals = dict(zip(years, scaled([figures.external[year][0] for year in years], scale), strict=True))
        self.departures = dict(zip(years, scaled([figures.external[year][1] for year in years], scale), strict=True))
        rest = shares(sum(figures.internal.values()), [1] * len(figures.others))
        balances = dict(figures.internal) | {oblast: -share for oblast, share in zip(figures.others, rest, strict=True)}
        self.internal = dict(zip(balances, scaled(list(balances.values()), scale), strict=True))
        self.flows = tuple(_flows(self.internal))
        self.families = round(figures.kandas_families * scale)
        self.kandas = max(round(figures.kandas_persons * scale), self.families)
        self.refugees = round(figures.refugees * scale)
        self._days = self._spread()

    @property
    def events(self) -> int:
        """Events that come of it."""
        moves = sum(count for _, _, count in self.flows)
        return sum(self.arrivals.values()) + sum(self.departures.values()) + moves + self.families + self.refugees

    def _spread(self) -> dict[int, list[tuple[str, int, int]]]:
        """Returns by day what begins on it: what, the first number, and how many."""
        days: dict[int, list[tuple[str, int, int]]] = {}

        def put(what: str, first: date, last: date, count: int) -> None:
            span = range(first.toordinal() - _EPOCH_ORDINAL, last.toordinal() - _EPOCH_ORDINAL + 1)
            number = 0
            for on, on_day in zip(span, _evenly(count, len(span)), strict=True):
                if on_day:
                    days.setdefault(on, []).append((what, number, on_day))
                number += on_day

        for year in self.arrivals:
            first, last = date(year, 1, 1), date(year, 12, 31)
            put(f"arrival {year}", first, last, self.arrivals[year])
            put(f"departure {year}", first, last, self.departures[year])
        for place, (_, _, count) in enumerate(self.flows):
            put(f"move {place}", date(2006, 1, 1), LAST_DAY, count)
        put("family", FIRST_DAY, LAST_DAY, self.families)
        put("refugee", date(2006, 1, 1), LAST_DAY, self.refugees)
        return days

    def lives(self, world: World, on: int) -> Iterator[Life]:
        """Yields the people whose stories begin on a local day."""
        draws = Draws(world.seed)
        for what, first, count in self._days.get(on, ()):
            for number in range(first, first + count):
                draws.restart(world.seed, "concept", what, number)
                yield self._life(world, draws, on, what, number)

    def _life(self, world: World, draws: Draws, on: int, what: str, number: int) -> Life:
        story, _, which = what.partition(" ")
        country: Country = world.country
        subject = f"p1-{digest_of(world.seed, 'concept', what, number).hex()}"
        abroad = draws.of(country.external_countries if story != "family" else country.kandas_countries)
        oblast = draws.of(world.places.oblasts)
        citizenship = "KAZ" if story in ("departure", "move") else abroad
        truth = PersonTruth(subject, f"concept_{story}", citizenship)
        life = Life(world, draws, subject, citizenship, world.policy.group_of(citizenship, on), truth, oblast)
        if story == "move":
            from_oblast, to_oblast, _ = self.flows[int(which)]
            life.oblast = from_oblast
            at_ms = world.places.office_time(on, from_oblast, draws)
            life.event(ResidenceChange, at_ms, "register:population", "KAZ", "KAZ", from_oblast, to_oblast, on)
            return life
        at_ms = world.places.office_time(on, oblast, draws)
        if story == "arrival":
            life.event(ResidenceChange, at_ms, "register:population", abroad, "KAZ", None, oblast, on)
        elif story == "departure":
            life.event(ResidenceChange, at_ms, "register:population", "KAZ", abroad, oblast, None, on)
        elif story == "family":
            size = self.family_size(number)
            family_id = draws.uuid()
            life.event(Kandas, at_ms, "register:kandas", "arrived", family_id, size, abroad, oblast, draws.chance(0.7))
        else:
            life.event(ProtectionStatus, at_ms, "register:protection", "asylum_recognised", draws.uuid(), None)
        return life

    def family_size(self, number: int) -> int:
        """Returns the people of one family; over all families they add up to ``kandas``.

        Args:
            number: 0 to ``families`` - 1.
        """
        base, larger = divmod(self.kandas, self.families)
        size = base + (number < larger)
        pair, second = divmod(number, 2)
        if pair * 2 + 1 < self.families:
            # Families differ: what one of a pair has more, the other has less.
            more = min(pair % 4, base - 1)
            size += -more if second else more
        return size


def _evenly(total: int, days: int) -> list[int]:
    """Splits a number over days as evenly as whole numbers can."""
    return [(day + 1) * total // days - day * total // days for day in range(days)]


def _flows(balances: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """Yields moves from oblasts that lose to oblasts that gain, as many as the balances ask for."""
    gaining = {oblast: balance for oblast, balance in balances.items() if balance > 0}
    for source, balance in balances.items():
        leave = max(0, -balance)
        for target, wanted in gaining.items():
            count = min(leave, wanted)
            if count:
                leave -= count
                gaining[target] = wanted - count
                yield source, target, count
