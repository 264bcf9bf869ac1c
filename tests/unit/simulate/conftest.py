"""One small country, simulated once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from streams.policy.load import load
from streams.policy.model import Policy
from streams.simulate import Arrival, Simulation


@dataclass(frozen=True)
class Told:
    """A simulation that has run.

    Attributes:
        simulation: it.
        arrivals: everything it sent.
        truth: every line of the truth.
    """

    simulation: Simulation
    arrivals: list[Arrival]
    truth: list[dict[str, Any]]


@pytest.fixture(scope="session")
def policy() -> Policy:
    """The shipped policy."""
    return load("kz")


@pytest.fixture(scope="session")
def told(policy: Policy) -> Told:
    """A country of 1500 people over 40 days."""
    simulation = Simulation(1_500, 40, 7, policy=policy)
    truth: list[dict[str, Any]] = []
    return Told(simulation, list(simulation.arrivals(truth.append)), truth)
