"""The stay that is going on, and how long it is still lawful: what people are reminded by.

**Source**: docs/rules.md, Reminders; Concept of migration policy 2007-2015, rights of migrants.
"""

from __future__ import annotations

from streams.detect import titles
from streams.detect.rules.overstay import last_lawful_day
from streams.detect.situation import Situation
from streams.detect.stays import Stay
from streams.policy.model import Rules


class RunningStay:
    """A stay that is lawful today and will not be for ever.

    Attributes:
        stay: the stay.
        last_on: its last lawful day, if nothing changes.
        left: days from today to it.
        rules: the policy's values of today.
    """

    __slots__ = ("last_on", "left", "rules", "stay")

    def __init__(self, stay: Stay, last_on: int, rules: Rules) -> None:
        self.stay = stay
        self.last_on = last_on
        self.left = last_on - stay.today
        self.rules = rules


def running_stay(situation: Situation) -> RunningStay | None:
    """Returns the stay of a person who is present, has a title today and an end of it in sight; none of anybody else."""
    stays = situation.presence.stays
    if not stays or not stays[-1].is_open or stays[-1].of_citizen or stays[-1].of_unknown:
        return None
    stay = stays[-1]
    last = last_lawful_day(situation, stay)
    if last is None:
        return None
    today = stay.today
    at_home = [one.last_on for one in situation.titles if one.kind == titles.CITIZENSHIP and one.first_on <= today <= one.last_on]
    if at_home:
        situation.look_again_on(max(at_home) + 1, stay.zone)
        return None
    rules = situation.policy.at(today)
    if rules.until_on is not None:
        situation.look_again_on(rules.until_on + 1, stay.zone)
    return RunningStay(stay, last, rules)
