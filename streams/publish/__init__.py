"""What a border system uses: a Publisher, files of events, pseudonyms. Needs neither Faust nor ClickHouse."""

from __future__ import annotations

from streams.publish.publisher import Numbering, Publisher, Receipt, UndeliveredError

__all__ = ["Numbering", "Publisher", "Receipt", "UndeliveredError"]
