"""Visitors: who leave in time, who do not, and who are missing a record."""

from __future__ import annotations

from streams.records import EntryBan, IdentityLink, Visa
from streams.simulate.draft import HOUR_MS
from streams.simulate.draws import digest_of
from streams.simulate.follow_up import follow_up
from streams.simulate.life import Life
from streams.simulate.truth import Expected

_PURPOSES = ("private", "private", "tourism", "business", "treatment", "transit")
_NO_LIMIT = 10_000


def allowance_days(life: Life, on: int) -> int:
    """Returns how many days of one stay, without any earlier one, the policy allows; 0 if it allows none."""
    allowance = life.world.policy.at(on).allowance(life.group)
    if allowance is None:
        return 0
    per_entry = _NO_LIMIT if allowance.days_per_entry is None else allowance.days_per_entry
    in_window = _NO_LIMIT if allowance.days_in_window is None else allowance.days_in_window
    return min(per_entry, in_window)


def short_length(life: Life, most: int) -> int:
    """Returns the nights of a visit: mostly a few, at most ``most``."""
    draws = life.draws
    return min(most, draws.between(0, 3) if draws.chance(0.35) else draws.between(3, 12) if draws.chance(0.7) else most)


def visit(life: Life, on: int) -> None:
    """A visitor who leaves in time; many come again. Three visits stay below every window of days."""
    limit = allowance_days(life, on) or 10
    purpose = life.draws.pick(_PURPOSES)
    for _ in range(1 + life.draws.chance(0.65) + life.draws.chance(0.45)):
        leaves_on = on + short_length(life, min(limit - 3, 26))
        life.enter(on, purpose)
        life.notify(leaves_on, "hotel" if life.draws.chance(0.5) else "natural_person")
        if life.draws.chance(life.world.rates.checked / 4) and leaves_on > on + 1:
            life.checked(on + 1)
        life.leave(leaves_on)
        on = leaves_on + life.draws.between(4, 18)
    life.truth.overstayed = False


def shuttle(life: Life, on: int) -> None:
    """A trader or a commuter who comes and goes, a day or a few at a time."""
    for _ in range(life.draws.between(3, 7)):
        stays = life.draws.between(0, 3)
        life.enter(on, "business")
        if life.draws.chance(0.3):
            life.notify(on + stays)
        life.leave(on + stays)
        on += stays + life.draws.between(2, 9)
    life.truth.overstayed = False
    life.truth.notified = None


def overstay(life: Life, on: int) -> None:
    """A visitor without a visa who stays beyond the allowance; officers may follow it up."""
    limit = allowance_days(life, on)
    if not limit:
        visa_overstay(life, on)
        return
    deadline_on = on + limit - 1
    life.enter(on, life.draws.pick(("private", "private", "tourism")))
    end = follow_up(life, deadline_on)
    life.notify(end.left_on, met_on=end.cured_on)
    life.expect_overstay("overstay_visa_exempt", deadline_on, end.left_on, end.cured_on)


def issue_visa(life: Life, on: int, category: str, validity: tuple[int, int], *, days: int, entries: int = 1) -> bytes:
    """The register issues a visa on a local day, valid from one to another; returns its id."""
    visa_id = life.draws.uuid()
    at_ms = life.world.places.office_time(on, life.world.places.capital, life.draws)
    life.event(Visa, at_ms, "register:visas", "issued", visa_id, category, *validity, days, entries)
    return visa_id


def visa_visit(life: Life, on: int) -> None:
    """A visitor with a visa who leaves in time; some have it extended first."""
    enters_on = on + life.draws.between(2, 12)
    days = life.draws.pick((15, 30, 30))
    visa_id = issue_visa(life, on, "B10", (on + 1, on + 89), days=days)
    leaves_on = enters_on + life.draws.between(2, days - 3)
    life.enter(enters_on, "tourism", visa_id)
    life.notify(leaves_on, "hotel")
    if life.draws.chance(0.06):
        at_ms = life.world.places.office_time(leaves_on - 1, life.oblast, life.draws)
        at_ms = max(at_ms, life.entry_at + HOUR_MS)
        life.event(Visa, at_ms, "register:visas", "extended", visa_id, "B10", on + 1, on + 120, days + 30, 1)
        leaves_on += 15
    life.leave(leaves_on)
    life.truth.overstayed = False


def visa_overstay(life: Life, on: int) -> None:
    """A visitor who stays beyond the days of the visa."""
    enters_on = on + life.draws.between(1, 4)
    days = life.draws.pick((10, 15, 30))
    visa_id = issue_visa(life, on, "B10", (on + 1, on + 60), days=days)
    deadline_on = enters_on + days - 1
    life.enter(enters_on, "tourism", visa_id)
    end = follow_up(life, deadline_on)
    life.notify(end.left_on, "hotel", met_on=end.cured_on)
    if not allowance_days(life, enters_on):
        life.expect_overstay("overstay_visa", deadline_on, end.left_on, end.cured_on)


def no_visa(life: Life, on: int) -> None:
    """Someone who needs a visa and whose visa our data do not have: no overstay, a fault in the data."""
    life.enter(on, "private")
    leaves_on = on + life.draws.between(3, 20)
    life.notify(leaves_on)
    life.leave(leaves_on)


def entry_only(life: Life, on: int) -> None:
    """Someone whose exit no post recorded, who comes again later."""
    life.enter(on, "private")
    again_on = on + life.draws.between(9, 25)
    life.enter(again_on, "private")
    life.leave(again_on + life.draws.between(1, 6))


def exit_only(life: Life, on: int) -> None:
    """Someone whose entry no post recorded."""
    life.entry_at = 0
    life.leave(on)


def banned(life: Life, on: int) -> None:
    """Someone expelled, who comes back too soon: mostly refused at the post, sometimes let in."""
    world, draws = life.world, life.draws
    years = world.policy.at(on).expulsion_ban_years or 5
    at_ms = world.places.office_time(on, world.places.capital, draws)
    life.event(EntryBan, at_ms, "register:bans", "imposed", draws.uuid(), "expulsion", on, on + years * 365)
    back_on = on + draws.between(3, 20)
    if draws.chance(0.7):
        life.refused(back_on, "entry_ban")
        return
    life.enter(back_on, "private")
    leaves_on = back_on + draws.between(4, 9)
    life.leave(leaves_on)
    if back_on + 1 < world.end_on and abs(leaves_on - world.end_on) > 1:
        life.truth.expected.append(Expected("entry_during_ban", back_on, back_on - 1, open=not life.happened(leaves_on)))


def link(life: Life, on: int) -> None:
    """Someone who comes with a new document: two pseudonyms, linked by an officer, one unlinked again."""
    world, draws = life.world, life.draws
    leaves_on = on + draws.between(2, 8)
    life.enter(on, "private")
    life.notify(leaves_on)
    life.leave(leaves_on)
    other = f"p1-{digest_of(life.subject, 'new document').hex()}"
    link_id = draws.uuid()
    at_ms = world.places.office_time(leaves_on + 1, world.places.capital, draws)
    life.event(IdentityLink, at_ms, "register:identities", "linked", link_id, other, "new_document")
    if draws.chance(0.1):
        undone_ms = world.places.office_time(leaves_on + 6, world.places.capital, draws)
        life.event(IdentityLink, undone_ms, "register:identities", "unlinked", link_id, other, "officer_decision")
    life.truth.notified = None
