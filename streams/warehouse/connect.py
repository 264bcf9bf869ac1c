"""Which ClickHouse the settings mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streams.settings import Settings

if TYPE_CHECKING:
    from streams.warehouse.embedded import Embedded
    from streams.warehouse.server import Server


def data_path(settings: Settings) -> Path:
    """Returns the data directory of the embedded engine."""
    return settings.home.absolute() / "clickhouse"


def connect(settings: Settings) -> Embedded | Server:
    """Opens the user's server, or the embedded engine where none is named.

    Raises:
        SetupError: the address is wrong, or another process owns the embedded engine's data.
        DependencyError: the server does not answer.
    """
    url = settings.clickhouse.get_secret_value()
    if url:
        from streams.warehouse.server import Server

        return Server(url)
    from streams.warehouse.embedded import Embedded

    return Embedded(data_path(settings))
