"""What can go wrong between us and ClickHouse, split by what the caller can do.

DependencyError (streams.errors)   it does not answer, or not now: try again with the same block
RefusedError                       it answered no: the SQL or a value is wrong; trying again changes nothing
"""

from __future__ import annotations

import re

from streams.errors import UsageError

DATA_CODES = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349, 407, 469, 675})
"""ClickHouse's codes that mean a value in the block is wrong, so that looking for the bad row makes sense: cannot parse …,
type mismatch, out of bound, cannot convert, incorrect data, too long a string, null where none may be, violated constraint."""

NOT_NOW_CODES = frozenset({159, 202, 209, 210, 225, 241, 242, 243, 252, 319, 394, 425, 999})
"""Codes that say not now: timeout, too many queries, network, memory limit, no space, too many parts, cancelled."""

FORBIDDEN_CODES = frozenset({164, 291, 392, 452, 497})
"""Codes that say that this user may not: readonly, database access denied, prohibited, a setting out of bounds, access denied."""

_CODE = re.compile(r"Code: (\d+)")


class RefusedError(UsageError):
    """ClickHouse, or the encoder in front of it, refused SQL or data.

    Attributes:
        code: ClickHouse's error code; 0 when it came from the encoder.
    """

    def __init__(self, what: str, next_step: str = "", code: int = 0) -> None:
        super().__init__(what, next_step)
        self.code = code

    @property
    def about_data(self) -> bool:
        """Returns whether a row of the block is at fault."""
        return self.code == 0 or self.code in DATA_CODES


def code_of(text: str) -> int:
    """Returns the error code in an engine's message; 0 if there is none."""
    found = _CODE.search(text)
    return int(found.group(1)) if found else 0


def sentence_of(text: str) -> str:
    """Returns an engine's message as one line, without its prefixes and version."""
    line = re.sub(
        r"Code: \d+\. |DB::Exception: |\(version [^)]*\)", "", text.strip().split("Stack trace")[0].split(": In scope")[0]
    )
    return " ".join(line.split()).rstrip(".")
