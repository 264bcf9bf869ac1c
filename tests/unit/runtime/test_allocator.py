"""Memory that recovery needed goes back to the operating system."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from streams.runtime.allocator import give_back


def resident_kb() -> int:
    """Returns what this process holds, as Linux counts it."""
    return next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith("VmRSS:")
    )


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library cannot be asked")
def test_pages_freed_below_one_that_is_used_go_back() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(64 * 1024) for _ in range(1600)]
    for block in blocks:
        ctypes.memset(block, 1, 64 * 1024)
    for block in blocks[:-1]:
        libc.free(block)  # the last one keeps glibc from giving the rest back by itself
    before = resident_kb()
    give_back()
    assert resident_kb() < before - 50 * 1024
    libc.free(blocks[-1])


def test_a_library_without_the_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_back()
