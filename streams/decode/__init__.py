"""Bytes to ``Record`` or ``Rejected``: what comes from outside is decoded and checked here, once, and nowhere else."""

from __future__ import annotations

from streams.decode.decoder import Decoder
from streams.decode.rejected import CODES, FOUND_LATER, Codes, Rejected
from streams.decode.sources import Sources, load_sources

__all__ = ["CODES", "FOUND_LATER", "Codes", "Decoder", "Rejected", "Sources", "load_sources"]
