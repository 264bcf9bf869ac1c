"""Folds visits whose retention clock has run out into their days: a person's state stays small, and the answers the same.

**Source**: docs/rules.md, Folding; ADR 0073.
"""

from __future__ import annotations

from typing import Final

from streams.detect.assess import Assessment
from streams.detect.dossier import Dossier
from streams.detect.folded import Folded, Visit, can_fold
from streams.detect.logtime import LogTime
from streams.detect.rules.households import add_months
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.records import BorderCrossing, Correction, PersonEvent

_YEAR_MS: Final = 365 * 86_400_000


def fold(dossier: Dossier, assessment: Assessment, time: LogTime) -> Dossier:
    """Returns the dossier with what can be folded folded: the very same object where nothing can.

    Args:
        dossier: the facts.
        assessment: what follows from them now.
        time: the log's clock; a fact with a wrong date cannot make others old.

    Returns:
        A dossier from which everything follows that followed before, on this day and every later one.
    """
    facts = dossier.facts
    situation = assessment.situation
    policy = situation.policy
    if not facts or time.now_ms - facts[0].occurred_at < _YEAR_MS:
        return dossier
    today = policy.local_day(time.now_ms, "")
    rules = policy.at(today)
    years = rules.retention_after_exit_years
    if years == 0 or time.now_ms - facts[0].occurred_at < years * _YEAR_MS:
        return dossier
    window = max([one.window_days or 0 for one in rules.allowances.values()], default=0)
    stays = _foldable(dossier, assessment, today, max(12 * years, window // 28 + 1))
    if not stays:
        return dossier
    before = dossier.folded.visits if dossier.folded is not None else ()
    visits = [Visit(stay.stay_on, stay.last_on, stay.entry.citizenship) for stay in stays]
    line_ms = max(stay.exit.occurred_at for stay in stays if stay.exit is not None)
    if dossier.folded is not None:
        line_ms = max(line_ms, dossier.folded.line_ms)
    gone = {id(one) for stay in stays for one in (stay.entry, stay.exit)}
    homes = {id(one) for stay in situation.presence.stays if stay not in stays for _, one in (*stay.seen, *stay.notices)}
    kept = tuple([fact for fact in facts if id(fact) not in gone and not _is_loose(fact, line_ms, homes)])
    order = sorted([*before, *visits], key=lambda visit: (visit.stay_on, visit.last_on))
    return Dossier(dossier.subject, kept, Folded(line_ms, tuple(order)))


def _is_loose(fact: PersonEvent, line_ms: int, homes: set[int]) -> bool:
    """Returns whether a notice or check goes with what is folded: it is as old, and belongs to no stay that is kept."""
    return fact.occurred_at <= line_ms and can_fold(fact) and not isinstance(fact, BorderCrossing) and id(fact) not in homes


def _foldable(dossier: Dossier, assessment: Assessment, today: int, months: int) -> list[Stay]:
    """Returns the stays nothing was found about whose exit was seen so long ago that their records may no longer be kept."""
    situation = assessment.situation
    stays = situation.presence.stays
    old = [stay for stay in stays if stay.exit is not None and add_months(stay.last_on, months) < today]
    if not old or _corrects_what_folds(dossier):
        return []
    found = {key[1] for key in assessment.suspended} | {one.stay_on for one in assessment.findings}
    named = {event_id for one in assessment.findings for event_id in one.evidence}
    named |= {one.disputed_event for one in situation.disputes if one.disputed_event is not None}
    closing = {id(entry) for _, entry in situation.presence.reentries}
    entries: dict[int, int] = {}
    for stay in stays:
        entries[stay.stay_on] = entries.get(stay.stay_on, 0) + 1
    return [
        stay
        for stay in old
        if stay.exit is not None
        and stay.stay_on not in found
        and entries[stay.stay_on] == 1
        and id(stay.entry) not in closing
        and named.isdisjoint((stay.entry.event_id, stay.exit.event_id, *(one.event_id for _, one in (*stay.seen, *stay.notices))))
        and all(can_fold(one) for _, one in (*stay.seen, *stay.notices))
        and _stands_apart(situation, stay)
    ]


def _corrects_what_folds(dossier: Dossier) -> bool:
    """Returns whether a correction names a fact that folds: what it withdrew may come back if it is withdrawn itself."""
    named = {fact.supersedes for fact in dossier.facts if isinstance(fact, Correction)}
    return bool(named) and any(fact.event_id in named and can_fold(fact) for fact in dossier.facts)


def _stands_apart(situation: Situation, stay: Stay) -> bool:
    """Returns whether no other crossing happened at the very instants of a stay: order would hang on ids that are not kept."""
    if stay.exit is None:
        return False
    instants = (stay.entry.occurred_at, stay.exit.occurred_at)
    own = (stay.entry, stay.exit)
    crossings = situation.records_of(BorderCrossing)
    return instants[0] < instants[1] and not any(one.occurred_at in instants and one not in own for one in crossings)
