"""What is true in the simulated country, and what must therefore be found: written beside the data, for tests to compare.

Only what the story makes certain is claimed; where the answer hangs on a day or on an open dispute, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Expected:
    """One conclusion that must stand when the log has been read to its end.

    Attributes:
        rule: name of the rule.
        stay_on: local day of entry.
        deadline_on: last lawful day; none where the truth does not compute it.
        open: whether the breach still lasts at the end.
        employer: whom it names; empty where the truth does not say or it names nobody.
    """

    rule: str
    stay_on: int
    deadline_on: int | None
    open: bool
    employer: str = ""


@dataclass(slots=True)
class PersonTruth:
    """What is true of one person.

    Attributes:
        subject: pseudonym.
        story: which story it is.
        citizenship: alpha-3.
        stays: local days of entry and exit; no exit while the person is inside.
        overstayed: whether the person stayed beyond the lawful days; none where the story leaves it open.
        notified: whether the last arrival was notified in time; none where the term is not over or the story leaves it open.
        unlawful_work: whether an inspection found the person working unlawfully; none where the story leaves it open.
        expected: conclusions that must stand.
        disputed: the person disputes a record: presumptions rest, so nothing is claimed.
    """

    subject: str
    story: str
    citizenship: str
    stays: list[list[int | None]] = field(default_factory=list)
    overstayed: bool | None = None
    notified: bool | None = None
    unlawful_work: bool | None = None
    expected: list[Expected] = field(default_factory=list)
    disputed: bool = False

    def line(self) -> dict[str, Any]:
        """Returns the person's line of the truth file."""
        claims = [] if self.disputed else self.expected
        return {
            "kind": "person",
            "subject": self.subject,
            "story": self.story,
            "citizenship": self.citizenship,
            "stays": [{"entered_on": entered, "exited_on": exited} for entered, exited in self.stays],
            "overstayed": None if self.disputed else self.overstayed,
            "notified": None if self.disputed else self.notified,
            "unlawful_work": None if self.disputed else self.unlawful_work,
            "disputed": self.disputed,
            "expected": [
                {"rule": one.rule, "stay_on": one.stay_on, "deadline_on": one.deadline_on, "open": one.open} for one in claims
            ],
        }


@dataclass(slots=True)
class Totals:
    """What was sent, counted as it left; the last line of the truth file.

    Attributes:
        by_topic: messages by topic suffix; a tick counts once, however many partitions it is copied to.
        by_kind: records by event type, repeats included.
        dead_letters: corrupt messages by the code that must come of them.
        duplicates: records sent again.
        corrections: corrections sent.
        late: records that came hours to weeks after they were recorded.
        out_of_order: records that came after later ones of the same person.
    """

    by_topic: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    corrections: int = 0
    late: int = 0
    out_of_order: int = 0

    @property
    def messages(self) -> int:
        """Everything that was sent; a tick counts once."""
        return sum(self.by_topic.values())

    def line(self) -> dict[str, Any]:
        """Returns the last line of the truth file."""
        return {
            "kind": "totals",
            "messages": self.messages,
            "by_topic": dict(sorted(self.by_topic.items())),
            "by_kind": dict(sorted(self.by_kind.items())),
            "dead_letters": dict(sorted(self.dead_letters.items())),
            "duplicates": self.duplicates,
            "corrections": self.corrections,
            "late": self.late,
            "out_of_order": self.out_of_order,
        }
