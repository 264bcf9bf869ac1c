"""docs/conformance.md lists the scenarios as the kit has them."""

from __future__ import annotations

import re
from pathlib import Path

from streams.conformance.scenarios import scenarios

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")


def test_every_scenario_is_on_the_page_in_the_order_it_is_acted_out() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [*(one.name for one in scenarios("post:x", "x", "UZB", 0)), "numbering", "schema_upgrade"]
