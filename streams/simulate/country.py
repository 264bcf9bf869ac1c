"""A synthetic country: people, posts and registers, as the records they leave in the log, in the order they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from streams.errors import UsageError
from streams.policy.load import load
from streams.policy.model import Policy
from streams.simulate.concept import Concept
from streams.simulate.data import Regime, load_country
from streams.simulate.draft import DAY_MS, Arrival, Message
from streams.simulate.draws import Draws, digest_of, shares
from streams.simulate.employers import Employers
from streams.simulate.life import Life, World
from streams.simulate.places import Places
from streams.simulate.posts import Status
from streams.simulate.rates import Rates
from streams.simulate.run import Run, TellTruth
from streams.simulate.stories import STORIES
from streams.simulate.truth import PersonTruth, Totals

_EPOCH = date(1970, 1, 1)
_STOCK_DAYS = 100
_SAMPLE = 400


@dataclass(frozen=True, slots=True)
class Plan:
    """What a simulation will send, before it runs.

    Attributes:
        events: messages, estimated from a sample of the people to a few percent; a tick counts once.
        ticks: ticks, exactly.
        heartbeats: heartbeats, but for those that outages swallow.
        first_ms: simulated instant of the start, UTC epoch ms.
        last_ms: simulated instant of the last tick.
    """

    events: int
    ticks: int
    heartbeats: int
    first_ms: int
    last_ms: int


class Simulation:
    """A country of so many people over so many days; the same arguments give the same bytes, on any machine.

    Memory grows with the people who are inside at once, not with the days.

    Args:
        people: people whose stories are told, residents who move among them; 0 or more.
        days: simulated days, 1 or more.
        seed: any integer.
        start: first simulated day (UTC).
        rates: how often what happens; the defaults if none.
        policy: registers and limits; the shipped ``kz`` if none.
        concept: add the people of the Concept's figures, on this scale; the period must cover 2001 to 2006 then.

    Raises:
        UsageError: a number is out of bounds.
    """

    def __init__(
        self,
        people: int,
        days: int,
        seed: int,
        *,
        start: date = date(2025, 1, 1),
        rates: Rates | None = None,
        policy: Policy | None = None,
        concept: Concept | None = None,
    ) -> None:
        if people < 0 or days < 1:
            raise UsageError(f"A simulation of {people} people over {days} days is none.", "Ask for at least one day.")
        self.people = people
        self.days = days
        self.seed = seed
        self.start = start
        self.totals = Totals()
        self.run: Run | None = None
        rates = rates or Rates()
        policy = policy or load("kz")
        country = load_country()
        places = Places(country, policy)
        start_on = (start - _EPOCH).days
        end_ms = (start_on + days) * DAY_MS
        self.world = World(
            seed=seed,
            rates=rates,
            country=country,
            policy=policy,
            places=places,
            employers=Employers(seed, people, country, places, rates.inspected),
            start_on=start_on,
            start_ms=start_on * DAY_MS,
            end_ms=end_ms,
            end_on=places.day_of(end_ms, places.capital),
            quota_ratio=people / country.residents,
        )
        self._concept = concept
        posts = tuple(places.posts)
        self._status = Status(
            seed, posts, self.world.start_ms, end_ms, outage=rates.outage, heartbeat_hours=rates.heartbeat_hours
        )
        self._draws = Draws(seed)

    def plan(self) -> Plan:
        """Returns what will be sent, for a progress bar; costs a few hundredths of a second."""
        every = max(1, self.people // _SAMPLE)
        number = told = sampled = 0
        for on, count in self._starts():
            for _ in range(count):
                if number % every == 0:
                    told += len(self._tell(number, on).drafts)
                    sampled += 1
                number += 1
        per_person = told / sampled if sampled else 0.0
        rates = self.world.rates
        ticks = self.days * 24 // rates.tick_hours
        heartbeats = len(self.world.places.posts) * self.days * 24 // rates.heartbeat_hours
        periods = (self.days - 1) // 90 + 1
        extra = 1 + rates.duplicate + rates.corrupt + rates.corrected
        events = int(self.people * per_person * extra) + len(self.world.employers.all) * periods
        if self._concept is not None:
            events += self._concept.events
        return Plan(events + ticks + heartbeats, ticks, heartbeats, self.world.start_ms, self.world.end_ms)

    def events(self, truth: TellTruth | None = None) -> Iterator[Message]:
        """Yields the messages in the order they reach the log; see :meth:`arrivals`."""
        for arrival in self.arrivals(truth):
            yield arrival.message

    def arrivals(self, truth: TellTruth | None = None) -> Iterator[Arrival]:
        """Yields the messages in the order they reach the log, with the simulated time.

        A tick is yielded once; whoever publishes it copies it to every partition of the person log.

        Args:
            truth: takes the truth, person by person as their stories are told, and the totals when all was sent.
        """
        self.totals = Totals()
        self.run = Run(self.world, self._status, self.totals, truth)
        yield from self.run.arrivals(self._births(), self._concept)
        if truth is not None:
            truth(self.totals.line())

    def _starts(self) -> list[tuple[int, int]]:
        """Returns the local days on which people's stories begin, and how many; first those who are inside at the start."""
        world = self.world
        country = world.country
        stock = int(self.people * world.rates.stock)
        ahead = [(world.start_on - _STOCK_DAYS + place, 1) for place in range(_STOCK_DAYS)]
        result = [(day, count) for (day, _), count in zip(ahead, shares(stock, [1] * _STOCK_DAYS), strict=True)]
        weights = []
        for day in range(world.start_on, world.start_on + self.days):
            on = date.fromordinal(_EPOCH.toordinal() + day)
            weights.append(country.months[on.month - 1] * country.weekdays[on.weekday()])
        counts = shares(self.people - stock, weights)
        result.extend(zip(range(world.start_on, world.start_on + self.days), counts, strict=True))
        return result

    def _births(self) -> Iterator[tuple[int, Iterator[Life]]]:
        """Yields day by day the people whose stories begin."""
        number = 0
        for on, count in self._starts():
            yield on, (self._tell(one, on) for one in range(number, number + count))
            number += count

    def _tell(self, number: int, on: int) -> Life:
        """Tells the story of one person."""
        world, draws = self.world, self._draws
        draws.restart(self.seed, "person", number)
        country = world.country
        subject = f"p1-{digest_of(self.seed, 'subject', number).hex()}"
        if draws.chance(world.rates.citizens):
            citizenship = "KAZ"
            regime: Regime = "citizen"
        else:
            citizenship = draws.of(country.arrivals)
            regime = country.citizenships[citizenship]
        story = draws.of(country.stories[regime])
        life = Life(
            world=world,
            draws=draws,
            subject=subject,
            citizenship=citizenship,
            group=world.policy.group_of(citizenship, on),
            truth=PersonTruth(subject, story, citizenship),
            oblast=draws.of(world.places.oblasts),
        )
        STORIES[story](life, on)
        if regime != "citizen" and draws.chance(world.rates.minor):
            life.minor()
        return life
