"""Residents who move: inside the country, out of it, into it, abroad for work; and the ethnic returnees."""

from __future__ import annotations

from streams.records import Citizenship, Kandas, LabourContract, ResidenceChange, ResidencePermit
from streams.simulate.draws import digest_of
from streams.simulate.life import Life
from streams.simulate.stories.work import office

_POPULATION = "register:population"


def change_residence(life: Life, on: int, origin: tuple[str, str | None], target: tuple[str, str | None]) -> None:
    """The population register notes a move, on a local day; origin and target are a country and, in Kazakhstan, an oblast."""
    at_ms = life.world.places.office_time(on, origin[1] or target[1] or "", life.draws)
    life.event(ResidenceChange, at_ms, _POPULATION, origin[0], target[0], origin[1], target[1], on)


def settle(life: Life, on: int) -> None:
    """A foreigner who comes to live: a permanent residence permit, a change of residence."""
    life.enter(on, "family")
    issued_on = on + life.draws.between(5, 12)
    life.notify(None)
    # On the day the term ends, a permanent permit may already stand in for the notice.
    life.truth.notified, life.truth.expected = None, []
    permit_id = life.draws.uuid()
    life.event(
        ResidencePermit,
        office(life, issued_on),
        "register:residence",
        "issued",
        permit_id,
        "permanent",
        "family",
        life.oblast,
        issued_on,
        None,
    )
    change_residence(life, issued_on + 2, (life.citizenship, None), ("KAZ", life.oblast))
    life.truth.overstayed = False


def move_inside(life: Life, on: int) -> None:
    """A resident who moves to another oblast."""
    oblasts = life.world.places.oblasts
    to_oblast = life.draws.of(oblasts)
    if to_oblast == life.oblast:
        to_oblast = next(oblast for oblast in oblasts.things if oblast != life.oblast)
    change_residence(life, on, ("KAZ", life.oblast), ("KAZ", to_oblast))


def emigrate(life: Life, on: int) -> None:
    """A resident who leaves to live abroad."""
    change_residence(life, on, ("KAZ", life.oblast), (life.draws.of(life.world.country.external_countries), None))


def work_abroad(life: Life, on: int) -> None:
    """A citizen whose contract with an employer abroad is registered."""
    draws = life.draws
    from_on = on + draws.between(10, 40)
    life.event(
        LabourContract,
        life.world.places.office_time(on, life.oblast, draws),
        "register:contracts",
        "outbound",
        draws.uuid(),
        f"e1-{digest_of('abroad', draws.between(1, 50)).hex()}",
        draws.pick(("KOR", "RUS", "POL", "DEU")),
        life.oblast,
        draws.of(life.world.country.sectors),
        from_on,
        from_on + draws.pick((180, 365, 730)),
    )


def kandas(life: Life, on: int) -> None:
    """A family of ethnic returnees: applied, granted, arrived, adaptation, citizenship."""
    draws, world = life.draws, life.world
    family_id = draws.uuid()
    size = draws.pick((1, 2, 3, 3, 4, 4, 5, 6, 8))
    country = draws.of(world.country.kandas_countries)
    in_quota = draws.chance(0.7)

    def step(kind: str, on: int) -> None:
        at_ms = world.places.office_time(on, life.oblast, draws)
        life.event(Kandas, at_ms, "register:kandas", kind, family_id, size, country, life.oblast, in_quota)

    step("applied", on)
    decided_on = on + draws.between(7, 30)
    if draws.chance(0.1):
        step("refused", decided_on)
        return
    step("granted", decided_on)
    arrived_on = decided_on + draws.between(3, 20)
    step("arrived", arrived_on)
    change_residence(life, arrived_on + 1, (country, None), ("KAZ", life.oblast))
    if draws.chance(0.5):
        step("centre_admitted", arrived_on + 3)
        step("centre_completed", arrived_on + 93)
    acquired_on = arrived_on + draws.between(40, 120)
    at_ms = world.places.office_time(acquired_on, life.oblast, draws)
    life.event(Citizenship, at_ms, _POPULATION, "acquired", "KAZ", acquired_on)
