"""One person's state and its one step; what an agent calls. See docs/architecture.md, Contracts between rooms."""

from __future__ import annotations

from streams.detect.logtime import START, LogTime
from streams.person.advance import revisit, take
from streams.person.state import due_of
from streams.person.step import NEVER, Cause, Due, Step

__all__ = ["NEVER", "START", "Cause", "Due", "LogTime", "Step", "due_of", "revisit", "take"]
