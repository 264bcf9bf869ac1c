"""Asks the warehouse over its read-only HTTP endpoint, as any client of ClickHouse would."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.recompute.compare import Select


def over_http(url: str, token_file: Path) -> Select:
    """Returns what asks the endpoint of a running stack.

    Args:
        url: ``http://127.0.0.1:port``.
        token_file: file with the token.
    """
    token = token_file.read_text(encoding="ascii").strip()

    def select(query: str) -> list[tuple[Any, ...]]:
        request = urllib.request.Request(  # noqa: S310 - a loopback URL of the stack under test
            url,
            data=f"{query} FORMAT JSONCompact".encode(),
            headers={"X-ClickHouse-User": "default", "X-ClickHouse-Key": token},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = json.load(answer)
        kinds = [column["type"] for column in found["meta"]]
        # JSON has no integers of 64 bits: ClickHouse may quote them.
        return [
            tuple(int(cell) if "Int" in kind and cell is not None else cell for kind, cell in zip(kinds, row, strict=True))
            for row in found["data"]
        ]

    return select
