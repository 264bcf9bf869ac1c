"""How often Python's collector of cycles looks, in processes that work in batches."""

from __future__ import annotations

import gc

_AFTER = 50_000
"""Objects made, less those gone, before the collector looks at the youngest."""


def collect_seldom() -> None:
    """Lets the collector of this process look seldom.

    A batch makes tens of thousands of short-lived objects without cycles; at its usual threshold the collector walks over them
    dozens of times and takes a tenth of a worker's CPU.
    """
    gc.set_threshold(_AFTER, 20, 20)
