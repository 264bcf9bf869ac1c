"""Gives memory back to the operating system that recovery needed and the state does not."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Asks the C library to return the pages it holds free; does nothing where it cannot be asked (musl, macOS, Windows).

    Recovery reads hundreds of thousands of messages through short-lived buffers of several threads; glibc keeps what they
    freed for as long as the process lives (ADR 0132).
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
