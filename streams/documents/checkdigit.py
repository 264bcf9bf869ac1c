"""The check digit of machine-readable zones.

**Source**: ICAO Doc 9303 part 3, section 4.9: weights 7, 3, 1 in turn; digits count as they are, A to Z as 10 to 35, the filler
``<`` as 0; the sum's remainder by 10.
"""

from __future__ import annotations

_VALUES = {character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_WEIGHTS = (7, 3, 1)


def check_digit(text: str) -> str:
    """Returns the digit that verifies a text.

    Args:
        text: letters A to Z, digits and fillers.

    Raises:
        KeyError: another character.
    """
    return str(sum(_VALUES[character] * _WEIGHTS[place % 3] for place, character in enumerate(text)) % 10)
