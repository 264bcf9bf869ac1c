"""One employer's state and its one step; what an agent calls. See docs/architecture.md, Contracts between rooms."""

from __future__ import annotations

from streams.employer.advance import Step, take

__all__ = ["Step", "take"]
