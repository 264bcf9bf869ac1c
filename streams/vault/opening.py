"""Which vault the settings mean."""

from __future__ import annotations

from pathlib import Path

from streams.errors import SetupError
from streams.publish.sealing import keys_in
from streams.settings import Settings
from streams.vault.store import Store
from streams.vault.vault import Trail, Vault


def open_vault(settings: Settings, trail: Trail | None = None) -> Vault | None:
    """Returns the vault of the settings; none where no key of one is named.

    Args:
        settings: ``vault_key_file`` says that there is one, ``vault`` where it lies.
        trail: the audit; none where documents are only kept.

    Raises:
        SetupError: the key file or the store cannot be opened.
    """
    if settings.vault_key_file is None:
        return None
    keys = keys_in(settings.vault_key_file)
    return Vault(_store(settings), keys, trail)


def _store(settings: Settings) -> Store:
    place = settings.vault.get_secret_value()
    if place.startswith(("clickhouse://", "clickhouses://")):
        from streams.vault.clickhouse import ClickHouseStore
        from streams.warehouse.server import Server

        try:
            return ClickHouseStore(Server(place, create=False))
        except SetupError as error:
            # The adapter speaks of the warehouse's address; this one is the vault's.
            what, next_step = (text.replace("SHEKARA_CLICKHOUSE", "SHEKARA_VAULT") for text in (error.what, error.next_step))
            raise type(error)(what, next_step) from error
    from streams.vault.sqlite import SqliteStore

    return SqliteStore(Path(place) if place else settings.home.absolute() / "vault" / "vault.db")
