"""What commands that publish share: what stands published, and noting what is published now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.warehouse.ask import Asker
    from streams.warehouse.published import Figure


def standing_published(asker: Asker, settings: Settings) -> list[Figure]:
    """Returns what stands published: in the warehouse, and noted in this home.

    Raises:
        SetupError: the journal in the home cannot be read.
        RefusedError: the warehouse has no such table yet: it is not up to date.
    """
    from streams.warehouse.published import NEWEST, standing

    return standing([(row[0], row[1], row[2], row[3]) for row in asker.select(NEWEST).rows], settings.home)


def note_published(settings: Settings, figures: Sequence[Figure], released_at: int) -> None:
    """Notes a release, first in the home, then in the warehouse; call it before anybody can read the figures.

    A running stack takes the home's journal in by itself. If a server refuses, stderr says so and the journal keeps the release.

    Args:
        settings: where the home and the warehouse are; no connection to the embedded engine may be open.
        figures: what is published.
        released_at: UTC epoch ms.

    Raises:
        SetupError: the home cannot be written: nothing may be published.
    """
    from streams.errors import ShekaraError
    from streams.local.stack import find_stack
    from streams.warehouse.connect import connect
    from streams.warehouse.published import note, take_in

    note(settings.home, figures, released_at)
    if not settings.clickhouse.get_secret_value():
        try:
            find_stack(settings)
        except ShekaraError:
            pass
        else:
            return
    try:
        engine = connect(settings)
        try:
            take_in(engine, settings.home)
        finally:
            engine.close()
    except ShekaraError as error:
        typer.echo(
            f"The warehouse did not take the release in: {error}\n"
            f"It is kept in {settings.home} and is taken in with the next one.",
            err=True,
        )
