"""A warehouse in this process, migrated once a module and empty for each test that asks for ``engine``."""

from __future__ import annotations

from tests.integration.conftest import engine, migrated

__all__ = ["engine", "migrated"]
