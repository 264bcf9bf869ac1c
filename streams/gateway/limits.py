"""How much each caller, and all of them together, may ask at once."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from streams.clock import monotonic_s
from streams.gateway.intake import BodyError
from streams.gateway.tokens import Token

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_REQUESTS = 64
"""Requests read or waiting for Kafka at once; together with the longest body this bounds the memory."""

BODY_S = 30.0
"""How long a caller may take to send a body."""

BURST_S = 10.0


@dataclass(slots=True)
class _Account:
    balance: float
    at_s: float


class Rates:
    """Events a second by token: each has ten seconds' worth at once, and may go into debt by one request.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic_s) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def wait_s(self, token: Token) -> int:
        """Returns 0 if the token may send now, else after how many seconds it may."""
        balance = self._account(token).balance
        return 0 if balance > 0 else max(1, math.ceil((1 - balance) / token.per_second))

    def spend(self, token: Token, events: int) -> None:
        """Counts events against the token."""
        self._account(token).balance -= events

    def _account(self, token: Token) -> _Account:
        now, most = self._clock(), token.per_second * BURST_S
        account = self._accounts.setdefault(token.id, _Account(most, now))
        account.balance = min(most, account.balance + (now - account.at_s) * token.per_second)
        account.at_s = now
        return account


async def body_of(pieces: AsyncIterator[bytes], length: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """Returns a request's body.

    Args:
        pieces: as they come.
        length: the header Content-Length, if there is one.
        limit: bytes it may have.

    Raises:
        BodyError: it is too long.
    """
    if length.isdecimal() and int(length) > limit:
        raise BodyError(413, f"Expected at most {limit} bytes; the request announces {length}. Send several requests.")
    found = bytearray()
    async for piece in pieces:
        found += piece
        if len(found) > limit:
            raise BodyError(413, f"Expected at most {limit} bytes; more came. Send several requests.")
    return bytes(found)
