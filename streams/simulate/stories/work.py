"""Workers: on household permits, on employers' permits, on contracts, and those nobody registered."""

from __future__ import annotations

from dataclasses import dataclass

from streams.records import LabourContract, ResidencePermit, WorkPermit
from streams.simulate.draft import HOUR_MS
from streams.simulate.employers import Employer
from streams.simulate.follow_up import decide, follow_up
from streams.simulate.life import Life
from streams.simulate.stories.visits import allowance_days, issue_visa
from streams.simulate.truth import Expected

_LONG_AGO_DAYS = 120


def office(life: Life, on: int, oblast: str = "") -> int:
    """Returns an instant in office hours of a local day, not before an hour after entry."""
    return max(life.world.places.office_time(on, oblast or life.oblast, life.draws), life.entry_at + HOUR_MS)


@dataclass(frozen=True, slots=True)
class Permit:
    """What a work permit says.

    Attributes:
        permit_id: 16 bytes.
        permit_type: as in the event.
        employer: whom it names; none if nobody.
        validity: first and last day.
    """

    permit_id: bytes
    permit_type: str
    employer: Employer | None
    validity: tuple[int, int]


def permit(life: Life, on: int, kind: str, granted: Permit) -> None:
    """Issues, extends or revokes a work permit on a local day."""
    employer = granted.employer
    # One permit keeps its category through all its events.
    category = "1233334"[granted.permit_id[0] % 7] if granted.permit_type == "employer" else None
    oblast = employer.oblast if employer else life.oblast
    sectors = life.world.country.household_sectors
    sector = employer.sector if employer else sectors.at(granted.permit_id[1] / 256)
    subject = employer.subject if employer else None
    rest = (kind, granted.permit_id, granted.permit_type, category, subject, oblast, sector, *granted.validity)
    life.event(WorkPermit, office(life, on, oblast), "register:permits", *rest)


def contract(life: Life, on: int, kind: str, contract_id: bytes, employer: Employer, *, term: tuple[int, int | None]) -> None:
    """Concludes or ends a labour contract on a local day; its term is the first and the last day of work."""
    rest = (kind, contract_id, employer.subject, "KAZ", employer.oblast, employer.sector, *term)
    life.event(LabourContract, office(life, on, employer.oblast), "register:contracts", *rest)


def contract_work(life: Life, on: int) -> None:
    """A worker of the union, who needs a contract and no permit."""
    draws = life.draws
    employer = draws.pick(life.world.employers.lawful)
    life.enter(on, "work")
    life.oblast = employer.oblast
    begins_on = on + draws.between(1, 6)
    until_on = begins_on + draws.pick((60, 90, 120, 180, 300))
    ended_on = begins_on + draws.between(8, 40) if draws.chance(0.2) else None
    leaves_on = until_on - draws.between(0, 5) if ended_on is None else ended_on + 1
    life.notify(leaves_on, "employer", employer)
    contract_id = draws.uuid()
    contract(life, begins_on, "concluded", contract_id, employer, term=(begins_on, until_on))
    found = life.found_working(employer, begins_on + 1, (ended_on or leaves_on) - 1)
    if ended_on is not None:
        contract(life, ended_on, "ended", contract_id, employer, term=(begins_on, ended_on))
    life.leave(leaves_on)
    life.truth.unlawful_work = False if found else None


def household_work(life: Life, on: int) -> None:
    """A worker at a household, on a permit of one to three months, mostly extended; some stay on without."""
    draws, world = life.draws, life.world
    life.enter(on, "work")
    issued_on = on + draws.between(2, 12)
    until_on = issued_on + draws.pick((30, 60, 90)) - 1
    permit_id = draws.uuid()
    permit(life, issued_on, "issued", Permit(permit_id, "household", None, (issued_on, until_on)))
    while draws.chance(0.5) and until_on < on + 300:
        extended_on = until_on - draws.between(2, 7)
        from_on, until_on = until_on + 1, until_on + draws.pick((30, 60, 90))
        permit(life, extended_on, "extended", Permit(permit_id, "household", None, (from_on, until_on)))
    if draws.chance(0.78):
        leaves_on = until_on - draws.between(0, 3)
        life.leave(leaves_on)
        life.notify(leaves_on)
        life.truth.overstayed = False
        return
    end = follow_up(life, max(until_on, on + allowance_days(life, on) - 1))
    life.notify(end.left_on, met_on=end.cured_on)
    # Days under a permit do not count against the allowance, which may therefore still have days left after it.
    life.truth.overstayed = None
    if end.left_on is None and end.cured_on is None and world.end_on > until_on + _LONG_AGO_DAYS:
        life.truth.overstayed = True


def permit_work(life: Life, on: int) -> None:
    """A worker an employer called, on a visa and a permit; some work for another employer or in another oblast."""
    draws, world = life.draws, life.world
    employer = draws.pick(world.employers.lawful)
    enters_on = on + draws.between(3, 10)
    until_on = enters_on + draws.pick((90, 180, 330))
    permit_type = "intra_company" if draws.chance(0.1) else "employer"
    granted = Permit(draws.uuid(), permit_type, employer, (enters_on - 1, until_on))
    life.oblast = employer.oblast
    permit(life, on, "issued", granted)
    visa_id = issue_visa(life, on + 1, "C3", (enters_on - 1, until_on), days=until_on - enters_on + 2, entries=0)
    life.enter(enters_on, "work", visa_id)
    life.oblast = employer.oblast
    ratio = draws.ratio()
    revoked_on = enters_on + draws.between(20, 40) if ratio > 0.95 else None
    leaves_on = until_on - draws.between(1, 10) if revoked_on is None else revoked_on + draws.between(2, 10)
    life.notify(leaves_on, "employer", employer)
    if ratio < 0.12 and world.employers.unlawful:
        other = draws.pick(world.employers.unlawful)
        found = life.found_working(other, enters_on + 5, leaves_on - 1)
        life.truth.unlawful_work = True if found else None
        if found:
            life.truth.expected.append(
                Expected("work_other_employer", enters_on, found[0] - 1, not life.happened(leaves_on), other.subject)
            )
    else:
        contract(life, enters_on + 1, "concluded", draws.uuid(), employer, term=(enters_on + 1, until_on))
        found = life.found_working(employer, enters_on + 2, (revoked_on or leaves_on) - 1)
        # A contract that outlives a revoked permit is work on an expired one: nothing certain can be said then.
        life.truth.unlawful_work = False if found and revoked_on is None else None
        if ratio < 0.3:
            residence_id = draws.uuid()
            at_ms = office(life, enters_on + 6)
            life.event(
                ResidencePermit,
                at_ms,
                "register:residence",
                "issued",
                residence_id,
                "temporary",
                "work",
                life.oblast,
                enters_on + 6,
                until_on,
            )
        if revoked_on is not None:
            permit(life, revoked_on, "revoked", granted)
    life.leave(leaves_on)
    life.truth.overstayed = False


def unregistered_work(life: Life, on: int) -> None:
    """Someone who works for whoever asks no questions, without a permit or a contract."""
    draws, world = life.draws, life.world
    employer = draws.pick(world.employers.unlawful)
    days = allowance_days(life, on)
    enters_on = on
    visa_id = None
    if not days:
        days = 30
        enters_on = on + 2
        visa_id = issue_visa(life, on, "B10", (on + 1, on + 60), days=days)
    leaves_on = enters_on + min(days - 2, draws.between(14, 80))
    life.enter(enters_on, "private", visa_id)
    life.oblast = employer.oblast
    life.notify(leaves_on)
    found = life.found_working(employer, enters_on + 3, leaves_on - 1)
    life.leave(leaves_on)
    life.truth.overstayed = False
    if not found:
        return
    free = life.group in world.policy.at(enters_on).permit_free_groups
    life.truth.unlawful_work = not free
    if abs(leaves_on - world.end_on) > 1:
        rule = "contract_not_concluded" if free else "work_without_permit"
        life.truth.expected.append(Expected(rule, enters_on, found[0] - 1, not life.happened(leaves_on), employer.subject))
    if draws.chance(0.3) and found[0] + 3 < leaves_on:
        decide(life, "contacted", found[0] + 2, draws.between(1, 30))


def study(life: Life, on: int) -> None:
    """A student with a temporary residence permit, hosted by a university."""
    draws = life.draws
    enters_on = on
    if not allowance_days(life, on):
        enters_on = on + 5
        issue_visa(life, on, "C9", (enters_on, enters_on + 60), days=61)
    life.enter(enters_on, "study")
    life.notify(None, "university")
    issued_on = enters_on + draws.between(3, 9)
    at_ms = office(life, issued_on)
    until_on = issued_on + draws.between(250, 300)
    life.event(
        ResidencePermit,
        at_ms,
        "register:residence",
        "issued",
        draws.uuid(),
        "temporary",
        "study",
        life.oblast,
        issued_on,
        until_on,
    )
    life.truth.overstayed = False
