"""People who need protection: asylum and its appeals, victims of trafficking."""

from __future__ import annotations

from streams.records import Inspection, ProtectionStatus
from streams.simulate.draft import HOUR_MS
from streams.simulate.draws import digest_of, number_of, uuid_of
from streams.simulate.life import Life
from streams.simulate.stories.visits import allowance_days, issue_visa
from streams.simulate.stories.work import Permit, office, permit

_SOURCE = "register:protection"
_EXPIRES_AFTER_DAYS = 18
_CYCLE_DAYS = 60


def step(life: Life, on: int, kind: str, protection_id: bytes, until_on: int | None = None) -> None:
    """One step of a protection procedure, on a local day."""
    life.event(ProtectionStatus, office(life, on), _SOURCE, kind, protection_id, until_on)


def asylum(life: Life, on: int) -> None:
    """Someone who asks for asylum soon after arriving: recognised, refused, refused and appealed, or still waiting."""
    draws = life.draws
    enters_on = on
    if not allowance_days(life, on):
        enters_on = on + 3
        issue_visa(life, on, "B10", (on + 1, on + 40), days=20)
    life.enter(enters_on, "private")
    applied_on = enters_on + draws.between(1, 6)
    procedure = draws.uuid()
    step(life, applied_on, "asylum_applied", procedure)
    decided_on = applied_on + draws.between(15, 60)
    ratio = draws.ratio()
    if ratio < 0.3:
        step(life, decided_on, "asylum_recognised", procedure, decided_on + 364)
        life.truth.overstayed = False
    elif ratio < 0.85:
        step(life, decided_on, "asylum_refused", procedure)
        if draws.chance(0.6):
            appealed_on = decided_on + draws.between(2, 6)
            step(life, appealed_on, "appeal_filed", procedure)
            heard_on = appealed_on + draws.between(15, 40)
            if draws.chance(0.35):
                step(life, heard_on, "appeal_upheld", procedure, heard_on + 364)
            else:
                step(life, heard_on, "appeal_dismissed", procedure)
                if draws.chance(0.5):
                    life.leave(heard_on + draws.between(5, 25))
        elif draws.chance(0.5):
            life.leave(decided_on + draws.between(3, 14))
    else:
        life.truth.overstayed = False


def trafficking(life: Life, on: int) -> None:
    """One of several people kept at one place: one employer, one address, no contracts, permits that ran out together."""
    world, draws = life.world, life.draws
    exploiting = world.employers.exploiting
    employer = exploiting[number_of(life.subject, "employer") % len(exploiting)]
    cycle = (on - world.start_on) // _CYCLE_DAYS
    expires_on = world.start_on + cycle * _CYCLE_DAYS + _EXPIRES_AFTER_DAYS
    if on + 4 > expires_on:
        cycle, expires_on = cycle + 1, expires_on + _CYCLE_DAYS
    freed_on = expires_on + 6
    visa_id = None
    enters_on = on
    if not allowance_days(life, on):
        enters_on = on + 2
        visa_id = issue_visa(life, on, "C3", (on + 1, freed_on + 60), days=180)
    life.enter(enters_on, "work", visa_id)
    life.oblast = employer.oblast
    issued_on = enters_on + 1
    granted = Permit(draws.uuid(), "employer", employer, (issued_on, expires_on - draws.between(0, 2)))
    permit(life, issued_on, "issued", granted)
    at_ms = world.places.instant(freed_on, employer.oblast, 11) + number_of(world.seed, employer.subject, cycle) % HOUR_MS
    life.event(
        Inspection,
        max(at_ms, life.entry_at + HOUR_MS),
        "register:inspections",
        "worker_found",
        uuid_of(world.seed, "freed", employer.subject, cycle),
        employer.oblast,
        employer.subject,
        employer.sector,
        digest_of(world.seed, "kept", employer.subject),
    )
    if life.happened(freed_on):
        life.truth.unlawful_work = None
    if draws.chance(0.6):
        step(life, freed_on + draws.between(3, 8), "trafficking_victim", draws.uuid(), freed_on + 180)
