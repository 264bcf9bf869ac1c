"""Every error this project raises on purpose, split by what the reader can do about it.

ShekaraError
├── UsageError          the command or its input is wrong; fix it and run again          exit 2
├── SetupError          the machine or the configuration is not ready                    exit 3
│   └── DependencyError something outside (Kafka, ClickHouse, a registry) did not answer exit 4
├── PolicyError         a policy file is not lawful YAML for us (file, line, expected)   exit 2
├── IntegrityError      data contradict the ledger; stop loudly rather than guess        exit 5
└── FencedError         another worker owns this partition now; stop and restart         exit 75
"""

from __future__ import annotations


class ShekaraError(Exception):
    """An expected failure: one clear sentence, and what to do next.

    Args:
        what: what happened, with the value that came and what was expected.
        next_step: what the reader can do about it; empty when the sentence already says it.
    """

    exit_code = 1

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".strip()


class UsageError(ShekaraError):
    """The command or its input is wrong."""

    exit_code = 2


class PolicyError(UsageError):
    """A policy file breaks the format; the sentence names file, line and what was expected."""


class SetupError(ShekaraError):
    """The machine or the configuration is not ready."""

    exit_code = 3


class DependencyError(SetupError):
    """Something outside this process did not answer, or refused."""

    exit_code = 4


class IntegrityError(ShekaraError):
    """The log, the ledger and the state contradict each other; going on would be guessing."""

    exit_code = 5


class FencedError(ShekaraError):
    """Another worker has taken over a partition this one still believed it owned."""

    exit_code = 75
