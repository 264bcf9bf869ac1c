"""Which extra brings a library that a command needs and that is not installed: the core install has what a publisher needs."""

from __future__ import annotations

import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, requires

_DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "faust": "faust-streaming",
    "mode": "faust-streaming",
    "vl_convert": "vl-convert-python",
}
"""Where a library is not called as its package is."""

_LINE = re.compile(r"""^([A-Za-z0-9._-]+).*;.*extra == ['"]([a-z]+)['"]""")


def extra_of(module: str, command: str) -> str:
    """Returns the extra of ours that brings a module; empty if none does.

    Args:
        module: its full name, e.g. ``confluent_kafka.admin``.
        command: that needs it; where several extras have it, the one of its name counts, else the smallest.
    """
    root = module.partition(".")[0]
    wanted = _plain(_DISTRIBUTIONS.get(root, root))
    try:
        lines = requires("shekara") or []
    except PackageNotFoundError:
        return ""
    named = [(match[2], _plain(match[1])) for match in map(_LINE.match, lines) if match and match[2] != "all"]
    size = Counter(extra for extra, _ in named)
    found = sorted(
        {extra for extra, brings in named if brings == wanted}, key=lambda extra: (extra != command, size[extra], extra)
    )
    return found[0] if found else ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
