"""docs/events.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from streams.decode import CODES
from streams.records import INPUTS, OUTPUTS
from streams.wire.avro import codecs
from streams.wire.topics import MAX_EVENT_BYTES, topic_of

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")


def test_every_event_type_is_listed_with_its_number_and_topic() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(\.\./schemas/(\w+)\.avsc\) \| (\d+) \| `([\w-]+)` \|", PAGE, re.MULTILINE)
    expected = [
        (kind.NAME, kind.NAME, str(codecs().by_kind[kind].version.schema_id), topic_of(kind.NAME).suffix)
        for kind in (*INPUTS, *OUTPUTS)
    ]
    assert rows == expected


def test_every_code_of_a_refusal_is_explained() -> None:
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning} |" in PAGE


def test_the_longest_event_is_stated() -> None:
    assert f"{MAX_EVENT_BYTES:,}".replace(",", " ") in PAGE
