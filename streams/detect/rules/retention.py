"""What is too old to act on: a presumption nobody could check for years is given up.

**Source**: docs/rules.md, Presumptions that expire; rights baseline 7: five years after the term where no exit was seen.
"""

from __future__ import annotations

from streams.detect.rules.households import add_months
from streams.detect.situation import Situation
from streams.detect.stays import Stay

RETENTION = "retention"
"""What a finding ended by that has become too old."""


def expire(situation: Situation) -> None:
    """Ends the breaches of a running stay in which there has been no sign of the person for as long as data may be kept."""
    stays = situation.presence.stays
    if not stays or not stays[-1].is_open:
        return
    stay = stays[-1]
    rules = situation.policy.at(stay.today)
    if rules.retention_no_exit_years == 0:
        return
    last_sign = _last_sign(stay)
    for found in situation.found:
        terms = situation.policy.at(found.first_day_on).by_rule.get(found.rule)
        if found.stay_on != stay.stay_on or not found.is_open or terms is None or terms.family != "breach":
            continue
        end = add_months(max(found.first_day_on, last_sign), 12 * rules.retention_no_exit_years)
        if stay.today > end:
            found.last_day_on, found.ended_by = end, RETENTION
            found.days = end - found.first_day_on + 1
        else:
            situation.look_again_on(end + 1, stay.zone)
    if rules.until_on is not None:
        situation.look_again_on(rules.until_on + 1, stay.zone)


def _last_sign(stay: Stay) -> int:
    """Returns the last day of a stay on which the person entered, was seen, or notified of an arrival or extension."""
    return max([stay.stay_on, *[day for day, _ in stay.seen], *[day for day, _ in stay.notices]])
