"""How a breach ends: by itself, by a title, by what officers decide, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from streams.records import CaseDecision, Dispute, EntryBan
from streams.simulate.draft import HOUR_MS
from streams.simulate.draws import Weighted, digest_of
from streams.simulate.life import Life

_WAYS = Weighted({"leaves": 45, "stays": 18, "contacted": 13, "legalised": 10, "ordered": 7, "referred": 5, "cleared": 2})

_REASONS = {
    "acknowledged": "Taken into work.",
    "contacted": "Reached through the host; told of the term and of the ways to put the stay in order.",
    "order_to_leave": "Told to leave within ten days.",
    "left_voluntarily": "The exit is in the border register.",
    "legalised": "The stay was extended on application.",
    "cleared": "The person was abroad; the border register is incomplete.",
    "referral_proposed": "Found at an in-country check after the term, no ground for an extension.",
    "referral_confirmed": "The file was checked by a second officer; no protection applies.",
    "removed": "Expelled by a court's decision.",
}


@dataclass(frozen=True, slots=True)
class End:
    """How the breach ended, in the simulated country.

    Attributes:
        left_on: the day of leaving; none while inside.
        cured_on: the day a title began; none if none did.
    """

    left_on: int | None
    cured_on: int | None


def case_id(subject: str, stay_on: int) -> bytes:
    """Returns the id of the case that a breach of a stay opens (docs/rules.md, Cases)."""
    return sha256(f"case|{subject}|{stay_on}".encode()).digest()[:16]


def decide(life: Life, decision: str, on: int, officer: int) -> None:
    """An officer decides on the case of the running stay, on a local day."""
    life.event(
        CaseDecision,
        life.world.places.office_time(on, life.oblast, life.draws),
        "register:cases",
        case_id(life.subject, life.stay_on),
        decision,
        f"o1-{digest_of(life.world.seed, 'officer', officer).hex()}",
        _REASONS[decision],
        None,
    )


def follow_up(life: Life, deadline_on: int) -> End:
    """Tells what follows after the last lawful day of the running stay.

    Args:
        life: the person; the stay is running.
        deadline_on: the last lawful day.

    Returns:
        How it ended.
    """
    draws = life.draws
    officer = draws.between(1, 30)
    found_on = deadline_on + draws.between(3, 10)
    way = draws.of(_WAYS)
    left_on: int | None = None
    cured_on: int | None = None
    if draws.chance(life.world.rates.dispute):
        _dispute(life, deadline_on + draws.between(2, 6))
    if way == "leaves":
        left_on = deadline_on + draws.between(3, 30)
        if draws.chance(0.2):
            decide(life, "acknowledged", deadline_on + 2, officer)
    elif way == "contacted":
        decide(life, "contacted", found_on, officer)
        left_on = found_on + draws.between(2, 9)
        decide(life, "left_voluntarily", left_on + 1, officer)
    elif way == "legalised":
        decide(life, "contacted", found_on, officer)
        cured_on = found_on + draws.between(3, 8)
        life.register("extension", cured_on, max(cured_on, life.world.end_on) + 60)
        decide(life, "legalised", cured_on + 1, officer)
    elif way == "ordered":
        life.checked(found_on)
        decide(life, "contacted", found_on, officer)
        decide(life, "order_to_leave", found_on + 1, officer)
        left_on = found_on + draws.between(4, 11)
    elif way == "referred":
        left_on = _refer(life, found_on, officer)
    elif way == "cleared":
        # The exit was seen by nobody when it happened; an officer learns of it and the post types it in weeks later.
        left_on = deadline_on - 1
        decide(life, "cleared", found_on + 4, officer)
    elif draws.chance(life.world.rates.checked):
        life.checked(found_on)
    if left_on is not None:
        life.leave(left_on, life.world.places.instant(found_on + 3, life.oblast, 12) if way == "cleared" else 0)
    return End(left_on, cured_on)


def _refer(life: Life, found_on: int, officer: int) -> int:
    """A referral for removal: found by a check, proposed by one officer, confirmed by another, expelled with a ban."""
    world = life.world
    life.checked(found_on)
    decide(life, "contacted", found_on, officer)
    decide(life, "referral_proposed", found_on + 2, officer)
    decide(life, "referral_confirmed", found_on + 4, officer % 30 + 1)
    left_on = found_on + 9
    decide(life, "removed", left_on, officer)
    years = world.policy.at(left_on).expulsion_ban_years or 5
    at_ms = world.places.office_time(left_on, life.oblast, life.draws)
    life.event(EntryBan, at_ms, "register:bans", "imposed", life.draws.uuid(), "expulsion", left_on + 1, left_on + years * 365)
    return left_on


def _dispute(life: Life, on: int) -> None:
    """The person disputes the entry; it is decided a week later."""
    dispute_id = life.draws.uuid()
    at_ms = max(life.world.places.office_time(on, life.oblast, life.draws), life.entry_at + HOUR_MS)
    entry = next((draft for draft in life.drafts if draft.occurred_at == life.entry_at), None)
    if entry is None:
        return
    life.truth.disputed = True
    life.event(Dispute, at_ms, "register:disputes", "opened", dispute_id, entry.event_id, None)
    decided_ms = life.world.places.office_time(on + 7, life.oblast, life.draws)
    kind = "upheld" if life.draws.chance(0.4) else "rejected"
    life.event(Dispute, decided_ms, "register:disputes", kind, dispute_id, None, None)
