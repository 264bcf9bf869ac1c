"""Work at an employer with whom no contract has been concluded, or none that was notified.

**Source**: docs/rules.md, Work; Labour Code (No. 414-V of 23.11.2015): work begins with a contract; Treaty on the Eurasian
Economic Union, Art. 97: work on the strength of a contract; Concept of migration policy 2007-2015, migrants' labour rights.
"""

from __future__ import annotations

from typing import Final

from streams.detect.days import first_from, subtract
from streams.detect.finding import Found
from streams.detect.rules.work_seen import ANY_DEADLINE, Cure, Work, WorkDays, WorkRule, Wrong, spans
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.detect.titles import Title
from streams.records import LabourContract, WorkPermit

CONTRACT_NOT_CONCLUDED: Final = "contract_not_concluded"


def wrong(one: WorkDays) -> list[Wrong]:
    """Returns the days of a sighting at a known employer without a contract with it.

    Asked of people who need no permit, and of those all of whose fitting permits go with a contract.
    """
    if not one.work.sighted or one.work.employer is None:
        return []
    days = one.days
    if one.asks_permit:
        days = subtract(one.in_place, spans([permit for permit in one.placed if not _goes_with_a_contract(permit)]))
    return [(ANY_DEADLINE, span) for span in subtract(days, spans(_contracts_with(one.situation, one.work.employer)))]


def _cured_by_contract(situation: Situation, stay: Stay, found: Found, work: Work) -> Cure | None:
    day = first_from(spans(_contracts_with(situation, found.employer)), found.first_day_on + 1)
    return None if day is None else (day, "contract_found")


def _goes_with_a_contract(title: Title) -> bool:
    """Returns whether a permit is an employer's or a transferee's."""
    assert isinstance(title.record, WorkPermit)  # noqa: S101 - for the type checker
    return title.record.permit_type in ("employer", "intra_company")


def _contracts_with(situation: Situation, employer: str) -> list[Title]:
    found: list[Title] = []
    for title in situation.contracts:
        assert isinstance(title.record, LabourContract)  # noqa: S101 - for the type checker
        if title.record.employer == employer:
            found.append(title)
    return found


RULE: Final = WorkRule(CONTRACT_NOT_CONCLUDED, wrong, _cured_by_contract)
