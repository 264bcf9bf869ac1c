"""What day it is for an employer or a quota, and when time alone may change an answer about it."""

from __future__ import annotations

from streams.policy.model import Policy


class Watch:
    """The day on which rules are asked.

    Args:
        policy: the policy.
        now_ms: now, UTC epoch ms.

    Attributes:
        policy: the policy.
        today: the day, in the country's zone.
        due_ms: the next instant to look again, UTC epoch ms; none if there is none.
    """

    __slots__ = ("_now_ms", "due_ms", "policy", "today")

    def __init__(self, policy: Policy, now_ms: int) -> None:
        self.policy = policy
        self._now_ms = now_ms
        self.today = policy.local_day(now_ms, "")
        self.due_ms: int | None = None

    def look_again_on(self, day: int) -> None:
        """Says that time alone may change an answer at the start of a coming day."""
        at = self.policy.day_end_ms(day - 1, "")
        if at > self._now_ms and (self.due_ms is None or at < self.due_ms):
            self.due_ms = at

    def applies(self, rule: str, day: int) -> bool:
        """Returns whether the policy has the rule on a day."""
        return rule in self.policy.at(day).by_rule

    def window(self, *, lasts: bool) -> bool:
        """Returns whether a legalisation campaign is open today; of what lasts, looks again when that changes."""
        rules = self.policy.at(self.today)
        is_open = rules.legalisation_window
        while lasts and rules.until_on is not None:
            rules = self.policy.at(rules.until_on + 1)
            if rules.legalisation_window != is_open:
                self.look_again_on(rules.from_on)
                break
        return is_open
