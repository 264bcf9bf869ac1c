"""What is known of employers' workers and of quotas, and its one step; what an agent calls. See docs/adr/0066."""

from __future__ import annotations

from streams.labour.advance import Fact, Lane, Step, revisit, take
from streams.labour.state import due_of, is_judged

__all__ = ["Fact", "Lane", "Step", "due_of", "is_judged", "revisit", "take"]
