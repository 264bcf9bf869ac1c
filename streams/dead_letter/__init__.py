"""Messages that could not be processed: whole, with a reason; read, grouped, exported, replayed."""

from __future__ import annotations

from streams.dead_letter.letters import Choice, Group, Letter, grouped, numbers_of, read_letters
from streams.dead_letter.replay import Replayed, replay

__all__ = ["Choice", "Group", "Letter", "Replayed", "grouped", "numbers_of", "read_letters", "replay"]
