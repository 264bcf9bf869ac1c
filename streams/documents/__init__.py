"""What a travel document says, read and verified: numbers, machine-readable zones, personal numbers, names. Pure.

Nothing here repeats what it was given: not in a sentence of an error, not in a ``repr``.
"""

from __future__ import annotations

from streams.documents.fault import DocumentError
from streams.documents.model import TravelDocument

__all__ = ["DocumentError", "TravelDocument"]
