"""Where document data live, and nowhere else: sealed rows by pseudonym, read with a reason and audited (ADR 0147)."""

from __future__ import annotations

from streams.vault.masking import Masked
from streams.vault.opening import open_vault
from streams.vault.vault import Vault

__all__ = ["Masked", "Vault", "open_vault"]
