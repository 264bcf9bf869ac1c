"""Which events the door must refuse, read from docs/events.md and the schemas' words."""

from __future__ import annotations

import re
from typing import Any

from tests.recompute.registers import Registers

DAY_MS = 86_400_000

_PERSON = re.compile(r"p[1-9][0-9]{0,5}-[0-9a-f]{32}")
_EMPLOYER = re.compile(r"e[1-9][0-9]{0,5}-[0-9a-f]{32}")

HOME = {
    "tick": "people",
    "post_heartbeat": "posts",
    "post_outage": "posts",
    "count_statement": "posts",
    "employer_declaration": "employers",
    "employer_decision": "employers",
    "quota_allocation": "quotas",
}
NOT_OURS = {"alert", "finding", "case", "dead_letter", "batch", "feedback"}


class Door:
    """Judges one event at a time."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers

    def refuses(self, topic: str, kind: str, event: dict[str, Any], received_ms: int) -> str | None:
        """Returns the code of the dead letter the event must become; none if it must be processed.

        Args:
            topic: suffix of the topic it came on.
            kind: event type.
            event: its fields.
            received_ms: the broker's timestamp.
        """
        if kind in NOT_OURS or HOME.get(kind, "people") != topic:
            return "wrong_topic"
        if max(event["occurred_at"], event["recorded_at"]) > received_ms + DAY_MS:
            return "far_future"
        if event["event_id"] == bytes(16):
            return "nil_event_id"
        if not event["source"] or event["source_seq"] < 1:
            return "bad_source" if not event["source"] else "bad_source_seq"
        return self._subject(kind, event["subject"]) or self._codes(kind, event)

    def _subject(self, kind: str, subject: str) -> str | None:
        if kind in ("employer_declaration", "employer_decision"):
            return None if _EMPLOYER.fullmatch(subject) else "bad_subject"
        if kind.startswith("post_") or kind == "count_statement":
            return None if subject in self._registers.posts else "unknown_post"
        if kind in ("tick", "quota_allocation"):
            return None if subject else "bad_subject"
        return None if _PERSON.fullmatch(subject) else "bad_subject"

    def _codes(self, kind: str, event: dict[str, Any]) -> str | None:
        registers = self._registers
        for names, register, code in (
            (("post",), registers.posts, "unknown_post"),
            (("citizenship", "country", "from_country", "to_country"), registers.countries, "unknown_country"),
            (("oblast", "from_oblast", "to_oblast"), registers.oblasts, "unknown_oblast"),
            (("sector",), registers.sectors, "unknown_sector"),
        ):
            if any(event.get(name) is not None and event[name] not in register for name in names):
                return code
        if kind == "visa" and event["category"] not in registers.visa_categories:
            return "unknown_visa_category"
        if kind == "border_crossing" and (event["refusal_reason"] is None) is (event["direction"] == "refusal"):
            return "missing_refusal_reason" if event["direction"] == "refusal" else "unexpected_refusal_reason"
        return None
