"""One person's state and its one step; what an agent calls. See docs/architecture.md, Contracts between rooms."""

from __future__ import annotations

from streams.detect.logtime import START, LogTime
from streams.person.advance import revisit, take
from streams.person.state import dossier_of, due_of, root_of
from streams.person.step import NEVER, Cause, Due, Step

__all__ = ["NEVER", "START", "Cause", "Due", "LogTime", "Step", "dossier_of", "due_of", "revisit", "root_of", "take"]
