"""What came of one record must fit into messages the broker takes: refused with its event, not tried for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from streams.runtime.checkpoint import Output
from streams.wire.topics import MAX_MESSAGE_BYTES, MAX_STATE_BYTES

_ROOM_BYTES: Final = 16 * 1024
"""What a key and the batch around it take of the longest message a topic carries."""


class TooManyFactsError(Exception):
    """What is known about one person or employer no longer fits into a message."""


def require_fit(outputs: Iterable[Output], state: bytes | None, *, whose: str, ask: str) -> None:
    """Refuses what the broker would.

    Args:
        outputs: what is to be written.
        state: the new state; none if it did not change.
        whose: ``person`` or ``employer``.
        ask: what may be the matter, and what to do.

    Raises:
        TooManyFactsError: a transaction with a message the broker refuses would fail for ever, and the partition with it.
    """
    longest = 0
    for output in outputs:
        longest = max(longest, len(output.value))
    state_bytes = 0 if state is None else len(state)
    if longest > MAX_MESSAGE_BYTES - _ROOM_BYTES or state_bytes > MAX_STATE_BYTES - _ROOM_BYTES:
        raise TooManyFactsError(
            f"Expected one {whose}'s facts to fit into a message; came a state of {state_bytes} bytes and an output of "
            f"{longest}. {ask}"
        )
