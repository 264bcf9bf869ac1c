"""Follow-up of a stay: its stage, by what officers decided and what the facts say. Nobody is removed by a program.

**Source**: docs/rules.md, Cases, options, interlock; Concept of migration policy 2007-2015: legalisation, voluntary return,
deportation under national and international rules.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Final, Literal

from streams.alerts.known import Known
from streams.cases.interlock import Unprotected, protected_at
from streams.cases.options import REFERRAL
from streams.detect.packing import put_int, put_uint, take_int, take_uint
from streams.detect.situation import Situation
from streams.records import Case, CaseDecision

Stage = Literal["suspected", "contacted", "legalised", "left", "cleared", "referred", "removed"]

_CURED: Final = frozenset({"title_found", "registered", "permit_found", "contract_found", "citizenship"})
_SETTLED: Final = frozenset({"legalised", "left", "cleared", "removed"})
_HELP: Final = frozenset(
    {
        "notify_late",
        "request_extension",
        "obtain_permit",
        "conclude_contract",
        "legalisation_window",
        "apply_kandas",
        "apply_asylum",
    }
)


def case_id_of(subject: str, stay_on: int) -> bytes:
    """Returns the id of the case of a stay."""
    return hashlib.sha256(f"case|{subject}|{stay_on}".encode()).digest()[:16]


class Followed:
    """The last version of one case.

    Attributes:
        stay_on: the stay.
        version: its last version.
        opened_at: log time of the first, UTC epoch ms.
        digest: checksum of its content.
    """

    __slots__ = ("digest", "opened_at", "stay_on", "version")

    def __init__(self, stay_on: int, version: int, opened_at: int, digest: int) -> None:
        self.stay_on = stay_on
        self.version = version
        self.opened_at = opened_at
        self.digest = digest

    def put(self, out: bytearray) -> None:
        """Appends it."""
        put_int(out, self.stay_on)
        put_uint(out, self.version)
        put_uint(out, self.opened_at)
        out += self.digest.to_bytes(4, "little")


def take_followed(data: bytes, at: int) -> tuple[Followed, int]:
    """Reads what `Followed.put` wrote; returns it and the position behind it."""
    stay_on, at = take_int(data, at)
    version, at = take_uint(data, at)
    opened_at, at = take_uint(data, at)
    return Followed(stay_on, version, opened_at, int.from_bytes(data[at : at + 4], "little")), at + 4


class File:
    """What a case is made of: the alerts of one stay and what is known of the person.

    Attributes:
        subject: the person's pseudonym.
        alerts: conclusions of family breach about the stay.
        options: the options of those that are open, by key.
        situation: what is known.
        proof: that the person is not protected; none if they are.
    """

    __slots__ = ("alerts", "options", "proof", "situation", "subject")

    def __init__(
        self,
        subject: str,
        alerts: list[Known],
        options: dict[tuple[str, int, int], tuple[str, ...]],
        situation: Situation,
        proof: Unprotected | None,
    ) -> None:
        self.subject = subject
        self.alerts = alerts
        self.options = options
        self.situation = situation
        self.proof = proof


def follow(cases: list[Followed], file: File, caused_by: bytes, ids: tuple[bytes, ...]) -> Case | None:
    """Brings the case of one stay up to date.

    Args:
        cases: the person's cases, changed in place.
        file: the alerts of the stay, at least one, and what is known.
        caused_by: event id of the record that made us look.
        ids: alert ids, in the order of ``file.alerts``.

    Returns:
        The case's next version; none if nothing about it changed.
    """
    stay_on = file.alerts[0].stay_on
    situation = file.situation
    case_id = case_id_of(file.subject, stay_on)
    stage, ordered = stage_of(file, case_id)
    is_open = stage in ("suspected", "contacted", "referred")
    options: tuple[str, ...] = ()
    if is_open:
        given = [file.options[one.key] for one in file.alerts if one.is_open and one.key in file.options]
        options = tuple([option for option in situation.policy.option_texts if any(option in some for some in given)])
        if file.proof is None:
            options = tuple([option for option in options if option != REFERRAL])
    path = _path(stage, options, ordered=ordered, protected=file.proof is None)
    group, oblast = file.alerts[0].group, file.alerts[0].oblast
    content = f"{stage}|{path}|{file.proof is None}|{','.join(options)}|{group}|{oblast}"
    digest = zlib.crc32(b"".join(ids), zlib.crc32(content.encode()))
    known = next((one for one in cases if one.stay_on == stay_on), None)
    if known is None:
        known = Followed(stay_on, 0, situation.now_ms, digest)
        cases.append(known)
    elif known.digest == digest:
        return None
    known.version += 1
    known.digest = digest
    due_on = None
    if is_open and situation.due_ms is not None:
        due_on = situation.country.local_day(situation.due_ms)
    return Case(
        case_id,
        known.version,
        file.subject,
        stay_on,
        stage,
        is_open,
        path,
        file.proof is None,
        options,
        ids,
        group,
        oblast,
        due_on,
        known.opened_at,
        situation.now_ms,
        caused_by,
    )


def stage_of(file: File, case_id: bytes) -> tuple[Stage, bool]:
    """Returns the stage of a case, and whether an order to leave is in force.

    Decisions come first; while they settle nothing and no alert is open, the facts speak.
    """
    stage: Stage = "suspected"
    ordered = False
    proposers: set[str] = set()
    for decision in file.situation.decisions:
        if decision.case_id != case_id:
            continue
        kind = decision.decision
        if kind == "reopened":
            stage, ordered, proposers = "suspected", False, set()
        elif kind in ("contacted", "order_to_leave"):
            ordered = ordered or kind == "order_to_leave"
            if stage == "suspected":
                stage = "contacted"
        elif stage in _SETTLED:
            continue
        elif kind == "legalised":
            stage = "legalised"
        elif kind == "left_voluntarily":
            stage = "left"
        elif kind == "cleared":
            stage = "cleared"
        elif file.proof is not None:
            stage = _towards_removal(stage, decision, proposers, file.situation, file.proof)
    if stage not in _SETTLED and not any(one.is_open for one in file.alerts):
        if all(one.state in ("retracted", "expired") for one in file.alerts):
            stage = "cleared"
        elif any(one.state == "resolved" and one.reason in _CURED for one in file.alerts):
            stage = "legalised"
        else:
            stage = "left"
    return stage, ordered


def _towards_removal(
    stage: Stage, decision: CaseDecision, proposers: set[str], situation: Situation, proof: Unprotected
) -> Stage:
    """Returns the stage after a decision that leads towards removal: the only place a case gets there.

    Two different officers have to want a referral, and what is decided while the person is protected changes nothing.
    """
    if not isinstance(proof, Unprotected) or protected_at(situation, decision.occurred_at):
        return stage
    kind = decision.decision
    if kind == "referral_proposed":
        proposers.add(decision.officer)
    elif kind == "referral_confirmed":
        if proposers - {decision.officer}:
            return "referred"
    elif kind == "removed" and stage == "referred":
        return "removed"
    return stage


def _path(stage: Stage, options: tuple[str, ...], *, ordered: bool, protected: bool) -> str:
    """Returns the lawful path a case is on."""
    if protected:
        return "protection"
    if stage in ("legalised", "cleared"):
        return "legalisation" if stage == "legalised" else "none"
    if stage in ("referred", "removed"):
        return "referral"
    if stage == "left" or ordered or not _HELP.intersection(options):
        return "voluntary_departure"
    return "legalisation"
