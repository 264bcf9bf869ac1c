"""What a rule finds: a rebuttable presumption about one person or employer, before anyone is told of it."""

from __future__ import annotations

from streams.records.outputs import Grade

OPEN = ""
"""How a finding that lasts has ended."""


class Found:
    """One finding of one rule.

    Attributes:
        rule: the rule's name.
        stay_on: key of the stay.
        deadline_on: last lawful day, or the last day to act.
        first_day_on: first day of the breach; of a reminder, the day its threshold begins.
        last_day_on: last day of the breach; none while it lasts.
        days: days of breach up to now.
        grade: how well it is known.
        group: stay group of the citizenship, never the citizenship.
        oblast: where it belongs; empty if not known.
        post: post of the entry.
        employer: the employer concerned; empty otherwise.
        sector: section letter of the work concerned; empty otherwise.
        evidence: event ids it rests on, in order of ``(occurred_at, event_id)``.
        ended_by: empty while it lasts, else ``exit_seen``, ``exit_not_seen``, ``title_found``, ``registered``,
            ``permit_found``, ``contract_found``, ``citizenship``, ``permits_over``, ``share_met``, ``alerts_ended``,
            ``within_quota``, ``people_out``, ``quota_raised``, ``year_over``, ``retention``.
        departed: whether the exit of the stay was seen.
    """

    __slots__ = (
        "days",
        "deadline_on",
        "departed",
        "employer",
        "ended_by",
        "evidence",
        "first_day_on",
        "grade",
        "group",
        "last_day_on",
        "oblast",
        "post",
        "rule",
        "sector",
        "stay_on",
    )

    def __init__(self, rule: str, stay_on: int, deadline_on: int, first_day_on: int) -> None:
        self.rule = rule
        self.stay_on = stay_on
        self.deadline_on = deadline_on
        self.first_day_on = first_day_on
        self.last_day_on: int | None = None
        self.days = 0
        self.grade: Grade = "established"
        self.group = ""
        self.oblast = ""
        self.post = ""
        self.employer = ""
        self.sector = ""
        self.evidence: tuple[bytes, ...] = ()
        self.ended_by = OPEN
        self.departed = False

    @property
    def key(self) -> tuple[str, int, int]:
        """Rule, stay and deadline: what the conclusion's id is made of."""
        return self.rule, self.stay_on, self.deadline_on

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.ended_by == OPEN
