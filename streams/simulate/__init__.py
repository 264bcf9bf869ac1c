"""A synthetic country whose posts and registers publish what the real ones would, with the truth beside it."""

from __future__ import annotations

from streams.simulate.concept import Concept
from streams.simulate.country import Plan, Simulation
from streams.simulate.draft import Arrival, Corrupt, Message
from streams.simulate.rates import Rates
from streams.simulate.sending import Pace, Progress, Sent, publish
from streams.simulate.truth import Totals

__all__ = [
    "Arrival",
    "Concept",
    "Corrupt",
    "Message",
    "Pace",
    "Plan",
    "Progress",
    "Rates",
    "Sent",
    "Simulation",
    "Totals",
    "publish",
]
